"""Connections that stall or trickle at a server, and a visitor among them."""

import itertools
import shutil
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from formapp.resources import BUNDLED_FORMS
from tests.support import photos
from tests.support.processes import Commands, free_port, wait_for

HEAD = b"POST /f/contact HTTP/1.1\r\nHost: 127.0.0.1\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
FILE = (
    b"POST /f/roof HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: "
    b'form-data; name="photos"; filename="roof.jpg"\r\n\r\n'
)
# What each sends at first, and then every second, if anything.
KINDS = {
    "says nothing": (b"", b""),
    "stalls in its head": (HEAD + b"X: ", b""),
    "stalls in its body": (HEAD + FORM + b"Content-Length: 5000\r\n\r\nname=", b""),
    "trickles its head": (HEAD + b"X: ", b"x"),
    "trickles its body": (HEAD + FORM + b"Content-Length: 5000\r\n\r\nname=", b"x"),
    "trickles chunks": (HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "trickles a chunk's size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "never reads": (b"GET /f/contact HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20, b""),
}
UPLOADS = {"trickles a file": (FILE, b"x" * 64)}
"""What a file of nine megabytes sends over a bad line."""

VISIT_SECONDS = 0.05


@dataclass
class Result:
    """What came of it.

    Attributes:
        waits: seconds that each page took the visitor, the quickest first.
        failures: pages that the visitor did not get.
        renewed: connections that the server had ended, and that were made again.
    """

    waits: list[float] = field(default_factory=list)
    failures: int = 0
    renewed: int = 0

    def percentile(self, share: float) -> float:
        """The wait that this share of the pages took at most."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))]


def run(folder: Path, connections: int, seconds: float, *, uploads: bool = False) -> Result:
    """Measure a `formapp serve` of its own in this folder, among uploads alone or all kinds."""
    commands, port = Commands(folder), free_port()
    forms = folder / "forms"
    forms.mkdir()
    shutil.copy(BUNDLED_FORMS / "contact.toml", forms)
    (forms / "roof.toml").write_text(photos.FORM)
    web = f"http://127.0.0.1:{port}"
    try:
        commands.start(
            *("serve", "--no-worker", "--port", str(port)),
            SECRET_KEY="a key that is long enough",
            DATABASE_URL=f"sqlite:///{folder / 'formapp.db'}",
            BASE_URL=web,
            FORMS=str(forms),
        )
        wait_for(f"{web}/readyz")
        result = Result()
        kinds = UPLOADS if uploads else KINDS | UPLOADS
        with _crowd(port, kinds, connections, result):
            ends_at = time.monotonic() + seconds
            while time.monotonic() < ends_at:
                _visit(web, result)
                time.sleep(VISIT_SECONDS)
    finally:
        commands.close()
    result.waits.sort()
    return result


def _visit(web: str, result: Result) -> None:
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(f"{web}/f/contact", timeout=10) as page:
            page.read()
    except OSError:
        result.failures += 1
    result.waits.append(time.perf_counter() - began)


@contextmanager
def _crowd(
    port: int, given: Mapping[str, tuple[bytes, bytes]], connections: int, result: Result
) -> Iterator[None]:
    """Hold so many connections, and make those again that the server ends."""
    kinds = itertools.cycle(given.values())
    held = [(_connect(port, first), first, then) for first, then in _first(kinds, connections)]
    over = threading.Event()

    def hold() -> None:
        while not over.wait(1):
            for number, (client, first, then) in enumerate(held):
                if not _goes_on(client, then):
                    client.close()
                    held[number] = _connect(port, first), first, then
                    result.renewed += 1

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for client, _, _ in held:
            client.close()


def _first(kinds: Iterator[tuple[bytes, bytes]], count: int) -> list[tuple[bytes, bytes]]:
    return list(itertools.islice(kinds, count))


def _connect(port: int, first: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    with suppress(OSError):
        client.sendall(first)
    client.settimeout(0)
    return client


def _goes_on(client: socket.socket, then: bytes) -> bool:
    try:
        if then:
            client.send(then)
        # Only whether it has ended: what never reads must not begin to.
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
