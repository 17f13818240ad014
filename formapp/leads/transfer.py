"""Copying everything from one database to another, of either kind.

All rows are read from one consistent view and written in one transaction: an interrupted copy
leaves the target as empty as it was. Persons who were erased in either database stay erased.
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
    files,
    jobs,
    metadata,
    state_counts,
    submissions,
)
from formapp.db.upgrade import upgrade
from formapp.leads.anonymize import truncate_log
from formapp.leads.erase import erase_again, find_erasures, remember_erasures
from formapp.signing import Keyring

_TABLES = [table for table in metadata.sorted_tables if table is not state_counts]
"""Those that are copied: the target's own triggers count what arrives."""

BATCH = 500
"""Rows that are read and written at a time."""

Progress = Callable[[str, int, int], None]
"""Receives a table's name, how many of its rows are written, and how many there are."""


class CopyError(Exception):
    """Nothing was copied; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: rows of each table, and submissions that were erased again."""

    rows: dict[str, int]
    erased: int


def copy_all(
    source: Database,
    target: Database,
    *,
    keyring: Keyring | None,
    now: datetime,
    progress: Progress,
) -> Copied:
    """Copy every table to a target that holds erasures at most, after upgrading its schema.

    Raises CopyError if the source has another schema or was still in use, the target holds data,
    rows were lost on the way, or persons were erased and the keyring is missing.
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
                copied = _copy(reading, writing, keyring, now, progress)
                _check_unchanged(source, reading)
        except IntegrityError as error:
            raise DatabaseUnavailableError("refused rows that contradict each other") from error
    truncate_log(target)
    return copied


@contextmanager
def _snapshot(source: Database) -> Iterator[Connection]:
    """One view for all tables, which SQLite's transactions give by themselves."""
    with source.read() as connection:
        if not source.is_sqlite:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection


def _copy(
    reading: Connection,
    writing: Connection,
    keyring: Keyring | None,
    now: datetime,
    progress: Progress,
) -> Copied:
    _check_empty(writing)
    counts = {}
    for table in _TABLES:
        if table is erasures:
            remember_erasures(writing, find_erasures(reading))
        else:
            counts[table.name] = _copy_table(reading, writing, table, progress)
            _set_sequence(writing, table)
    if not find_erasures(writing):
        return Copied(counts, erased=0)
    if keyring is None:
        raise CopyError(
            "persons were erased from one of the databases: "
            "set FORMAPP_SECRET_KEY, so that they are recognized and stay erased"
        )
    return Copied(counts, erased=len(erase_again(writing, keyring, now).own))


def _check_unchanged(source: Database, reading: Connection) -> None:
    """Refuse a source in use: rows that came meanwhile would be lost."""
    with source.read() as fresh:
        for table in (submissions, deliveries, attempts, jobs, files):
            if _count(fresh, table) != _count(reading, table):
                raise CopyError(
                    "the database to copy from changed meanwhile: stop formapp first, then copy"
                )


def _check_empty(writing: Connection) -> None:
    """Refuse a target that holds data. PostgreSQL's lock keeps other copies out to the end."""
    if writing.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        writing.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    held = [
        table.name
        for table in _TABLES
        if table is not erasures and writing.execute(select(table).limit(1)).first()
    ]
    if held:
        raise CopyError(
            f"the database to copy to is not empty (it has {', '.join(held)}): use an empty one"
        )


def _copy_table(reading: Connection, writing: Connection, table: Table, progress: Progress) -> int:
    total, done = _count(reading, table), 0
    query = select(table).order_by(*table.primary_key)
    with reading.execution_options(yield_per=BATCH).execute(query) as rows:
        for batch in rows.mappings().partitions(BATCH):
            writing.execute(insert(table), [dict(row) for row in batch])
            done += len(batch)
            progress(table.name, done, total)
    arrived = _count(writing, table)
    if not total == done == arrived:
        raise CopyError(f"{table.name}: {total} rows to copy, {arrived} arrived")
    return arrived


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _set_sequence(writing: Connection, table: Table) -> None:
    """Continue ids where the source stopped, which SQLite does by itself."""
    column: Any = table.autoincrement_column
    if writing.dialect.name != "postgresql" or column is None:
        return
    last = writing.execute(select(func.max(column))).scalar()
    if last:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        writing.execute(select(func.setval(sequence, last)))
