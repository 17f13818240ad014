"""Forms, a site that serves them, and a reader of its pages, for all tests of the web side."""

import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Row, select, text
from werkzeug.test import TestResponse

from formapp.app import create_app
from formapp.forms import Form, TokenSigner, compile_form, parse_form
from formapp.settings import Settings
from formapp.submissions.database import Database
from formapp.submissions.schema import deliveries, submissions
from formapp.submissions.upgrade import upgrade

OWN = "http://localhost"
LISTED = "https://www.example.com"
UNLISTED = "https://www.example.org"
KEY = "a key that is long enough"
JSON = {"Accept": "application/json"}
FROM_OUR_PAGE = {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}
FROM_LISTED = {"Origin": LISTED, "Sec-Fetch-Site": "cross-site"}
URLENCODED = "application/x-www-form-urlencoded"

LEAD = """
title = "Every kind of field"
origins = ["https://www.example.com", "https://*.partner.example", "http://localhost:9000"]

[[fields]]
name = "name"
type = "text"
label = "Name"
required = true
to = "full_name"

[[fields]]
name = "email"
type = "email"
label = "E-mail"
required = true
to = "email"

[[fields]]
name = "phone"
type = "tel"
label = "Phone"
region = "GB"
to = "phone"

[[fields]]
name = "size"
type = "number"
label = "Size"

[[fields]]
name = "day"
type = "date"
label = "Day"

[[fields]]
name = "web"
type = "url"
label = "Web address"

[[fields]]
name = "topic"
type = "select"
label = "Topic"
options = ["tea", "coffee"]

[[fields]]
name = "colour"
type = "radio"
label = "Colour"
options = ["red", "blue"]

[[fields]]
name = "extras"
type = "checkboxes"
label = "Extras"
options = ["milk", "sugar", "lemon"]

[[fields]]
name = "news"
type = "checkbox"
label = "Newsletter"

[[fields]]
name = "privacy"
type = "consent"
label = "I agree."
required = true

[[fields]]
name = "message"
type = "textarea"
label = "Message"

[[fields]]
name = "source"
type = "hidden"
from_query = "utm_source"

[[fields]]
name = "page"
type = "hidden"
from = "page"

[[fields]]
name = "referrer"
type = "hidden"
from = "referrer"
"""
OTHER = """
title = "Nobody else's"
[[fields]]
name = "email"
type = "email"
label = "E-mail"
required = true
to = "email"
"""
AWAY = OTHER.replace(
    'title = "Nobody else\'s"\n',
    'title = "Away"\norigins = ["https://www.example.com"]\n'
    '[thanks]\nredirect = "https://www.example.com/thanks?from=form"\n',
)
ANYONE = OTHER.replace(
    'title = "Nobody else\'s"\n',
    'title = "Anyone"\norigins = ["*", "https://www.example.com"]\n',
)
GOOD: dict[str, Any] = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "privacy": "yes",
}
FULL: dict[str, Any] = {
    **GOOD,
    "phone": "020 7946 0018",
    "size": "12.5",
    "day": "2026-11-23",
    "web": "https://ada.example.com/engine",
    "topic": "coffee",
    "colour": "blue",
    "extras": ["milk", "lemon"],
    "news": "yes",
    "message": "First line\nsecond line",
}


def load() -> dict[str, Form]:
    """The forms that the tests use, by name."""
    texts = {"lead": LEAD, "other": OTHER, "away": AWAY, "anyone": ANYONE}
    return {name: compile_form(name, parse_form(name, text)) for name, text in texts.items()}


