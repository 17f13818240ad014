"""The current schema for a database, in tests that are about something else."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy import URL

from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from tests.support.postgres import create_database

MIGRATED = "migrated"
"""PostgreSQL's database with the schema, of which others are copies."""


def give_schema(database: Database) -> None:
    """Bring a database up to date: a new one as a copy of one that was migrated before.

    All migrations take 20 ms with SQLite and 150 with PostgreSQL, and thousands of tests begin with
    them.
    """
    file = Path(database.url.database or "")
    if database.is_sqlite and not file.exists():
        file.write_bytes(_migrated())
    elif not database.is_sqlite and _is_new(database.url):
        _copy_to(database.url)
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


def _is_new(url: URL) -> bool:
    with psycopg.connect(_address(url)) as connection:
        found = connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public' LIMIT 1")
        return found.rowcount == 0


def _copy_to(url: URL) -> None:
    """Replace an empty database of PostgreSQL by a copy."""
    server = url.set(database="postgres")
    _migrate_on(server)
    with psycopg.connect(_address(server), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{url.database}"'.encode())
        create_database(connection, url.database or "", MIGRATED)


@cache
def _migrate_on(server: URL) -> None:
    with psycopg.connect(_address(server), autocommit=True) as connection:
        create_database(connection, MIGRATED)
    url = server.set(database=MIGRATED)
    database = Database(url.render_as_string(hide_password=False))
    upgrade(database)
    database.close()


def _address(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
