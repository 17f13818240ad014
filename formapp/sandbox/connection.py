"""The HTTP side of the server: one connection at a time, kept alive, nothing logged."""

from __future__ import annotations

import io
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from _typeshed.wsgi import WSGIEnvironment

MAX_BODY = 10 * 1024 * 1024
IDLE_SECONDS = 75

log = logging.getLogger(__name__)


class BodyTooLargeError(Exception):
    """A request announces or sends more than the server takes."""


class Handler(WSGIRequestHandler):
    """Answers the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        """Note the connection, so that the server can end it."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection; a cut one cannot be flushed any more."""
        self.server.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def run_wsgi(self) -> None:
        """Answer one request.

        The body is read to its end first, so that the next request on the connection starts
        where it should, whatever the application reads.
        """
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        try:
            self._take_body(environ)
        except BodyTooLargeError:
            self._refuse(413)
        except (OSError, ValueError):
            self._refuse(400)
        else:
            self._answer(environ)

    def _refuse(self, status: int) -> None:
        """Answer a request that cannot be read to its end, and end the connection."""
        self.close_connection = True
        self.send_error(status)

    def _take_body(self, environ: WSGIEnvironment) -> None:
        chunked = environ.get("wsgi.input_terminated", False)
        announced = 0 if chunked else int(environ.get("CONTENT_LENGTH") or 0)
        if announced < 0:
            raise ValueError("negative length")
        if announced > MAX_BODY:
            raise BodyTooLargeError
        body = environ["wsgi.input"].read(MAX_BODY + 1 if chunked else announced)
        if len(body) > MAX_BODY:
            raise BodyTooLargeError
        if len(body) < announced:
            raise ConnectionAbortedError("the request ended early")
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def _answer(self, environ: WSGIEnvironment) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            started[:] = [(status, headers)]
            return self.wfile.write

        try:
            parts = self.server.app(environ, start_response)
            self._send(parts, started, bodiless=self.command == "HEAD")
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection ends
            log.error("the application failed with %s", type(error).__name__)  # noqa: TRY400 - its text could quote a contact
            self.close_connection = True

    def _send(
        self,
        parts: Iterable[bytes],
        started: list[tuple[str, list[tuple[str, str]]]],
        *,
        bodiless: bool,
    ) -> None:
        sent_head = False
        try:
            for part in parts:
                if not sent_head:
                    self._send_head(*started[0])
                    sent_head = True
                if not bodiless:
                    self.wfile.write(part)
            if not sent_head:
                self._send_head(*started[0])
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

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

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""

    def version_string(self) -> str:
        """Return what the header Server says."""
        return "sandbox"


class Server(ThreadedWSGIServer):
    """Werkzeug's threaded server, with a list of its open connections."""

    connections: set[socket.socket]
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that went away."""
