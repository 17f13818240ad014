"""Erasing a person, at their own request, for good.

A keyed hash of the person stays behind, with the time. Whatever came before that time and turns up
again, from an older copy or a back-up, is erased again; what the person sends afterwards is new.
"""

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from formapp.db.database import Database
from formapp.db.tables import contacts, deliveries, erasures, submissions
from formapp.db.upsert import upsert
from formapp.keyring import Keyring
from formapp.leads.anonymize import Anonymized, anonymize, lock
from formapp.leads.persons import (
    Hits,
    Progress,
    Scan,
    Wanted,
    search,
    struck_out,
    submission_rows,
)

_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Known:
    """One hash of a person who was erased: by which key, and when."""

    hash: str
    key: str
    erased_at: datetime


@dataclass(slots=True)
class Erasure:
    """What was erased.

    Attributes:
        own: the person's submissions.
        struck_out: ids of other people's submissions that mentioned the person.
        remembered: ids of contacts that were remembered as this person's, as (site, contact id).
        same_phone: ids of submissions that have the same phone and are kept: perhaps the person's.
    """

    own: list[Anonymized] = field(default_factory=list)
    struck_out: list[str] = field(default_factory=list)
    remembered: set[tuple[str, str]] = field(default_factory=set)
    same_phone: list[str] = field(default_factory=list)

    @property
    def contacts(self) -> list[tuple[str, str]]:
        """The person's contacts at Wix, as (site, contact id), each once."""
        delivered = {(row.site, row.contact_id) for row in self.own if row.contact_id}
        return sorted(delivered | self.remembered)


def find_person(database: Database, identities: Collection[str], scan: Scan) -> Hits:
    """What `erase_person` would erase; nothing is changed.

    Raises:
        DatabaseUnavailableError: it can't be read.
    """
    with database.read() as connection:
        return search(connection, _any_of(identities), scan)


def erase_person(  # noqa: PLR0913 - collaborators, all by keyword
    database: Database,
    identities: Collection[str],
    *,
    keyring: Keyring,
    scan: Scan,
    now: datetime,
    progress: Progress = lambda _count: None,
) -> Erasure:
    """Erase all that is kept of a person, whatever its state, in one transaction.

    Args:
        database: where.
        identities: their address, number, or several, normalised.
        keyring: makes the hashes that stay.
        scan: finds who is named in a text.
        now: the time.
        progress: told how many submissions have been looked at.

    Raises:
        DatabaseUnavailableError: nothing was erased.
    """
    wanted = _any_of(identities)
    # Looking takes its time; only erasing needs the write lock.
    with database.read() as connection:
        hits = search(connection, wanted, scan, progress=progress)
    with database.write() as connection:
        done = _apply(connection, hits, wanted, scan, now)
        for identity in sorted(identities):
            _remember(connection, Known(keyring.sign(identity), keyring.names[0], now))
            done.remembered |= _forget(connection, identity)
        done.same_phone = _with_phones(connection, done.own)
    scrub(database)
    return done


def erase_again(
    connection: Connection,
    keyring: Keyring,
    scan: Scan,
    now: datetime,
    progress: Progress = lambda _count: None,
) -> Erasure:
    """Erase those who were erased before and have come back, in the caller's transaction."""
    known = {row.hash: row.erased_at for row in connection.execute(select(erasures))}
    if not known:
        return Erasure()

    def wanted(identity: str, received_at: datetime) -> bool:
        times = (known.get(each) for each in keyring.hashes(identity))
        return any(time and received_at <= time for time in times)

    hits = search(connection, wanted, scan, before=max(known.values()), progress=progress)
    done = _apply(connection, hits, wanted, scan, now)
    for row in connection.execute(select(contacts)).all():
        if wanted(row.identity, row.updated_at):
            done.remembered |= _forget(connection, row.identity)
    return done


def known_erasures(connection: Connection) -> list[Known]:
    """The hashes that are kept, in the order of their times."""
    rows = connection.execute(select(erasures).order_by(erasures.c.erased_at, erasures.c.hash))
    return [Known(row.hash, row.key, row.erased_at) for row in rows]


def remember_erasures(connection: Connection, known: Iterable[Known]) -> None:
    """Add hashes from elsewhere; of two times the later one holds."""
    held = {each.hash: each.erased_at for each in known_erasures(connection)}
    for each in known:
        if each.hash not in held or held[each.hash] < each.erased_at:
            _remember(connection, each)


def scrub(database: Database) -> None:
    """Empty SQLite's log, where erased text may still stand; its file is overwritten anyhow.

    Where somebody reads just then, the log is emptied later by itself. PostgreSQL frees erased rows
    by its own VACUUM.
    """
    if database.is_sqlite:
        with database.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            # What was committed stays so, whatever becomes of this.
            with contextlib.suppress(sqlite3.Error):
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _any_of(identities: Collection[str]) -> Wanted:
    return lambda identity, _received_at: identity in identities


def _apply(
    connection: Connection, hits: Hits, wanted: Wanted, scan: Scan, now: datetime
) -> Erasure:
    done = Erasure()
    for chunk in _chunks(hits.own):
        done.own += anonymize(connection, chunk, now, consents=True)
    for chunk in _chunks(hits.mention):
        done.struck_out += _strike(connection, chunk, wanted, scan)
    return done


def _chunks(idents: Sequence[str]) -> Iterable[Sequence[str]]:
    return (idents[at : at + _CHUNK] for at in range(0, len(idents), _CHUNK))


def _strike(connection: Connection, idents: Sequence[str], wanted: Wanted, scan: Scan) -> list[str]:
    lock(connection, idents)
    rows = connection.execute(submission_rows().where(submissions.c.id.in_(idents))).all()
    for row in rows:
        left = struck_out(row, wanted, scan)
        reason = left.pop("reason")
        # Key and digest go, too: a digest of the answers would still know the mention.
        connection.execute(
            update(submissions)
            .where(submissions.c.id == row.id)
            .values(**left, key=None, digest="")
        )
        connection.execute(
            update(deliveries).where(deliveries.c.submission_id == row.id).values(reason=reason)
        )
    return [row.id for row in rows]


def _remember(connection: Connection, known: Known) -> None:
    values = {"key": known.key, "erased_at": known.erased_at}
    upsert(connection, erasures, {"hash": known.hash}, values)


def _forget(connection: Connection, identity: str) -> set[tuple[str, str]]:
    mine = contacts.c.identity == identity
    found = connection.execute(select(contacts.c.site, contacts.c.contact_id).where(mine)).all()
    connection.execute(delete(contacts).where(mine))
    return {(row.site, row.contact_id) for row in found}


def _with_phones(connection: Connection, own: Sequence[Anonymized]) -> list[str]:
    phones = sorted({row.phone for row in own if row.phone})
    query = select(deliveries.c.submission_id).where(deliveries.c.phone.in_(phones))
    return list(connection.execute(query.order_by(deliveries.c.id)).scalars())
