"""The embedded production server: waitress, told to live with slow and stalled clients.

Waitress reads requests in one thread without waiting for any client, and hands complete ones to its
pool. With many connections allowed, poll instead of select and a short channel time-out, hundreds
of stalled clients leave a good request answered at once; with its defaults they don't.
"""

import json
import resource
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.server import create_server
from waitress.task import ErrorTask

from formapp.ports import PortInUseError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MAX_BODY = 1024 * 1024
"""Beyond this waitress refuses by itself; the app's own limit is far below."""

THREADS = 16
"""Requests under way at once: more than cores, since those that wait share a commit."""

MAX_PORT = 65_535
MAX_CONNECTIONS = 3000
"""At most; fewer where the system allows the process fewer open files."""

SPARE_FILES = 256
"""Open files that connections leave to the database, logs and libraries."""

DRAIN_SECONDS = 10.0
"""How long requests under way may take once the server was told to stop."""

STALLED_SECONDS = 2.0
"""A request that is still arriving is under way unless nothing came of it for this long."""

# Words of our own only: waitress's may quote the request.
_TEXTS = {
    400: "The request could not be read.",
    413: "This is too much to send.",
    431: "The address or the headers of this request are too long.",
}
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not possible</title>'
    "<h1>Not possible</h1><p>{text}</p></html>"
)
_PAGE_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]


def listen(host: str, port: int) -> socket.socket:
    """Bind the address; port 0 takes a free one.

    Raises:
        PortInUseError: it can't be listened on.
    """
    if not 0 <= port <= MAX_PORT:
        raise PortInUseError(f"{host}:{port} can't be listened on: ports end at {MAX_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PortInUseError(f"{host}:{port} can't be listened on: {reason}") from error


class Server:
    """Serves a WSGI app on a listening socket."""

    def __init__(
        self, app: "WSGIApplication", listener: socket.socket, *, threads: int = THREADS
    ) -> None:
        self._server = create_server(
            app,
            sockets=[listener],
            threads=threads,
            connection_limit=_connections(),
            asyncore_use_poll=True,
            channel_timeout=20,
            cleanup_interval=5,
            max_request_body_size=MAX_BODY,
            ident=None,
            # The app knows how many proxies to believe (PROXY_HOPS).
            clear_untrusted_proxy_headers=False,
        )
        self._server.channel_class = _Channel
        self._stop_by: float | None = None
        # A signal may interrupt this very thread, hence the R.
        self._stopping = threading.RLock()

    def run(self, draining: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped; requests under way are answered first.

        Args:
            draining: called once it was told to stop, before it waits for those requests.
        """
        while self._stop_by is None:
            self._turn(1)
        draining()
        while not self._is_drained() and time.monotonic() < self._stop_by:
            self._turn(1)
        self._server.task_dispatcher.shutdown()
        with self._stopping:
            wasyncore.close_all(self._server._map)  # noqa: SLF001 - the same

    def stop(self) -> None:
        """Take no more connections and make `run` return; from any thread or signal handler.

        A second call does nothing: the pipe that wakes `run` may be closed by then, and its number
        belong to another file.
        """
        with self._stopping:
            if self._stop_by is None:
                self._stop_by = time.monotonic() + DRAIN_SECONDS
                self._server.accepting = False
                self._server.pull_trigger()

    def _turn(self, seconds: float) -> None:
        # The loop is run by hand, to drain it. It waits no longer than this for something to do.
        wasyncore.loop(timeout=seconds, map=self._server._map, use_poll=True, count=1)  # noqa: SLF001 - waitress has no name for it

    def _is_drained(self) -> bool:
        """Whether nobody is busy, nor after what came in the meantime was read."""
        if self._is_busy():
            return False
        self._turn(0)
        return not self._is_busy()

    def _is_busy(self) -> bool:
        return any(map(_is_busy, list(self._server.active_channels.values())))


def _is_busy(channel: HTTPChannel) -> bool:
    if channel.requests or channel.total_outbufs_len:
        return True
    return channel.request is not None and time.time() - channel.last_activity < STALLED_SECONDS


def _connections() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(files - SPARE_FILES, files // 2))


class _ErrorTask(ErrorTask):  # type: ignore[misc] # waitress publishes no types
    """What waitress refuses by itself is answered as a page, or as JSON where that is asked for."""

    def execute(self) -> None:
        error: Any = self.request.error
        self.status = f"{error.code} {error.reason}"
        text = _TEXTS.get(error.code, f"{error.reason}.")
        if "application/json" in self.request.headers.get("ACCEPT", ""):
            code = error.reason.upper().replace(" ", "_")
            body = json.dumps({"error": text, "errors": [{"code": code, "message": text}]})
            self.response_headers.append(("Content-Type", "application/json"))
        else:
            body = _PAGE.format(text=text)
            self.response_headers += _PAGE_HEADERS
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body.encode())


class _Parser(HTTPRequestParser):  # type: ignore[misc] # the same
    """Refuses with 400 what is the client's fault alone.

    Over an address such as `http://[` waitress would drop the connection. An unknown
    Transfer-Encoding it would answer with 501 (RFC 9112 section 6.1 suggests that); whoever watches
    this server should find no 5xx in its figures that anybody can cause at will.
    """

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("Bad address") from None
        except TransferEncodingNotImplemented:
            raise ParsingError("Unknown Transfer-Encoding") from None


class _Channel(HTTPChannel):  # type: ignore[misc] # the same
    error_task_class = _ErrorTask
    parser_class = _Parser
