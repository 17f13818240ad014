"""Moving everything from one database to another, of the same kind or not.

All rows are read from one consistent view and written in one transaction: an interrupted copy
leaves the target as empty as it was. Whoever was erased, in either database, stays so.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.revision import current_revision
from formapp.db.tables import (
    REVISION,
    attempts,
    deliveries,
    erasures,
    jobs,
    metadata,
    submissions,
)
from formapp.db.upgrade import upgrade
from formapp.keyring import Keyring
from formapp.leads.erase import erase_again, known_erasures, remember_erasures
from formapp.leads.persons import Scan

BATCH = 500
"""Rows that are read and written at a time."""

Progress = Callable[[str, int, int], None]
"""Told the table, how many of its rows are written, and how many there are."""


class CopyError(Exception):
    """Nothing was copied; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: rows of each table, and submissions that were erased again on the way."""

    rows: dict[str, int]
    erased: int


def copy_all(  # noqa: PLR0913 - collaborators, all by keyword
    source: Database,
    target: Database,
    *,
    keyring: Keyring | None,
    scan: Scan,
    now: datetime,
    progress: Progress,
) -> Copied:
    """Copy every table.

    The target gets the current schema first. It may hold erasures, and nothing else.

    Args:
        source: what is copied; nothing in it is changed.
        target: where to.
        keyring: knows those again who were erased; needed only if anybody was.
        scan: finds who is named in a text.
        now: the time.
        progress: told how far it is.

    Raises:
        CopyError: the source has another schema or was still at work, the target holds data, the
            keyring is missing, or the rows that arrived are not those that were sent.
        DatabaseUnavailableError: one of the two refused.
    """
    with _snapshot(source) as reading:
        if current_revision(reading) != REVISION:
            raise CopyError(
                "the database to copy from has another schema: "
                "bring it up by `formapp db upgrade` first, with DATABASE_URL pointing at it"
            )
        upgrade(target)
        try:
            with target.write() as writing:
                copied = _copy(reading, writing, keyring=keyring, scan=scan, now=now, tell=progress)
                _check_still(source, reading)
                return copied
        except IntegrityError as error:
            raise DatabaseUnavailableError("refused rows that contradict each other") from error


@contextmanager
def _snapshot(source: Database) -> Iterator[Connection]:
    """One view for all tables. SQLite's is one anyhow."""
    with source.read() as connection:
        if not source.is_sqlite:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection


def _copy(  # noqa: PLR0913 - as above
    reading: Connection,
    writing: Connection,
    *,
    keyring: Keyring | None,
    scan: Scan,
    now: datetime,
    tell: Progress,
) -> Copied:
    counts = {}
    erased = 0
    _check_empty(writing)
    for table in metadata.sorted_tables:
        if table is erasures:
            remember_erasures(writing, known_erasures(reading))
            continue
        counts[table.name] = _copy_table(reading, writing, table, tell)
        _set_sequence(writing, table)
    if known_erasures(writing):
        if keyring is None:
            raise CopyError(
                "persons were erased from one of the databases: "
                "set FORMAPP_SECRET_KEY, so that they are known again and stay erased"
            )
        erased = len(erase_again(writing, keyring, scan, now).own)
    return Copied(counts, erased)


def _check_still(source: Database, reading: Connection) -> None:
    """Whatever came to the source meanwhile would be lost."""
    with source.read() as fresh:
        for table in (submissions, deliveries, attempts, jobs):
            if _count(fresh, table) != _count(reading, table):
                raise CopyError(
                    "the database to copy from changed meanwhile: stop formapp first, then copy"
                )


def _check_empty(writing: Connection) -> None:
    """Also against another copy at the same time: PostgreSQL's lock lasts to the end."""
    if writing.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        writing.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    held = [
        table.name
        for table in metadata.sorted_tables
        if table is not erasures and writing.execute(select(table).limit(1)).first()
    ]
    if held:
        raise CopyError(
            f"the database to copy to is not empty (it has {', '.join(held)}): use an empty one"
        )


def _copy_table(reading: Connection, writing: Connection, table: Table, tell: Progress) -> int:
    total = _count(reading, table)
    done = 0
    query = select(table).order_by(*table.primary_key)
    with reading.execution_options(yield_per=BATCH).execute(query) as rows:
        for batch in rows.mappings().partitions(BATCH):
            writing.execute(insert(table), [dict(row) for row in batch])
            done += len(batch)
            tell(table.name, done, total)
    arrived = _count(writing, table)
    if not total == done == arrived:
        raise CopyError(f"{table.name}: {total} rows to copy, {arrived} arrived")
    return arrived


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _set_sequence(writing: Connection, table: Table) -> None:
    """Go on counting where the source stopped. SQLite does so by itself."""
    column: Any = table.autoincrement_column
    if writing.dialect.name != "postgresql" or column is None:
        return
    last = writing.execute(select(func.max(column))).scalar()
    if last:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        writing.execute(select(func.setval(sequence, last)))
