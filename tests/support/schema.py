"""The current schema for a database, in tests that are about something else."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from formapp.db.database import Database
from formapp.db.upgrade import upgrade


def give_schema(database: Database) -> None:
    """Bring a database up to date: a new one of SQLite as a copy of one that was migrated before.

    All migrations take 18 ms, and thousands of tests begin with them.
    """
    file = Path(database.url.database or "")
    if database.is_sqlite and not file.exists():
        file.write_bytes(_migrated())
    else:
        upgrade(database)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "formapp.db"
        database = Database(f"sqlite:///{file}")
        upgrade(database)
        database.close()
        return file.read_bytes()
