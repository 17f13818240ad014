"""Where contents are by the settings: in a folder, or in an S3-compatible store."""

from pathlib import Path

from formapp.db.database import Database
from formapp.files.s3 import SCHEME, S3Access, S3Store
from formapp.files.store import FileStore, FolderStore

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
