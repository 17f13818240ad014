"""A deadline for an outgoing call as a whole.

The timeouts of sockets count from byte to byte: a server that sends a byte now and then would hold
its caller for hours.
"""

import contextlib
import os
import socket
import threading
from typing import Self

SECONDS = 15.0
"""For any call: a stopping process has 30."""


class Deadline:
    """Shuts the connections of a call down, from another thread, if it takes too long.

    A thread that is reading then gets an end of file; so ask `expired` before you trust the end of
    a response. In its block it is the `current` one of its thread.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def watch(self, connection: socket.socket) -> None:
        """Include a connection, of which TLS may take over the socket."""
        twin = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._sockets.append(twin)
            if self.expired:
                _shut_down(twin)

    def __enter__(self) -> Self:
        _threads.current = self
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        _threads.current = None
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for each in self._sockets:
                _shut_down(each)


class _Threads(threading.local):
    current: Deadline | None = None


_threads = _Threads()


def current() -> Deadline | None:
    """Return the deadline of the call that this thread is making."""
    return _threads.current


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
