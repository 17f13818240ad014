"""`formapp users`: who may sign in to the inbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from formapp.cli.output import echo
from formapp.cli.wiring import opened_database
from formapp.users.store import Role, UserError, Users

_password_file = click.option(
    "--password-file",
    type=click.File("r"),
    help="A file whose first line is the password (- is standard input); else you are asked.",
)


@click.group("users")
def command() -> None:
    """Add, list and remove the people who may sign in to the inbox."""


@contextmanager
def _opened() -> Iterator[Users]:
    with opened_database(UserError) as (settings, database):
        password = settings.owner_password
        yield Users(database, password.get_secret_value() if password else None)


@command.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["owner", "reader"]),
    default="reader",
    show_default=True,
    help="An owner may do everything; a reader may look and export.",
)
@click.option("--site", "sites", multiple=True, help="Only the leads of this site; repeatable.")
@_password_file
@click.option(
    "--without-password", is_flag=True, help="For people whom a proxy signs in by its header."
)
def add_user(
    name: str,
    role: Role,
    sites: tuple[str, ...],
    password_file: TextIO | None,
    *,
    without_password: bool,
) -> None:
    """Let NAME sign in to the inbox."""
    if password_file and without_password:
        raise click.UsageError("give --password-file or --without-password, not both")
    with _opened() as users:
        password = None if without_password else _password(password_file)
        users.add(name, password, role=role, sites=sites or None)
    echo(f"{name} may sign in as {role}")


@command.command("list")
def list_users() -> None:
    """List who may sign in, with role and sites."""
    with _opened() as users:
        found = users.list_all()
    for user in found:
        sites = "all sites" if user.sites is None else ", ".join(user.sites)
        by = "" if user.has_password else "  by the proxy's header only"
        echo(f"{user.name}  {user.role}  {sites}{by}")
    if not found:
        echo("There is no user: set FORMAPP_OWNER_PASSWORD, or run `formapp users add NAME`.")


@command.command("password")
@click.argument("name")
@_password_file
def change_password(name: str, password_file: TextIO | None) -> None:
    """Give NAME another password, which ends their sessions."""
    with _opened() as users:
        users.change_password(name, _password(password_file))
    echo(f"{name} has another password; their sessions are ended")


@command.command("remove")
@click.argument("name")
def remove_user(name: str) -> None:
    """Let NAME sign in no longer; their sessions end at once."""
    with _opened() as users:
        users.remove(name)
    echo(f"{name} is removed")


def _password(file: TextIO | None) -> str:
    if file is None:
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    return file.readline().rstrip("\r\n")
