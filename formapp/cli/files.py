"""`formapp files`: the store of visitors' files."""

import sys

import click

from formapp.cli.output import echo
from formapp.cli.sites import now_in_utc
from formapp.cli.wiring import number_of, opened_database, store_of
from formapp.files.store import FileStoreError
from formapp.files.sweep import delete_erased, delete_orphans


@click.group("files")
def command() -> None:
    """Files that visitors sent with forms."""


@command.command("sweep")
@click.option("--force", is_flag=True, help="Also if most of the stored files would be deleted.")
def sweep(*, force: bool) -> None:
    """Delete contents that belong to no lead. Workers do so by themselves, every few hours."""
    with opened_database() as (settings, database):
        store, now = store_of(settings, database), now_in_utc()
        try:
            erased = delete_erased(database, store, now)
            orphans = delete_orphans(database, store, now, force=force)
        except FileStoreError as error:
            echo(f"formapp: the file store: {error}", err=True)
            sys.exit(1)
    if orphans.found > orphans.deleted:
        echo(
            f"{number_of(orphans.found, 'stored file')} belong to no lead of this database, most "
            "of all: none was deleted. If it is the right database, add --force.",
            err=True,
        )
        sys.exit(1)
    count = erased + orphans.deleted
    echo(f"{number_of(count, 'file')} deleted." if count else "Nothing to delete.")
