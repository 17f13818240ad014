"""Bringing the database to the current schema, and telling whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from formapp.submissions.database import Database, DatabaseUnavailable
from formapp.submissions.schema import REVISION, metadata

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x666F726D  # "form": several hosts may upgrade one PostgreSQL at once


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the schema to the current revision; safe to run twice and at once.

    Returns:
        The revision before (None for an empty database) and after.

    Raises:
        DatabaseUnavailable: if the database can't be reached or written, or is of a newer formapp.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            # Another host may take its time over a migration.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = current_revision(connection)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseUnavailable("has the schema of a newer formapp") from error
        return before, current_revision(connection) or REVISION


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at, or None if it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_empty(database: Database) -> bool:
    """Whether the database holds none of formapp's tables."""
    with database.read() as connection:
        return not set(inspect(connection).get_table_names()) & set(metadata.tables)


def is_current(database: Database) -> bool:
    """Whether the schema is the one that this formapp was written for."""
    with database.read() as connection:
        return current_revision(connection) == REVISION
