"""Hooks around every view: check the host, set the request id, measure the time.

Flask checks the host before it looks for a route. Without a route, a refusal can't link to our
style sheet, and a health check by the machine's address fails. So a request for a foreign host is
routed as for one of our own hosts, and refused before its view.
"""

import re
import secrets
import time

import structlog
from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import SecurityError
from werkzeug.routing import MapAdapter

from formapp.monitoring.metrics import Metrics
from formapp.web.errors import RefusalError
from formapp.web.headers import add_headers

HEADER = "X-Request-Id"
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_ID_BYTES = 16

_REFUSED = "formapp.host_refused"
# Hosts that a setting may name but Werkzeug never trusts: IPv6 addresses, and underscores.
_OTHER_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]*_[a-z0-9._-]*)(?::[0-9]{1,5})?", re.ASCII)


class App(Flask):
    """Flask that also routes requests for hosts outside `TRUSTED_HOSTS`.

    The names of that setting are in lower case and without ports; `.example.com` matches itself
    and its subdomains.
    """

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the URL adapter, also for an untrusted host, which is marked in the environ."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        host: str = environ.get("HTTP_HOST", "").lower().removesuffix(":")
        if host:
            environ["HTTP_HOST"] = host
        try:
            return super().create_url_adapter(request)
        except SecurityError:
            trusted = self.config["TRUSTED_HOSTS"]
            other = _OTHER_HOST.fullmatch(host)
            if not other or other[1] not in trusted:
                host = trusted[0].removeprefix(".")
                environ |= {"HTTP_HOST": host, _REFUSED: True}
        request.host = host
        return self.url_map.bind_to_environ(environ, subdomain="")


def init_app(app: Flask, metrics: Metrics) -> None:
    """Add the hooks: one before every view, one after."""

    def finish(response: Response) -> Response:
        add_headers(response)
        id_, begun = g.begun
        response.headers.add(HEADER, id_)
        # The endpoint, not the path: anyone can make up paths.
        endpoint = request.endpoint or "none"
        metrics.request(endpoint, response.status_code, time.perf_counter() - begun)
        structlog.contextvars.unbind_contextvars("request_id")
        return response

    app.before_request(_begin)
    app.after_request(finish)


def _begin() -> None:
    """Give the request the proxy's id if that is usable, else a new one; refuse foreign hosts.

    Raises:
        RefusalError: 400.
    """
    given = request.headers.get(HEADER, "")
    id_ = given if _SAFE_ID.fullmatch(given) else secrets.token_hex(_ID_BYTES)
    structlog.contextvars.bind_contextvars(request_id=id_)
    g.begun = id_, time.perf_counter()
    # Health checks use the machine's address.
    if _REFUSED in request.environ and request.blueprint != "health":
        raise RefusalError(400, "HOST", "This server doesn't answer to that host name.")
