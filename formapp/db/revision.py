"""The revision of a database's schema, without Alembic, which only an upgrade needs."""

from sqlalchemy import Connection, inspect, text

from formapp.db.database import Database
from formapp.db.tables import REVISION, metadata


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at, or None if it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_empty(database: Database) -> bool:
    with database.read() as connection:
        return not set(inspect(connection).get_table_names()) & set(metadata.tables)


def is_current(database: Database) -> bool:
    with database.read() as connection:
        return current_revision(connection) == REVISION