@dataclass
class Site:
    """A web app on a database of its own, and what its visitors do."""

    app: Flask
    database: Database
    signer: TokenSigner
    kept: list[None] = field(default_factory=list)

    @classmethod
    def build(
        cls, folder: Path, *, busy_seconds: float = 5.0, forms: dict[str, Form], **settings: str
    ) -> "Site":
        """Open a site; settings go without their prefix."""
        url = f"sqlite:///{folder / 'formapp.db'}"
        given = {
            "SECRET_KEY": KEY,
            "BASE_URL": OWN,
            "DATABASE_URL": url,
            "LIMIT_PER_ADDRESS": "off",
            "LIMIT_PER_FORM": "off",
            **settings,
        }
        read = Settings.read({f"FORMAPP_{name}": value for name, value in given.items()}, web=True)
        database = Database(url, busy_seconds=busy_seconds)
        upgrade(database)
        kept: list[None] = []
        app = create_app(read, forms=forms, database=database, on_kept=lambda: kept.append(None))
        return cls(app, database, TokenSigner([KEY]), kept)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for an address; the answer is read and closed."""
        return self.open("GET", path, headers=headers)

    def open(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send any request; the answer is read and closed."""
        return self.app.test_client(use_cookies=False).open(
            path, method=method, buffered=True, **options
        )

    def token(self, form: str = "lead", use: Any = "page") -> str:
        """A genuine token, as a page that was just shown holds it."""
        return self.signer.issue_for(form, "000000000000", use)

    def post(  # noqa: D417 - the rest speaks for itself
        self,
        answers: Mapping[str, Any],
        *,
        form: str = "lead",
        query: str = "",
        json: bool = False,
        **headers: str,
    ) -> TestResponse:
        """Post from a page of ours, with a fresh token unless `answers` holds one."""
        data = {"_token": self.token(form)} | dict(answers)
        return self._post(form + query, data, FROM_OUR_PAGE | headers, json=json)

    def foreign(
        self,
        answers: Mapping[str, Any],
        *,
        form: str = "lead",
        json: bool = False,
        **headers: str,
    ) -> TestResponse:
        """Post from the page of a listed origin, without a token."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._post(form, dict(answers), FROM_LISTED | given, json=json)

    def raw(self, body: bytes, content_type: str | None, **headers: str) -> TestResponse:
        """Post bytes as they are, from a listed origin, as a program."""
        return self.bytes(body, content_type, FROM_LISTED | JSON | headers)

    def bytes(
        self, body: bytes, content_type: str | None, headers: Mapping[str, str]
    ) -> TestResponse:
        """Post bytes as they are; a client's `data` would build another body of an empty one."""
        return self.open(
            "POST",
            "/f/lead",
            input_stream=io.BytesIO(body),
            content_length=len(body),
            content_type=content_type,
            headers=headers,
        )

    def _post(
        self, form: str, data: dict[str, Any], headers: dict[str, str], *, json: bool
    ) -> TestResponse:
        sent: dict[str, Any] = {"json": data} if json else {"data": data}
        return self.open(
            "POST", f"/f/{form}", headers={**headers, **(JSON if json else {})}, **sent
        )

    def rows(self) -> Sequence[Row[Any]]:
        """All submissions, in the order in which they came."""
        with self.database.read() as connection:
            return connection.execute(select(submissions).order_by(submissions.c.id)).all()

    def row(self) -> Row[Any]:
        """The only submission."""
        [row] = self.rows()
        return row

    def pending(self) -> int:
        """How many deliveries wait."""
        with self.database.read() as connection:
            return len(connection.execute(select(deliveries)).all())


SiteMaker = Callable[..., Site]


class Page(HTMLParser):
    """What a visitor sees of a form page, and what their browser would send.

    Attributes:
        action: where the form posts to; None where the page has no form.
        sent: the values by name; a name with several values has a list.
        tags: every tag with its attributes.
        text: all text.
    """

    def __init__(self, answer: TestResponse | str) -> None:
        super().__init__()
        self.action: str | None = None
        self.sent: dict[str, Any] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._area: str | None = None
        self._select = ""
        self.feed(answer if isinstance(answer, str) else answer.get_data(as_text=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and what it would send."""
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "form":
            self.action = found["action"]
        elif tag == "input":
            self._input(found)
        elif tag == "textarea":
            self._area = found["name"] or ""
            self.sent[self._area] = ""
        elif tag == "select":
            self._select = found["name"] or ""
            self.sent[self._select] = ""
        elif tag == "option" and "selected" in found:
            self.sent[self._select] = found["value"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take `<input/>` for `<input>`."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Note where a text area ends."""
        if tag == "textarea" and self._area:
            # The first line end after the tag belongs to the markup.
            self.sent[self._area] = self.sent[self._area].removeprefix("\r").removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data
        if self._area:
            self.sent[self._area] += data

    def _input(self, found: dict[str, str | None]) -> None:
        name, value = found.get("name") or "", found.get("value") or ""
        if found.get("type") in {"checkbox", "radio"} and "checked" not in found:
            return
        if name in self.sent:
            earlier = self.sent[name]
            value_list = earlier if isinstance(earlier, list) else [earlier]
            self.sent[name] = [*value_list, value]
        else:
            self.sent[name] = value

    def submit(self, site: Site, **changes: Any) -> TestResponse:
        """Press the button, after some changes."""
        assert self.action
        data = {name: value for name, value in (self.sent | changes).items() if value is not None}
        return site.open("POST", self.action, data=data, headers=FROM_OUR_PAGE)


def multipart(*parts: tuple[str, str | bytes], boundary: str = "b0undary") -> tuple[bytes, str]:
    """A multipart body of these headers-and-content parts, and its content type."""
    body = b""
    for disposition, content in parts:
        data = content.encode() if isinstance(content, str) else content
        head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
        body += head.encode() + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def ago(seconds: float) -> Callable[[], float]:
    """A clock that many seconds slow."""
    return lambda: datetime.now(UTC).timestamp() - seconds


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Another process writes and doesn't come to an end."""
    with closing(sqlite3.connect(site.database.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def schemaless(site: Site) -> Iterator[None]:
    """Nobody has run `db upgrade`."""
    with site.database.write() as connection:
        for (name,) in connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        ).all():
            connection.execute(text(f'DROP TABLE "{name}"'))
    yield
    upgrade(site.database)
