"""Where contents are by the settings: in a folder, or in an S3-compatible store."""

import shutil
from pathlib import Path

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import files
from formapp.files.records import FileState
from formapp.files.s3 import SCHEME, S3Access, S3Store
from formapp.files.store import ContentMissingError, FileStore, FolderStore

FOLDER = "formapp-files"


def open_store(place: str | None, access: S3Access, database: Database) -> FileStore:
    """Return the store at a place; None: the folder beside the database's file.

    With PostgreSQL that is a folder of the working directory. Nothing is made or reached yet.
    """
    if place and place.startswith(SCHEME):
        return S3Store(place, access)
    if place:
        return FolderStore(Path(place).absolute())
    beside = Path(database.place).parent if database.is_sqlite else Path.cwd()
    return FolderStore(beside / FOLDER)


def copy_contents(source: Database, from_store: FileStore, to_store: FileStore) -> int:
    """Copy the contents that the rows of a database name, under the same keys.

    Before its rows are copied, so that none lacks its content. Returns how many were new there;
    raises FileStoreError.
    """
    count = 0
    with source.read() as connection:
        query = select(files.c.storage_key).where(files.c.state != FileState.ERASED)
        keys = [*connection.scalars(query.order_by(files.c.id))]
    for key in keys:
        if to_store.has(key):
            continue
        try:
            with from_store.open(key) as content, to_store.spool() as spool:
                shutil.copyfileobj(content, spool)
                to_store.put(spool, key)
        except ContentMissingError:
            continue  # erased since
        count += 1
    return count
