"""`formapp db`: the database."""

import click

from formapp.cli.wiring import one_line_errors, read_settings
from formapp.submissions.database import Database
from formapp.submissions.upgrade import upgrade as upgrade_schema


@click.group("db")
def command() -> None:
    """Look after the database."""


@command.command("upgrade")
def upgrade() -> None:
    """Bring the database to the current schema. May run several times, and at once."""
    with one_line_errors():
        database = Database(read_settings().database_url)
        before, after = upgrade_schema(database)
        database.close()
    if before == after:
        click.echo(f"The schema is current ({after}).")
    else:
        click.echo(f"Upgraded from {before or 'an empty database'} to {after}.")
