"""Outgoing calls: a deadline for the call as a whole, and HTTP with a limit on the response.

The timeouts of sockets count from byte to byte: a server that sends a byte now and then would hold
its caller for hours.
"""

import contextlib
import io
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any, NamedTuple, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError

TIMEOUTS = (3, 10)
"""Seconds for connecting to one address, and for the next byte."""

DEADLINE = 15.0
"""Seconds for any call in all: a stopping process has 30."""

MAX_BYTES = 64 * 1024
"""The rest of a longer response is not read."""

# Headers that describe a body as it was sent.
_BODY = {"content-encoding", "content-length", "transfer-encoding"}


class NoResponseError(Exception):
    """No response, or not in time. The text names the kind of failure, never the URL."""


class Response(NamedTuple):
    """Status and at most `MAX_BYTES` of the content."""

    status: int
    content: bytes


def post(
    url: str,
    *,
    data: Mapping[str, str] | bytes | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Post a form or a body as it is (`data`), or JSON; may raise NoResponseError.

    Follows no redirect.
    """
    adapter = DeadlineAdapter(max_bytes=MAX_BYTES)
    with requests.Session() as session:
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        # A small compressed response may be a large one.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        try:
            response = session.post(
                url, data=data, json=json, timeout=TIMEOUTS, allow_redirects=False, headers=sent
            )
        except requests.RequestException as error:
            raise NoResponseError(type(error).__name__) from None
        return Response(response.status_code, response.content)


class Deadline:
    """Shuts the connections of a call down, from another thread, if it takes too long.

    A thread that is reading then gets an end of file; so ask `expired` before you trust the end of
    a response. In its block it is the `current_deadline` of its thread.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._end = time.monotonic() + seconds

    def connect(self, open_connection: Callable[[], socket.socket]) -> socket.socket:
        """Return the connection that this opens, watched, or raise TimeoutError.

        Nothing can interrupt a slow look-up of a host name, nor tries of many addresses: another
        thread opens the connection, and closes it if it comes too late.
        """
        opened: Future[socket.socket] = Future()
        thread = threading.Thread(target=_open, args=(open_connection, opened), daemon=True)
        thread.start()
        try:
            connection = opened.result(max(0.0, self._end - time.monotonic()))
        except TimeoutError:
            opened.add_done_callback(_close)
            raise
        self.watch(connection)
        return connection

    def watch(self, connection: socket.socket) -> None:
        """Include a connection, of which TLS may take over the socket."""
        twin = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._sockets.append(twin)
            if self.expired:
                _shut_down(twin)

    def __enter__(self) -> Self:
        current_deadline.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        current_deadline.set(None)
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for each in self._sockets:
                _shut_down(each)


def _open(open_connection: Callable[[], socket.socket], opened: "Future[socket.socket]") -> None:
    try:
        opened.set_result(open_connection())
    except Exception as error:  # noqa: BLE001 - whatever it is, the waiting thread raises it
        opened.set_exception(error)


def _close(opened: "Future[socket.socket]") -> None:
    if not opened.exception():
        opened.result().close()


current_deadline: ContextVar[Deadline | None] = ContextVar("current_deadline", default=None)
"""The deadline of the call that this thread is making."""


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class DeadlineAdapter(HTTPAdapter):
    """Ends each call at its deadline, and reads its response up to a limit."""

    def __init__(self, *, max_bytes: int) -> None:
        super().__init__(max_retries=0)
        self._max_bytes = max_bytes

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Return the response with its content.

        Raises:
            ReadTimeout: the deadline has passed; the request may have arrived.
            RequestException: any other failure.
        """
        with Deadline(DEADLINE) as deadline:
            try:
                response = super().send(request, *args, **options | {"stream": True})
                with response:
                    content = response.raw.read(self._max_bytes, decode_content=True)
            except (requests.RequestException, HTTPError) as error:
                if deadline.expired and not isinstance(error, requests.ConnectTimeout):
                    raise requests.ReadTimeout(request=request) from None
                if isinstance(error, HTTPError):
                    raise requests.ConnectionError(error, request=request) from error
                raise
            # A connection that was shut down may look like a response that has ended.
            if deadline.expired:
                raise requests.ReadTimeout(request=request)
        raw = urllib3.HTTPResponse(
            io.BytesIO(content),
            {name: value for name, value in response.headers.items() if name.lower() not in _BODY},
            response.status_code,
            reason=response.reason,
            preload_content=False,
            decode_content=False,
        )
        return self.build_response(request, raw)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return a pool, of a proxy or not, whose connections are watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not issubclass(pool.ConnectionCls, _Watched):
            pool.ConnectionCls = type("Watched", (_Watched, pool.ConnectionCls), {})
        return pool


class _Watched(HTTPConnection):
    """Comes before a connection class of urllib3, of HTTP or of HTTPS."""

    def _new_conn(self) -> socket.socket:
        if (deadline := current_deadline.get()) is None:
            return super()._new_conn()
        try:
            return deadline.connect(super()._new_conn)
        except TimeoutError:
            raise ConnectTimeoutError(self, "not connected in time") from None

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None and (deadline := current_deadline.get()) is not None:
            deadline.watch(self.sock)
        super().request(*args, **options)
