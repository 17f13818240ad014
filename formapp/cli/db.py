"""`formapp db`: the database."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import click

from formapp.cli.output import echo
from formapp.cli.wiring import (
    keyring_of,
    naming_place,
    number_of,
    one_line_errors,
    read_settings,
    store_of,
)
from formapp.config.checks import database as checked_address
from formapp.db.database import Database
from formapp.db.upgrade import upgrade as upgrade_schema
from formapp.files.places import copy_contents
from formapp.files.store import FileStoreError
from formapp.leads.transfer import CopyError, copy_all


@click.group("db")
def command() -> None:
    """Look after the database."""


@command.command("upgrade")
def upgrade() -> None:
    """Bring the database to the current schema. May run several times, and at once."""
    with one_line_errors():
        database = Database(read_settings().database_url)
        with naming_place(database):
            before, after = upgrade_schema(database)
        database.close()
    if before == after:
        echo(f"The schema is current ({after}).")
    else:
        echo(f"Upgraded from {before or 'an empty database'} to {after}.")


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return checked_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@command.command("copy")
@click.argument("source", metavar="FROM", callback=_address)
@click.argument("target", metavar="TO", callback=_address)
def copy(source: str, target: str) -> None:
    """Copy all data from one database to another, empty one; stop formapp first.

    FROM and TO are addresses such as sqlite:///formapp.db and postgresql+psycopg://user@host/name.
    Nothing in FROM is changed. An interrupted copy leaves TO empty.
    """
    with one_line_errors():
        settings = read_settings()
        databases = Database(source, must_exist=True), Database(target)
        try:
            stores = [store_of(settings, each) for each in databases]
            contents = copy_contents(databases[0], *stores) if settings.files is None else 0
            copied = copy_all(
                *databases,
                keyring=keyring_of(settings),
                now=datetime.now(UTC),
                progress=_progress(),
            )
        except FileStoreError as error:
            raise click.ClickException(f"the file store: {error}") from error
        except CopyError as error:
            raise click.ClickException(str(error)) from error
        finally:
            for database in databases:
                database.close()
    echo(f"Copied {copied.rows['submissions']} submissions, {sum(copied.rows.values())} rows.")
    if contents:
        echo(f"Copied {number_of(contents, 'file')} to the folder beside it.")
    if copied.erased:
        echo(f"{copied.erased} of them were erased again, as their senders had asked.")


def _progress() -> Callable[[str, int, int], None]:
    """Report on standard error: the end of each table, and at most every second in between."""
    last = time.monotonic()

    def report(table: str, done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > 1:
            last = time.monotonic()
            echo(f"{table}: {done} of {total}", err=True)

    return report
