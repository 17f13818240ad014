"""An HTTP server for the sandbox, or for any WSGI application, that tests can start and stop.

It is werkzeug's threaded server with three differences. Connections are kept alive (HTTP/1.1),
as a client of the real service finds them. No request is logged, because a query string may
hold personal data. And `stop` ends all connections, so that clients see the server go.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from formapp.sandbox.connection import Handler, Server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class SandboxServer:
    """Serves a WSGI application on one address, in a thread of its own.

    Use it as a context manager, or `start` and `stop` it. The port is bound when the object is
    made, so that `url` is known at once; port 0 takes a free one.

    Raises:
        OSError: the address cannot be bound, such as a port in use.
    """

    def __init__(self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=512) as listener:
            self._server = Server(
                host, listener.getsockname()[1], app, handler=Handler, fd=listener.fileno()
            )
        self._server.connections = set()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self.host = host

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.port)

    @property
    def url(self) -> str:
        """The address without a slash at its end, such as `http://127.0.0.1:8001`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> Self:
        """Serve in a thread and return at once."""
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=f"sandbox:{self.port}",
            daemon=True,
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and end all connections. May be called twice, and from any thread."""
        if self._stopped.is_set():
            return
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        for connection in list(self._server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._stopped.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until `stop` was called elsewhere, such as in a signal handler's thread."""
        return self._stopped.wait(seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
