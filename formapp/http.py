"""A post to a service of another's that ends in time, however slowly the service answers.

The time-outs of sockets count from byte to byte: a service that sends one now and then would keep
its caller for hours.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

TIMEOUTS = (3, 10)
"""For connecting to one of its addresses, and for the next byte, in seconds."""

SECONDS = 15.0
"""For the whole call: a process that is asked to end has 30."""

MOST_BYTES = 64 * 1024
"""More than this of an answer is not read."""

_AGAIN_SECONDS = 0.1


class NoAnswerError(Exception):
    """None came, or not in time. The text names the kind of failure and nothing of the call."""


def post(url: str, data: Mapping[str, str]) -> tuple[int, bytes]:
    """Post a form; follow nothing.

    Returns:
        Status and content, the latter without what is beyond `MOST_BYTES`.

    Raises:
        NoAnswerError: there is none.
    """
    adapter = _Adapter()
    with requests.Session() as session, _in_time(adapter):
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)
        try:
            with session.post(
                url,
                data=data,
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
                # A small answer of a packed one may be a large one.
                headers={"Accept-Encoding": "identity"},
            ) as answer:
                return answer.status_code, answer.raw.read(MOST_BYTES, decode_content=True)
        except (requests.RequestException, HTTPError) as error:
            # Not its text: an address may hold what is nobody's business.
            raise NoAnswerError(type(error).__name__) from None


@contextmanager
def _in_time(adapter: "_Adapter") -> Iterator[None]:
    over = threading.Event()

    def cut() -> None:
        if over.wait(SECONDS):
            return
        adapter.cut()
        # A connection that is being made has no socket for a moment.
        while not over.wait(_AGAIN_SECONDS):
            adapter.cut()

    thread = threading.Thread(target=cut, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class _Adapter(HTTPAdapter):
    """Knows its connections, so that another thread can end them."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[Any] = []
        self._sockets: list[Any] = []

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return a pool that tells of what it connects, through a proxy or not."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        make = pool.ConnectionCls

        def making(*given: Any, **more: Any) -> Any:
            connection = make(*given, **more)
            connect = connection.connect

            def connecting() -> None:
                connect()
                # Where an answer ends with its connection, the connection forgets its socket.
                self._sockets.append(connection.sock)

            connection.connect = connecting
            self._made.append(connection)
            return connection

        pool.ConnectionCls = making
        return pool

    def cut(self) -> None:
        """End what is under way: whoever reads finds the end."""
        for each in [*self._sockets, *(connection.sock for connection in self._made)]:
            # Where TLS goes through a proxy's TLS, the socket is inside.
            held = getattr(each, "socket", each)
            if isinstance(held, socket.socket):
                with contextlib.suppress(OSError):
                    # Not the method of a TLS socket, which takes its reader's state away.
                    socket.socket.shutdown(held, socket.SHUT_RDWR)
