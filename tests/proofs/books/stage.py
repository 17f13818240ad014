"""Both sides of a book: the sandbox and a real Radicale, each behind a line that breaks calls."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from formapp.crm.session import Session
from formapp.crm.systems.carddav import CardDavSystem
from formapp.crm.systems.http_calls import HttpCalls
from formapp.wix import ApiKey
from tests.crm.davservers import PASSWORD, USER, AddressBook
from tests.crm.sessions import open_session
from tests.proofs.books.victim import read_book
from tests.proofs.faults.editor import SITE
from tests.proofs.faults.stage import Stage, Weather
from tests.support.wixsite import WixSite

BOOK = """
system = "carddav"
url = "{url}"
every = "10s"
region = "PT"
deletes = "delete"

[[fields]]
wix = "name.first"
crm = "given_name"

[[fields]]
wix = "name.last"
crm = "family_name"

[[fields]]
wix = "company"
crm = "org"
wins = "crm"

[[fields]]
wix = "emails"
crm = "emails"

[[fields]]
wix = "phones"
crm = "phones"
"""

SCALE = 16.0
"""A lease of 45 s is over after 3 s: long enough for a busy machine."""


class BookStage(Stage):
    """Starts both sides and the lines to them; a context manager.

    Attributes:
        book: the address book as people use it, without the line.
        wix: the Wix site as people use it.
    """

    def __init__(
        self, folder: Path, database_url: str, seed: str, book: AddressBook, rate: float
    ) -> None:
        super().__init__(folder, database_url, seed, Weather(rate=rate, scale=SCALE))
        self.book = book
        self.dav_line = ""

    def __enter__(self) -> Self:
        super().__enter__()
        self.wix = WixSite(self.sandbox_url, SITE)
        parts = urlsplit(self.book.url)
        arguments = ("--target", str(parts.port), "--seed", f"{self._seed}:dav")
        rate, slow = str(self.weather.rate / 2), str(self.weather.slow)
        self.dav_line = self._start("proxy", *arguments, "--rate", rate, "--slow", slow)
        (self.folder / "crm").mkdir()
        text = BOOK.format(url=self.dav_line + parts.path)
        (self.folder / "crm" / "main.toml").write_text(text, "utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        self.wix.close()
        super().__exit__(*error)

    @property
    def settings(self) -> dict[str, str]:
        """Settings of formapp, without their prefix."""
        return {
            **super().settings,
            "CRM": str(self.folder / "crm"),
            "CRM_MAIN_USERNAME": USER,
            "CRM_MAIN_PASSWORD": PASSWORD,
        }

    def mend(self) -> dict[str, int]:
        """Mend both lines; returns how often each fault was met."""
        counts: dict[str, int] = self.line("DELETE")
        more = requests.delete(f"{self.dav_line}/_proxy", timeout=10).json()
        return {name: counts.get(name, 0) + more.get(name, 0) for name in {*counts, *more}}

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The book with both sides, in this process and without the lines."""
        book = read_book(self.folder / "crm", self.book.url)
        dav = CardDavSystem(book, HttpCalls(auth=(USER, PASSWORD)))
        session = open_session(
            book,
            dav,
            self.database,
            url=self.sandbox_url,
            auth=ApiKey("IST.example", SITE),
            clock=self.clock,
            secret=self.settings["SECRET_KEY"],
        )
        with closing(session.wix), closing(dav):
            yield session

    def calls(self) -> Mapping[str, int]:
        """Calls to Wix since `forget_calls`, those of people included."""
        found: Mapping[str, int] = self.wix.control("GET", "/calls")["counts"]
        return found

    def cards(self) -> dict[str, tuple[str, str]]:
        """Name to ETag and text of all cards."""
        answer = self.book.call("REPORT", data=_ALL, headers={"Depth": "1"})
        found = {}
        for part in answer.text.split("<response>")[1:] or answer.text.split("<D:response>")[1:]:
            name = re.search(r"href>[^<]*/([^</]+)<", part)
            etag = re.search(r"getetag>([^<]+)<", part)
            if name and etag:
                found[name[1]] = (etag[1], self.book.read(name[1]))
        return found

    def state(self) -> dict[str, Any]:
        """All that the sandbox knows of the site, with history."""
        found: dict[str, Any] = self.wix.control("GET", f"/sites/{SITE}/contacts")
        return found


_ALL = b"""<?xml version="1.0" encoding="utf-8"?>
<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level>
<D:prop><D:getetag/></D:prop></D:sync-collection>"""
