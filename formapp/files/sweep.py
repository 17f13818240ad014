"""Deleting contents: of erased leads, of forms that were never sent, of crashes."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import delete, select

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.tables import files
from formapp.files.records import FileState, erase_where
from formapp.files.store import FileStore, FileStoreError

EVERY = timedelta(minutes=5)
"""How often a worker deletes the contents of erased files."""

ORPHANS_EVERY = timedelta(hours=6)
GRACE = timedelta(hours=1)
"""A content younger than this may get its row yet: no request takes so long."""

BATCH = 200
MOST_ORPHANS = 100
"""More than this, and more than half of all: the database is more likely wrong than the store."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Orphans:
    """Contents without a row.

    Attributes:
        found: how many there are.
        deleted: how many of them were deleted; none if they are suspiciously many.
    """

    found: int
    deleted: int


def delete_erased(database: Database, store: FileStore, now: datetime) -> int:
    """Delete erased files, and staged ones whose time is over; returns how many.

    First the contents and then the rows: if this is interrupted, the next run continues.
    """
    is_over = files.c.submission_id.is_(None) & (files.c.expires_at <= now)
    is_erased = files.c.state == FileState.ERASED
    with database.write() as connection:
        erase_where(connection, is_over & ~is_erased, now)
    query = select(files.c.id, files.c.storage_key).where(is_over, is_erased).limit(BATCH)
    count = 0
    while True:
        with database.read() as connection:
            batch = connection.execute(query).all()
        if not batch:
            return count
        for row in batch:
            store.delete(row.storage_key)
        with database.write() as connection:
            connection.execute(delete(files).where(files.c.id.in_([row.id for row in batch])))
        count += len(batch)


def delete_at_once(database: Database, store: FileStore, now: datetime) -> None:
    """Delete the contents of what was just erased; a worker repeats what fails."""
    try:
        delete_erased(database, store, now)
    except (FileStoreError, DatabaseUnavailableError) as error:
        _log.error("erased files are deleted later: %s", error)


def sweep(database: Database, store: FileStore, now: datetime) -> None:
    """Delete what crashes left behind, as a worker's periodic task."""
    store.sweep_spools(now - GRACE)
    delete_orphans(database, store, now)


def delete_orphans(
    database: Database, store: FileStore, now: datetime, *, force: bool = False
) -> Orphans:
    """Delete contents that no row names, which a crash left behind, or a restored back-up.

    An empty or older database by mistake must not cost all files: where most of them would go,
    none does unless `force` says so.
    """
    old, total, orphans = store.keys(now - GRACE), 0, list[str]()
    while batch := list(islice(old, BATCH)):
        total += len(batch)
        with database.read() as connection:
            query = select(files.c.storage_key).where(files.c.storage_key.in_(batch))
            orphans += set(batch).difference(connection.scalars(query))
    if len(orphans) > max(MOST_ORPHANS, total / 2) and not force:
        _log.error(
            "%d of %d stored files belong to no lead of this database: none was deleted; if it is "
            "the right database, run `formapp files sweep --force`",
            len(orphans),
            total,
        )
        return Orphans(len(orphans), deleted=0)
    for key in orphans:
        store.delete(key)
    if orphans:
        _log.info("deleted %d stored files that belonged to no lead", len(orphans))
    return Orphans(len(orphans), deleted=len(orphans))
