"""A site behind the embedded server, and requests as bytes."""

import socket
import threading
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from urllib.parse import urlencode

from formapp.server import Server, listen
from formapp.web.public.views import answers_at_once
from tests.web.support import GOOD, Site

Address = tuple[str, int]


class Running:
    """A site behind its server, in a thread."""

    def __init__(
        self,
        site: Site,
        body_limits: Mapping[str, int] | None = None,
        *,
        gathers: bool | None = None,
    ) -> None:
        """`gathers`: as `serve` has it, unless given."""
        gathers = site.database.is_sqlite if gathers is None else gathers
        listener = listen("127.0.0.1", 0)
        self.site = site
        self.address: Address = listener.getsockname()
        at_once = partial(answers_at_once, site.app)
        self.server = Server(
            site.app, listener, body_limits=body_limits, at_once=at_once, gathers=gathers
        )
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def connect(self) -> socket.socket:
        """A connection of a client that is patient for two seconds."""
        return socket.create_connection(self.address, timeout=2)

    def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send bytes, and read the one answer to them."""
        with closing(self.connect()) as client:
            client.sendall(request)
            return answer(client)

    def stop(self) -> None:
        """End it as a signal does."""
        self.server.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()


def answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    with client.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers: dict[str, str] = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(": ")
            headers[name.lower()] = value
        return status, headers, stream.read(int(headers.get("content-length", 0)))


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def post(path: str, body: bytes, *headers: str, content_length: int | None = None) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(body) if content_length is None else content_length}",
        *headers,
    ]
    if not any(line.startswith("Content-Type") for line in headers):
        lines.append("Content-Type: application/x-www-form-urlencoded")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def good(site: Site) -> bytes:
    return urlencode(GOOD | {"_token": site.token()}).encode()
