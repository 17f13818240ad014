"""Hooks around every view: check the host, set the request id, measure the time.

Flask checks the host before it looks for a route. Without a route, a refusal can't link to our
style sheet, and a health check by the machine's address fails. So a request for a foreign host is
routed as for one of our own hosts, and refused before its view.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import structlog
from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.exceptions import BadHost, SecurityError
from werkzeug.routing import MapAdapter
from werkzeug.sansio.utils import get_host

from formapp.forms.reading.text import TooManyMarksError, has_too_many_marks
from formapp.randomness import getrandbits
from formapp.web.errors import RefusalError
from formapp.web.headers import add_headers
from formapp.web.services import current_request, services

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HEADER = "X-Request-Id"
_ENVIRON_ID = "HTTP_X_REQUEST_ID"
_BEGUN = "formapp.begun"
"""The key in the environ of the request's id, and of when it began."""

_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_ID_BITS = 128
_PATH_HEADERS = {"HTTP_SCRIPT_NAME", "HTTP_PATH_INFO"}
"""Gunicorn takes the path from these headers."""

MAX_HEADERS = 16 * 1024
"""Address and headers of a request together; `formapp.server` refuses more before it reads them."""

_COUNTED = {"PATH_INFO", "QUERY_STRING", "CONTENT_TYPE"}
"""Values of the environ that come from the request, beside its headers."""

_LONGEST_ORIGIN = 300
"""A scheme, a host of at most 253 characters and a port."""


REFUSED_HOST = "formapp.refused_host"
"""The key in the environ of a host that isn't ours, as it was sent, in lower case."""

# Hosts that a setting may name but Werkzeug never trusts: IPv6 addresses, and underscores.
_OTHER_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]*_[a-z0-9._-]*)(?::[0-9]{1,5})?", re.ASCII)


class App(Flask):
    """Flask that also routes requests for hosts outside `TRUSTED_HOSTS`.

    The names of that setting are in lower case and without ports; `.example.com` matches itself
    and its subdomains.
    """

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As Flask's, which examines each hook and view anew at each request."""
        return func if _is_plain(func) else super().ensure_sync(func)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the URL adapter, also for an untrusted host, which is marked in the environ."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        host: str = environ.get("HTTP_HOST", "").lower().removesuffix(":")
        if host:
            environ["HTTP_HOST"] = host
            own = _own_host(request.scheme, host, self.config["TRUSTED_HOSTS"])
            if own and "HTTP_UPGRADE" not in environ:
                request.host = own
                # As `bind_to_environ`, which checks the host and decodes the path once more. The
                # query, undecoded here, is for redirects, of which there are none.
                place = own, request.root_path, "", request.scheme, request.method, request.path
                return self.url_map.bind(*place, environ.get("QUERY_STRING"))
        try:
            adapter = super().create_url_adapter(request)
            if "xn--" in host:
                _ = request.host_url  # which decodes the label
        except (SecurityError, BadHost, UnicodeError):  # BadHost: a label is empty or too long
            trusted = self.config["TRUSTED_HOSTS"]
            other = _OTHER_HOST.fullmatch(host)
            if not other or other[1] not in trusted:
                environ[REFUSED_HOST] = host
                environ["HTTP_HOST"] = host = trusted[0].removeprefix(".")
        else:
            return adapter
        request.host = host
        return self.url_map.bind_to_environ(environ, subdomain="")


@lru_cache(maxsize=256)
def _is_plain(func: Callable[..., Any]) -> bool:
    return not iscoroutinefunction(func)


@lru_cache(maxsize=64)
def _own_host(scheme: str, host: str, trusted: tuple[str, ...]) -> str | None:
    """Return a trusted host without its scheme's own port; None if Flask has to look closer."""
    try:
        own = get_host(scheme, host, None, trusted)
        own.partition(":")[0].encode("idna")  # as the map of addresses does
    except (SecurityError, UnicodeError):
        return None
    return None if "xn--" in own else own


class SessionsUnder(SecureCookieSessionInterface):
    """Flask's sessions for the paths below a prefix: elsewhere no cookie is read or set."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return None elsewhere, which gives a session that can't be written."""
        rest = request.path.removeprefix(self._prefix)
        inside = rest != request.path and rest[:1] in {"", "/"}
        return super().open_session(app, request) if inside else None


def init_app(app: Flask) -> None:
    """Add the hooks: one before every view, one after."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    """Give the request the proxy's id if that is usable, else a new one; refuse odd requests."""
    request = current_request()
    environ = request.environ
    given = environ.get(_ENVIRON_ID, "")
    id_ = given if _SAFE_ID.fullmatch(given) else f"{getrandbits(_ID_BITS):032x}"
    structlog.contextvars.bind_contextvars(request_id=id_)
    environ[_BEGUN] = id_, time.perf_counter()
    origin: str = environ.get("HTTP_ORIGIN", "")
    if len(origin) > _LONGEST_ORIGIN or not origin.isascii():
        del environ["HTTP_ORIGIN"]
    _limit_headers(environ)
    if not _PATH_HEADERS.isdisjoint(environ):
        raise RefusalError(400, "PATH", "We could not answer this request.")
    # Health checks use the machine's address.
    if REFUSED_HOST in environ and request.blueprint != "health":
        raise RefusalError(400, "HOST", "This server doesn't answer to that host name.")
    query: str = environ.get("QUERY_STRING", "")
    if "%" in query and has_too_many_marks(unquote_plus(query)):
        raise TooManyMarksError


def _finish(response: Response) -> Response:
    request, app = current_request(), services()
    add_headers(request, response, app)
    id_, begun = request.environ[_BEGUN]
    response.headers.add(HEADER, id_)
    # The endpoint, not the path: anyone can make up paths.
    endpoint = request.endpoint or "none"
    app.metrics.request(endpoint, response.status_code, time.perf_counter() - begun)
    structlog.contextvars.unbind_contextvars("request_id")
    return response


def _limit_headers(environ: "WSGIEnvironment") -> None:
    """Refuse headers that another server than ours has let through."""
    sent = [text for name, text in environ.items() if name[:5] == "HTTP_" or name in _COUNTED]
    if sum(map(len, sent)) > MAX_HEADERS:
        # Choosing language and format of the refusal would read them.
        for name in [name for name in environ if name.startswith("HTTP_ACCEPT")]:
            del environ[name]
        raise RefusalError(
            431, "HEADERS_TOO_LONG", "The address or the headers of this request are too long."
        )
