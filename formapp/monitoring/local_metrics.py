"""Metrics without a token: this machine alone may read them. And a server of them for workers."""

import ipaddress
import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HOST = "127.0.0.1"
_PORT = re.compile(r":\d*$", re.ASCII)
# Of nginx, Apache, IIS, Envoy, Azure, Cloudflare, Fastly and others.
_FORWARDED = re.compile(
    r"HTTP_(?:.*_)?(?:VIA|FORWARDED|ORIGINAL|(?:CLIENT)?IP|EXTERNAL_ADDRESS|CDN_LOOP)(?:_.*)?"
)


def is_local(environ: "WSGIEnvironment", address: str, host: str) -> bool:
    """Return whether a program of this machine sent a request.

    A forwarded one may come from anywhere, even if the proxy is on this machine; and a page in a
    browser may have a name that leads to this machine (DNS rebinding).
    """
    if any(map(_FORWARDED.fullmatch, environ)):
        return False
    name = _PORT.sub("", host.lower())
    # HTTP/1.0 may have no host, but browsers always send one.
    is_fixed = name in {"", "localhost"} or _ip_address(name.strip("[]")) is not None
    sender = _ip_address(address)
    return is_fixed and sender is not None and sender.is_loopback


def serve_metrics(registry: CollectorRegistry, port: int) -> None:
    """Serve metrics at this port in a thread; OSError if it can't be listened on."""
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if is_local(environ, environ["REMOTE_ADDR"], environ.get("HTTP_HOST", "")):
            return metrics(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"Metrics are for this machine, by localhost or an IP address.\n"]

    server = make_server(_HOST, port, answer, ThreadingWSGIServer, _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log nothing."""


def _ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
