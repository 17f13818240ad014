"""Outgoing HTTP with a deadline for the whole call and a limit on the response.

The timeouts of sockets count from byte to byte: a server that sends a byte now and then would hold
its caller for hours.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

TIMEOUTS = (3, 10)
"""Seconds for connecting to one address, and for the next byte."""

DEADLINE = 15.0
"""Seconds for the call in all: a stopping process has 30."""

MAX_BYTES = 64 * 1024
"""The rest of a longer response is not read."""

_RETRY_SECONDS = 0.1


class NoResponseError(Exception):
    """No response, or not in time. The text names the kind of failure, never the URL."""


class Response(NamedTuple):
    """Status and at most `MAX_BYTES` of the content."""

    status: int
    content: bytes


def post(url: str, *, data: Mapping[str, str] | None = None, json: Any = None) -> Response:
    """Post a form (`data`) or JSON, following no redirect; may raise NoResponseError."""
    adapter = _Adapter()
    with requests.Session() as session, _deadline(adapter) as expired:
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        try:
            with session.post(
                url,
                data=data,
                json=json,
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
                # A small compressed response may be a large one.
                headers={"Accept-Encoding": "identity"},
            ) as response:
                content = response.raw.read(MAX_BYTES, decode_content=True)
        except (requests.RequestException, HTTPError) as error:
            raise NoResponseError(type(error).__name__) from None
        # A connection that was shut down may look like a response that has ended.
        if expired.is_set():
            raise NoResponseError("DeadlineExpired")
        return Response(response.status_code, content)


@contextmanager
def _deadline(adapter: "_Adapter") -> Iterator[threading.Event]:
    """Shut the adapter's connections down at the deadline, from another thread; set the event."""
    done, expired = threading.Event(), threading.Event()

    def enforce() -> None:
        seconds = DEADLINE
        # More than once: a connection that is being made has no socket for a moment.
        while not done.wait(seconds):
            expired.set()
            adapter.shut_down()
            seconds = _RETRY_SECONDS

    thread = threading.Thread(target=enforce, daemon=True)
    thread.start()
    try:
        yield expired
    finally:
        done.set()
        thread.join()


class _Adapter(HTTPAdapter):
    """Keeps a list of its connections, so that another thread can end them."""

    def __init__(self) -> None:
        super().__init__()
        self._connections: list[Any] = []
        self._sockets: list[Any] = []

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return a pool, of a proxy or not, whose connections are recorded here."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        connections, sockets = self._connections, self._sockets

        class Recorded(pool.ConnectionCls):  # type: ignore[misc] # of HTTP or of HTTPS
            def connect(self) -> None:
                connections.append(self)
                super().connect()
                # A connection forgets its socket when the response ends with the connection.
                sockets.append(self.sock)

        pool.ConnectionCls = Recorded
        return pool

    def shut_down(self) -> None:
        """Shut all sockets down; a thread that is reading gets an end of file."""
        for each in [*self._sockets, *(connection.sock for connection in self._connections)]:
            # TLS inside a proxy's TLS wraps the socket.
            inner = getattr(each, "socket", each)
            if isinstance(inner, socket.socket):
                with contextlib.suppress(OSError):
                    # Not SSLSocket.shutdown, which discards the state that the reader uses.
                    socket.socket.shutdown(inner, socket.SHUT_RDWR)
