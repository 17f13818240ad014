"""Visits that ask for exactly what one before asked for are answered without asking Flask again.

Such an answer differs from the one before by its token and by its request id alone, whatever went
into the page. It is given outside Flask, whose frame around a view costs more than all that is
left; so no hook of Flask's sees it, and what is done for every visit is done here as well.
"""

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from formapp.forms.tokens import Use
from formapp.web.hosts import REFUSED
from formapp.web.request_id import HEADER, id_of
from formapp.web.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

QUESTION = (
    "PATH_INFO",
    "QUERY_STRING",
    "SCRIPT_NAME",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "wsgi.url_scheme",
    "HTTP_REFERER",
    # Werkzeug asks for a WebSocket's address where they say so.
    "HTTP_CONNECTION",
    "HTTP_UPGRADE",
    REFUSED,
)
"""All of a GET that the answer to a visit depends on, but for the browser's languages."""

LANGUAGES = "HTTP_ACCEPT_LANGUAGE"
"""What it depends on besides where the answer says so, as answers do (`Vary`)."""

LONGEST = 1000
"""Characters of a question that is remembered: nobody else asks a longer one."""

MOST = 250
"""Answers that are remembered, of some KiB each. Anybody can make up questions."""

_SHOWN = "formapp.shown"
_OK = "200 OK"
_OF_ITS_OWN = {HEADER.lower(), "content-length"}


@dataclass(frozen=True, repr=False)
class Shown:
    """What a view tells of a page that differs from others to the same question by its token."""

    endpoint: str
    form: str
    version: str
    use: Use
    token: str

    def tell(self, environ: "WSGIEnvironment") -> None:
        """Have the answer at hand remembered."""
        environ[_SHOWN] = self


@dataclass(frozen=True, repr=False)
class _Answer:
    shown: Shown
    headers: list[tuple[str, str]]
    before: bytes
    after: bytes


class Repeats:
    """WSGI middleware that remembers the answers that a view has told of, and repeats them."""

    def __init__(self, app: "WSGIApplication", services: Services) -> None:
        self._app = app
        self._services = services
        self._answers: dict[tuple[object, ...], _Answer] = {}

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        if environ["REQUEST_METHOD"] != "GET":
            return self._app(environ, start)
        begun = time.perf_counter()
        question = tuple(map(environ.get, QUESTION))
        answers = self._answers
        answer = answers.get(question) or answers.get((*question, environ.get(LANGUAGES)))
        if answer is None:
            return self._asked(question, environ, start)
        shown, services = answer.shown, self._services
        token = services.signer.issue_for(shown.form, shown.version, shown.use)
        body = b"".join((answer.before, token.encode(), answer.after))
        request_id = id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        own = [("Content-Length", str(len(body))), (HEADER, request_id)]
        start(_OK, answer.headers + own)
        services.metrics.request(shown.endpoint, HTTPStatus.OK, time.perf_counter() - begun)
        return [body]

    def _asked(
        self, question: tuple[object, ...], environ: "WSGIEnvironment", start: "StartResponse"
    ) -> Iterable[bytes]:
        """Have Flask answer, and remember what it says is a visit."""
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def note(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            told.append((status, headers))
            return start(status, headers, *error)

        given = self._app(environ, note)
        shown: Shown | None = environ.get(_SHOWN)
        status, headers = told[-1]
        # What a view has told of may still have come to nothing.
        if shown is None or status != _OK:
            return given
        if "Accept-Language" in dict(headers).get("Vary", ""):
            question = (*question, environ.get(LANGUAGES))
        if sum(map(len, map(str, question))) > LONGEST:
            return given
        with closing(given):  # type: ignore[type-var] # Werkzeug's has `close`
            body = b"".join(given)
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[question] = _answer(shown, headers, body)
        return [body]


def _answer(shown: Shown, headers: list[tuple[str, str]], body: bytes) -> _Answer:
    lasting = [(name, text) for name, text in headers if name.lower() not in _OF_ITS_OWN]
    before, _, after = body.partition(shown.token.encode())
    return _Answer(shown, lasting, before, after)
