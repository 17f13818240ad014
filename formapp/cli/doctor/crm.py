"""CRM books: their files, secrets, both systems, and whether webhooks come."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta

from sqlalchemy import func, select

from formapp.cli.books import OpenBook, UnknownBookError, books_of, connect_book
from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.cli.sites import TIMEOUTS, auth_of
from formapp.config.settings import BOOKS, Settings
from formapp.crm.books import BookFilesError, SecretsError, all_variables
from formapp.crm.events import wix_source
from formapp.crm.model import Book
from formapp.crm.system import CrmError
from formapp.db.database import Database, DatabaseMissingError, DatabaseUnavailableError
from formapp.db.revision import is_current
from formapp.db.tables import crm_events
from formapp.delivery.sites import MAX_RESPONSE
from formapp.forms.definition.explain import suggestion
from formapp.http import DeadlineAdapter
from formapp.wix import WixContacts

_SILENT = timedelta(days=2)
"""Wix sends an event again for two days at most."""


class _Unlimited:
    """A client outside the rate budget, which is in the database: the doctor writes nothing."""

    def __init__(self, wix: WixContacts) -> None:
        self.wix = wix
        self.calls = ()  # not counted, either

    def begin(self) -> None:
        """There is always room."""

    def close(self) -> None:
        """Nothing to stop."""


def check_books(settings: Settings, environ: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """Check every book: by calls that only read."""
    if settings.crm_folder is None:
        yield from _check_variables({}, environ)
        return
    try:
        books = books_of(settings)
    except (BookFilesError, UnknownBookError) as error:
        for line in str(error).splitlines():
            yield fault("crm", line, "correct it: see `formapp crm check`")
        return
    yield from _check_variables(books, environ)
    with closing(Database(settings.database_url)) as database:
        heard = _read_heard(database)
        for book in books.values():
            yield from _check_book(book, settings, database, environ)
        if settings.wix_public_key:
            sites = dict.fromkeys(b.site for b in books.values() if b.mode == "two-way")
            for site in sites:
                yield from _check_heard(site, heard.get(wix_source(site)), now)


def _check_variables(books: Mapping[str, Book], environ: Mapping[str, str]) -> Iterator[Finding]:
    known = {name for book in books for name in all_variables(book)}
    for name in sorted(environ):
        if name.startswith(BOOKS) and name.removesuffix("_FILE") not in known:
            advice = suggestion(name, known) or "remove it, or name a book so"
            yield hint("crm", f"{name} belongs to no book", advice)


def _read_heard(database: Database) -> dict[str, datetime]:
    """The last event by source; empty where the database can't say."""
    newest = select(crm_events.c.source, func.max(crm_events.c.received_at))
    try:
        if not is_current(database):
            return {}
        with database.read() as connection:
            rows = connection.execute(newest.group_by(crm_events.c.source)).all()
    except (DatabaseUnavailableError, DatabaseMissingError):
        return {}
    return {row[0]: row[1] for row in rows}


def _check_book(
    book: Book, settings: Settings, database: Database, environ: Mapping[str, str]
) -> Iterator[Finding]:
    file = f"{book.name}.toml"
    (site,) = (each for each in settings.sites if each.name == book.site)
    if site.faults() or not settings.keys:  # reported with the settings
        return
    adapter = DeadlineAdapter(max_bytes=MAX_RESPONSE)
    wix = WixContacts(auth_of(site), base_url=site.api_url, timeouts=TIMEOUTS, adapter=adapter)
    try:
        opened = connect_book(book, _Unlimited(wix), settings, database, environ=environ)
    except SecretsError as error:
        for line in error.faults:
            yield fault("crm", line, "set it in the environment, or in a file by …_FILE")
        return
    with closing(opened):
        faults = list(_system_faults(opened))
    for side, problem in faults:
        advice = "see that it is up, and correct the book file or the secrets"
        yield fault("crm", f"{file}: {side}: {problem.removeprefix(f'{side}: ')}", advice)
    if not faults:
        yield ok("crm", f"{file}: both sides answer and have the mapped fields")


def _system_faults(opened: OpenBook) -> Iterator[tuple[str, str]]:
    session = opened.session
    for side, system in (("Wix", session.wix), (session.book.system, session.crm)):
        try:
            yield from ((side, problem) for problem in system.check())
        except CrmError as error:
            yield side, str(error)


def _check_heard(site: str, heard: datetime | None, now: datetime) -> Iterator[Finding]:
    if heard and now - heard < _SILENT:
        yield ok("crm", f"a webhook of the site {site} came at {heard:%Y-%m-%d %H:%M} UTC")
        return
    since = f"since {heard:%Y-%m-%d}" if heard else "so far"
    advice = (
        "let the app at Wix send its contact events to BASE_URL/wix/webhooks/"
        f"{site}; without them changes are found by polling, later"
    )
    yield hint("crm", f"no webhook of the site {site} came {since}", advice)
