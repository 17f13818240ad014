"""An HTTP server for the sandbox, or for any WSGI application, that tests can start and stop.

It is werkzeug's threaded server with four differences: connections are kept alive (HTTP/1.1),
as with the real service; no request is logged, because a query string may hold personal data; a
request that doesn't become complete ends; and `stop` ends all connections, so that clients notice.
"""

import io
import logging
import socket
import threading
import time
from contextlib import closing, suppress
from typing import Any, Self
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import ClosingIterator

MAX_BODY = 10 * 1024 * 1024
IDLE_SECONDS = 75
REQUEST_SECONDS = 60
"""How long a request may take to arrive completely, however steadily its bytes come."""

log = logging.getLogger(__name__)


class _Arrivals(io.RawIOBase):
    """What arrives on a connection; TimeoutError if it is idle, or a request takes too long."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._until: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; the first bytes of a request set the time for the rest."""
        now = time.monotonic()
        left = IDLE_SECONDS if self._until is None else self._until - now
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        try:
            count = self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(IDLE_SECONDS)
        if self._until is None:
            self._until = time.monotonic() + REQUEST_SECONDS
        return count

    def next_request(self) -> None:
        self._until = None


class Handler(WSGIRequestHandler):
    """Answers the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: "Server"

    def setup(self) -> None:
        """Read the connection within limits of time."""
        super().setup()
        self.rfile.close()
        self._arrivals = _Arrivals(self.connection)
        self.rfile = io.BufferedReader(self._arrivals)

    def handle_one_request(self) -> None:
        self._arrivals.next_request()
        super().handle_one_request()

    def run_wsgi(self) -> None:
        """Answer one request.

        The body is read completely first, so that the next request on the connection starts at
        the right place, even if the application does not read it.
        """
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        try:
            self._read_body(environ)
        except OverflowError:
            self._refuse(413)
        except (OSError, ValueError):
            self._refuse(400)
        else:
            self._answer(environ)

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self.send_error(status)

    def _read_body(self, environ: WSGIEnvironment) -> None:
        chunked = environ.get("wsgi.input_terminated", False)
        announced = 0 if chunked else int(environ.get("CONTENT_LENGTH") or 0)
        if announced < 0:
            raise ValueError("negative length")
        if announced > MAX_BODY:
            raise OverflowError("the body is too large")
        body = environ["wsgi.input"].read(MAX_BODY + 1 if chunked else announced)
        if len(body) > MAX_BODY:
            raise OverflowError("the body is too large")
        if len(body) < announced:
            raise ConnectionAbortedError("the request ended early")
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def _answer(self, environ: WSGIEnvironment) -> None:
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            head[:] = [status, headers]
            return self.wfile.write

        try:
            with closing(ClosingIterator(self.server.app(environ, start_response))) as parts:
                first = next(parts, b"")  # before the head: a fault may cut the connection here
                self._send_head(*head)
                if self.command != "HEAD":
                    self.wfile.write(first)
                    for part in parts:
                        self.wfile.write(part)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - any failure ends the connection
            log.error("the application failed with %s", type(error).__name__)  # noqa: TRY400 - its text could quote a contact
            self.close_connection = True

    def _send_head(self, status: str, headers: list[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        names = {name.lower() for name, _ in headers}
        if "content-length" not in names and int(code) not in (204, 304):
            self.send_header("Connection", "close")  # the end of the connection ends the body
        self.end_headers()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing: a request line may hold personal data."""


class Server(ThreadedWSGIServer):
    """Werkzeug's threaded server, with a set of its open connections."""

    connections: set[Any]
    request_queue_size = 512

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""


class SandboxServer:
    """Serves a WSGI application on one address, in its own thread.

    Use it as a context manager, or call `start` and `stop`. The constructor binds the port, so
    `url` is known at once; port 0 takes a free one. OSError if the address cannot be bound.
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
        return int(self._server.port)

    @property
    def url(self) -> str:
        """The address without a trailing slash, such as `http://127.0.0.1:8001`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> Self:
        """Serve in a thread and return at once."""
        name = f"sandbox:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name=name, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and end all connections; safe to call twice and from any thread."""
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
        """Wait until `stop` has been called, for example by a signal handler's thread."""
        return self._stopped.wait(seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
