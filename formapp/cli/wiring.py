"""The composition root of the commands: settings to collaborators, known failures to one line."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NoReturn

import click

from formapp.cli.output import echo
from formapp.config.settings import PREFIX, Settings, SettingsError
from formapp.crm.digests import PURPOSE, Digests
from formapp.db.database import Database, DatabaseMissingError, DatabaseUnavailableError
from formapp.db.revision import is_current, is_empty
from formapp.db.upgrade import upgrade
from formapp.files.links import FileAddresses, FileLinkSigner
from formapp.files.places import open_store
from formapp.files.store import FileStore
from formapp.forms.definition.parse import FormFilesError
from formapp.mail.limit import MailLimit
from formapp.signing import COUNTED, Keyring

END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a command: a service manager, Ctrl+C, the end of a terminal."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what an owner can correct into lines on standard error and exit code 1."""
    try:
        yield
    except SettingsError as error:
        _fail("the settings are wrong:", *error.faults)
    except FormFilesError as error:
        _fail(f"{error.kind} files are wrong:", *(str(fault) for fault in error.faults))
    except DatabaseUnavailableError as error:
        _fail(f"the database {error}")


@contextmanager
def opened_database(
    *errors: type[Exception], create: bool = False, wix: bool = False
) -> Iterator[tuple[Settings, Database]]:
    """Settings and database; these errors become one line, as those of `one_line_errors`."""
    with one_line_errors():
        settings = read_settings(wix=wix)
        with closing(open_database(settings, create=create)) as database:
            try:
                yield settings, database
            except errors as error:
                raise click.ClickException(str(error)) from None


@contextmanager
def listening_on(host: str, port: int) -> Iterator[None]:
    """Turn a failure to listen into a line on standard error and exit code 1."""
    try:
        yield
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        _fail(f"{host}:{port} can't be listened on: {reason}")


def _fail(*lines: str) -> NoReturn:
    for line in lines:
        echo(line if line.startswith("FORMAPP_") else f"formapp: {line}", err=True)
    sys.exit(1)


def read_settings(*, web: bool = False, wix: bool = False) -> Settings:
    """Read the settings from the environment; raises SettingsError with all that is wrong."""
    return Settings.read(os.environ, web=web, wix=wix)


def open_database(settings: Settings, *, create: bool = False) -> Database:
    """Open the database; an older one its owner has to upgrade.

    A missing or empty one is only created with the schema if that is asked for: else SettingsError.
    """
    database = Database(settings.database_url, must_exist=not create)
    try:
        with naming_place(database):
            missing = is_empty(database)
    except DatabaseMissingError:
        missing = True
    if missing and not create:
        advice = "correct the setting, or create a new one with `formapp db upgrade`"
        fault = f"there is no database of formapp at {database.place}; {advice}"
        raise SettingsError([f"{PREFIX}DATABASE_URL: {fault}"])
    if missing:
        upgrade(database)
    elif not is_current(database):
        raise DatabaseUnavailableError("has an older schema: run `formapp db upgrade`")
    return database


@contextmanager
def naming_place(database: Database) -> Iterator[None]:
    """Add to an error where the setting says that the database is."""
    try:
        yield
    except DatabaseMissingError:
        raise
    except DatabaseUnavailableError as error:
        advice = f"check {database.place}, or correct {PREFIX}DATABASE_URL"
        raise DatabaseUnavailableError(f"{error}; {advice}") from error


def file_addresses(settings: Settings) -> FileAddresses | None:
    """What makes the links to files that owners get; None without an address or a key of ours."""
    if settings.base_url is None or not settings.keys:
        return None
    return FileAddresses(FileLinkSigner(settings.keys), settings.base_url, settings.keep_days)


def store_of(settings: Settings, database: Database) -> FileStore:
    return open_store(settings.files, settings.s3_access, database)


def keyring_of(settings: Settings) -> Keyring | None:
    """The keys that recognize erased persons; None without a secret key."""
    return Keyring(settings.keys) if settings.keys else None


def digests_of(settings: Settings) -> Digests:
    """What recognizes values in CRM books; the settings must have a secret key."""
    return Digests(Keyring(settings.keys, PURPOSE))


def limit_of(settings: Settings, database: Database) -> MailLimit:
    """The limit of mails to visitors; the settings must have a secret key."""
    return MailLimit(database, Keyring(settings.keys, COUNTED))


def number_of(count: int, noun: str) -> str:
    """Such as `1 submission` and `2 submissions`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at a signal, instead of ending in the middle of something."""

    def handle(_number: int, _frame: object) -> None:
        stop()

    for number in END_SIGNALS:
        # `nohup` has it ignored.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)


def exit_on_signals() -> None:
    """Until there is something to stop, a signal ends the command at once, with 0."""
    on_signals(lambda: sys.exit(0))


def ignore_signals() -> None:
    """Everything has ended: a further signal must not spoil the exit code."""
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
