"""Host names: a request by a name that isn't ours is refused.

It is looked at before Flask sees the request. What is no host name at all (`a..b`) would otherwise
fail in Werkzeug, before any handler, as a 500; and no address is ever built from a stranger's name.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import request

from formapp.web.refusal import RefusalError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(?::(?P<port>[0-9]{0,5}))?", re.ASCII)
REFUSED = "formapp.host_refused"
"""What is true in the WSGI environment of a request whose host isn't trusted."""

_MAX_PORT = 65535


def is_trusted(host: str, trusted: Iterable[str]) -> bool:
    """Whether a Host header names this server.

    Args:
        host: as it came, perhaps with a port; the port doesn't matter.
        trusted: lower-case names without ports; `.example.com` stands for it and its subdomains.
    """
    match = _HOST.fullmatch(host.lower())
    if not match or int(match["port"] or 0) > _MAX_PORT:
        return False
    return any(
        match["name"] == entry.removeprefix(".")
        or (entry.startswith(".") and match["name"].endswith(entry))
        for entry in trusted
    )


class KnownHosts:
    """WSGI middleware: a host that isn't trusted is marked and replaced by one that is."""

    def __init__(self, app: "WSGIApplication", trusted: frozenset[str]) -> None:
        self._app = app
        self._trusted = trusted
        self._own = min(trusted).removeprefix(".")

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
        if not is_trusted(host, self._trusted):
            environ["HTTP_HOST"] = self._own
            environ[REFUSED] = True
        return self._app(environ, start)


def check_host() -> None:
    """Refuse what `KnownHosts` marked. Probes are let in: they come by the machine's address.

    Raises:
        RefusalError: 400.
    """
    if request.blueprint != "health" and request.environ.get(REFUSED):
        raise RefusalError(400, "HOST", "This server isn't known by that name.")
