"""The composition root of CRM books: settings to books, and a book to both of its systems."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from standardwebhooks.webhooks import EmptyWebhookSecretError

from formapp.cli.sites import now_in_utc, sites_of
from formapp.config.project import Project
from formapp.config.settings import PREFIX, Settings, SettingsError
from formapp.config.sites import DEFAULT_SITE
from formapp.crm import sync
from formapp.crm.books import (
    BookFilesError,
    Secrets,
    SecretsError,
    load_books,
    read_secrets,
    variable,
)
from formapp.crm.digests import PURPOSE, Digests
from formapp.crm.model import Book
from formapp.crm.session import Session
from formapp.crm.system import System
from formapp.crm.systems.carddav import CardDavSystem
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.hubspot import HubSpotSystem
from formapp.crm.systems.webhook import WebhookSystem
from formapp.crm.systems.wix import WixSystem
from formapp.crm.systems.wix_calls import Client, Wait, WixCalls, limited_client
from formapp.db.database import Database
from formapp.forms.definition.explain import one_of, suggestion
from formapp.monitoring.metrics import Metrics
from formapp.signing import Keyring

_log = logging.getLogger(__name__)


class UnknownBookError(Exception):
    """There is no such book; the text says which there are."""


def sleep(seconds: float) -> bool:
    """Wait in the foreground."""
    time.sleep(seconds)
    return False


def find_book(settings: Settings, name: str) -> Book:
    """The book of this name; raises UnknownBookError, BookFilesError."""
    books = books_of(settings)
    if name not in books:
        known = suggestion(name, books) or f"the books are {one_of(sorted(books), 'and')}"
        raise UnknownBookError(f'there is no book "{name}"; {known}')
    return books[name]


def books_of(settings: Settings) -> dict[str, Book]:
    """All books by name; raises BookFilesError, UnknownBookError where there is no folder."""
    folder = settings.crm_folder
    if folder is None:
        reason = f"there are no books: {PREFIX}CRM names no folder, and none is beside the forms"
        raise UnknownBookError(reason)
    return load_folder(folder, settings.project)


def load_folder(folder: Path, project: Project) -> dict[str, Book]:
    """The books of a folder; a site that doesn't exist is one of the faults."""
    return load_books(folder, sorted(project.sites or {DEFAULT_SITE}))


@dataclass(frozen=True, slots=True)
class OpenBook:
    """A book with both systems, for one thread; `calls.stop` ends those to Wix from any thread."""

    session: Session
    calls: WixCalls

    def close(self) -> None:
        self.session.wix.close()
        self.session.crm.close()


def open_book(  # noqa: PLR0913 - collaborators, all by keyword
    book: Book,
    *,
    settings: Settings,
    database: Database,
    metrics: Metrics,
    wait: Wait = sleep,
    patient: bool = False,
) -> OpenBook:
    """Open both sides; this sends no call. Raises SecretsError, SettingsError."""
    (site,) = (each for each in sites_of(settings) if each.name == book.site)
    client = limited_client(site, database, now_in_utc, metrics)
    report = partial(metrics.book_calls, book.name)
    return connect_book(book, client, settings, database, wait=wait, patient=patient, report=report)


def connect_book(  # noqa: PLR0913 - collaborators
    book: Book,
    client: Client,
    settings: Settings,
    database: Database,
    *,
    wait: Wait = sleep,
    patient: bool = False,
    environ: Mapping[str, str] = os.environ,
    report: Callable[[str, int], None] = lambda _work, _calls: None,
) -> OpenBook:
    """As `open_book`, by this client of Wix."""
    if not settings.keys:
        fault = f"{PREFIX}SECRET_KEY: is missing; CRM books keep keyed digests in place of values"
        raise SettingsError([fault])
    crm = open_system(book, read_secrets(book, environ), database, wait)
    calls = WixCalls(client, clock=now_in_utc, wait=wait, patient=patient)
    digests = Digests(Keyring(settings.keys, PURPOSE))
    session = Session(
        book,
        WixSystem(book, calls),
        crm,
        database,
        digests,
        now_in_utc,
        make_room=calls.make_room,
        calls=lambda: calls.made,
        report=report,
    )
    return OpenBook(session, calls)


class BookRunner:
    """Works for one book in a thread of its own: a slow system holds up no lead, no other book.

    `stop` may be called from any thread.
    """

    def __init__(self, open_it: Callable[..., OpenBook]) -> None:
        self._stopping = threading.Event()
        self._open = partial(open_it, wait=self._stopping.wait)
        self._opened: OpenBook | None = None

    def run_next(self) -> bool:
        """Do the next thing that is due; False if there is none."""
        if self._stopping.is_set():
            return False
        self._opened = self._opened or self._open()
        return sync.pass_once(self._opened.session)

    def stop(self) -> None:
        """Make the work in hand end soon: its link is claimed again later."""
        self._stopping.set()
        if self._opened:
            self._opened.calls.stop()


def book_runners(settings: Settings, database: Database, metrics: Metrics) -> list[BookRunner]:
    """One for each book that can be used; why another can't is logged, and leads go on."""
    if settings.crm_folder is None:
        return []
    try:
        books = books_of(settings)
    except BookFilesError as error:
        for fault in error.faults:
            _log.error("no CRM book is worked for: %s", fault)
        return []
    runners = []
    for book in books.values():
        open_it = partial(open_book, book, settings=settings, database=database, metrics=metrics)
        try:
            open_it().close()
        except (SecretsError, SettingsError) as error:
            for line in error.faults:
                _log.error("the CRM book %s waits: %s", book.name, line)
        else:
            runners.append(BookRunner(open_it))
    return runners


def open_system(book: Book, secrets: Secrets, database: Database, wait: Wait = sleep) -> System:
    """Open the side that isn't Wix; this sends no call. May raise SecretsError."""
    match book.system:
        case "carddav":
            auth = (secrets.username, secrets.password) if secrets.username else None
            return CardDavSystem(book, HttpCalls(auth=auth))
        case "webhook":
            return _open_webhook(book, secrets, database)
        case "hubspot":
            return HubSpotSystem(book, HttpCalls(token=secrets.token), now_in_utc, wait)
    raise NotImplementedError(f"a book may name the system {book.system}, and nothing opens it")


def _open_webhook(book: Book, secrets: Secrets, database: Database) -> System:
    try:
        return WebhookSystem(book, secrets.secret, HttpCalls(), database, now_in_utc)
    except (ValueError, EmptyWebhookSecretError):
        fault = "is no secret of Standard Webhooks (whsec_ and base64)"
        raise SecretsError([f"{variable(book.name, 'SECRET')}: {fault}"]) from None
