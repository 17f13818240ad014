"""A site that serves the forms, and what its visitors send, for all tests of the web side."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import MetaData, Row, func, select, text
from werkzeug.test import TestResponse

from formapp.app import create_app
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.db.tables import deliveries, submissions
from formapp.db.upgrade import upgrade
from formapp.forms.form import Form
from formapp.forms.tokens import TokenSigner
from formapp.waiting import shares_thread
from formapp.web.public.views import answers_at_once
from tests.support.greenlets import in_greenlet
from tests.support.schema import give_schema

OWN = "http://localhost"
LISTED = "https://www.example.com"
UNLISTED = "https://www.example.org"
KEY = "a key that is long enough"
JSON = {"Accept": "application/json"}
FROM_OUR_PAGE = {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}
FROM_LISTED = {"Origin": LISTED, "Sec-Fetch-Site": "cross-site"}
URLENCODED = "application/x-www-form-urlencoded"

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


@dataclass
class Site:
    """A web app on a database of its own, and what its visitors do."""

    app: Flask
    database: Database
    signer: TokenSigner
    kept: list[None] = field(default_factory=list)

    @classmethod
    def build(
        cls,
        folder: Path,
        *,
        busy_seconds: float = 5.0,
        forms: dict[str, Form],
        url: str | None = None,
        **settings: str,
    ) -> "Site":
        """Open a site; settings go without their prefix."""
        url = url or f"sqlite:///{folder / 'formapp.db'}"
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
        give_schema(database)
        _refuse_greenlets(database)
        kept: list[None] = []
        app = create_app(read, forms=forms, database=database, on_kept=lambda: kept.append(None))
        return cls(app, database, TokenSigner([KEY]), kept)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for an address; the answer is read and closed."""
        return self.open("GET", path, headers=headers)

    def open(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send any request; the answer is read and closed.

        It is answered as by the server: in a greenlet, where that answers it at once.
        """
        send = partial(
            self.app.test_client(use_cookies=False).open,
            path,
            method=method,
            buffered=True,
            **options,
        )
        is_at_once = answers_at_once(self.app, method, path.partition("?")[0])
        return in_greenlet(send) if is_at_once else send()

    def token(self, form: str = "lead", use: Any = "page") -> str:
        """A genuine token, as a page that was just shown holds it."""
        return self.signer.issue_for(form, "000000000000", use)

    def post(
        self,
        answers: Mapping[str, Any],
        *,
        form: str = "lead",
        query: str = "",
        json: Any = False,
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
        json: Any = False,
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

    def rows(self, after: str = "") -> Sequence[Row[Any]]:
        """All submissions after the one of this id, in the order in which they came."""
        newer = select(submissions).where(submissions.c.id > after).order_by(submissions.c.id)
        with self.database.read() as connection:
            return connection.execute(newer).all()

    def newest_id(self) -> str:
        """The id of the submission that came last; empty if there is none."""
        with self.database.read() as connection:
            return connection.execute(select(func.max(submissions.c.id))).scalar() or ""

    def row(self) -> Row[Any]:
        """The only submission."""
        [row] = self.rows()
        return row

    def pending(self) -> int:
        """How many deliveries wait."""
        with self.database.read() as connection:
            return len(connection.execute(select(deliveries)).all())


SiteMaker = Callable[..., Site]


def _refuse_greenlets(database: Database) -> None:
    """Fail where a request waits for the database in the thread that it shares with others.

    On PostgreSQL the others go on while one waits for a statement of the driver.
    """
    names = ("read", "write", "write_by_driver") if database.is_sqlite else ("read", "write")
    for name in names:
        setattr(database, name, _refusing(getattr(database, name)))


def _refusing(use: Callable[[], Any]) -> Callable[[], Any]:
    def refuse() -> Any:
        assert not shares_thread(), "the server's thread would wait for the database"
        return use()

    return refuse


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
    """Somebody else writes and doesn't come to an end."""
    with site.database.write() as connection:
        # On SQLite any transaction that may write holds the only lock there is.
        if not site.database.is_sqlite:
            connection.execute(text("LOCK TABLE submissions"))
        yield


@contextmanager
def schemaless(site: Site) -> Iterator[None]:
    """Nobody has run `db upgrade`."""
    with site.database.write() as connection:
        tables = MetaData()
        tables.reflect(connection)
        tables.drop_all(connection)
    yield
    upgrade(site.database)


def assert_refused(answer: TestResponse, status: int, code: str) -> None:
    """Check a refusal that is told to a program."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.json
    assert answer.json["error"].endswith(".")
    assert [fault["code"] for fault in answer.json["errors"]] == [code]
