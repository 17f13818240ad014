"""Copying contents to another store, under the same keys."""

import shutil

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import files
from formapp.files.records import FileState
from formapp.files.store import ContentMissingError, FileStore


def copy_contents(source: Database, from_store: FileStore, to_store: FileStore) -> int:
    """Copy the contents that the rows of a database name; returns how many were new there.

    Before its rows are copied, so that none lacks its content. Raises FileStoreError.
    """
    count = 0
    with source.read() as connection:
        query = select(files.c.storage_key).where(files.c.state != FileState.ERASED)
        keys = [*connection.scalars(query.order_by(files.c.id))]
    for key in keys:
        if to_store.stat(key):
            continue
        try:
            with from_store.open(key) as content, to_store.spool() as spool:
                shutil.copyfileobj(content, spool)
                to_store.put(spool, key)
        except ContentMissingError:
            continue  # erased since
        count += 1
    return count
