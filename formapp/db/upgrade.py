"""Bringing the database to the current schema, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from formapp.db.database import Database, DatabaseUnavailableError, lock_for_transaction
from formapp.db.revision import current_revision
from formapp.db.tables import REVISION

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x666F726D  # "form": several hosts may upgrade one PostgreSQL at once


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the schema to the current revision; safe to run twice and at once.

    Returns the revision before (None for an empty database) and after. Raises
    DatabaseUnavailableError also if the database is of a newer formapp.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            # Another host may take its time over a migration.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            lock_for_transaction(connection, _LOCK)
        before = current_revision(connection)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseUnavailableError("has the schema of a newer formapp") from error
        return before, current_revision(connection) or REVISION
