"""A stand-in for a service that checks challenges, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

GOOD_TOKEN = "good"
SECRET = "0x4AAA-of-the-service"


class Verifier(ThreadingHTTPServer):
    """Says what the services say: one token is right, once.

    Attributes:
        asked: the bodies that came, as names and values.
        fault: what to do instead: `500`, `redirect`, `garbage`, `slow` (says nothing),
            `dripping head` or `dripping body` (goes on and on, byte by byte), `large`, or a code
            of the services; None: answer.
        used: token to the key of the question it was used up by.
        quiet: ends the silence.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, str]] = []
        self.fault: str | None = None
        self.used: dict[str, str] = {}
        self.quiet = threading.Event()

    @property
    def url(self) -> str:
        """Where to ask."""
        return f"http://127.0.0.1:{self.server_port}/siteverify"

    def answer(self, sent: dict[str, str]) -> dict[str, Any]:
        """What a service would say."""
        if self.fault and self.fault != "large":
            return _no(self.fault)
        if sent.get("secret") != SECRET:
            return _no("invalid-input-secret")
        token, key = sent.get("response", ""), sent.get("idempotency_key", "")
        if not token.startswith(GOOD_TOKEN):
            return _no("invalid-input-response")
        if self.used.setdefault(token, key) != key:
            return _no("timeout-or-duplicate")
        return {"success": True, "challenge_ts": "2026-03-02T12:00:00Z", "hostname": "x"}


class _Handler(BaseHTTPRequestHandler):
    server: Verifier

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        pairs = parse_qs(self.rfile.read(length).decode())
        sent = {name: values[0] for name, values in pairs.items()}
        self.server.asked.append(sent)
        if self.server.fault == "slow":
            self.server.quiet.wait(20)
            return
        if self.server.fault and self.server.fault.startswith("dripping"):
            self._drip(b"HTTP/1.1 200 OK\r\n" + b"\r\n" * self.server.fault.endswith("body"))
            return
        status = {"500": 500, "redirect": 307}.get(self.server.fault or "", 200)
        body = b"<html>" if self.server.fault == "garbage" else _json(self.server.answer(sent))
        body += b" " * 100_000 * (self.server.fault == "large")
        self.send_response(status)
        if status == 307:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, beginning: bytes) -> None:
        self.wfile.write(beginning)
        with suppress(OSError):  # the other side has had enough
            while not self.server.quiet.wait(0.02):
                self.wfile.write(b"x")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def _no(code: str) -> dict[str, Any]:
    return {"success": False, "error-codes": [code]}


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


@contextmanager
def verifier() -> Iterator[Verifier]:
    """Run one."""
    server = Verifier()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.quiet.set()
        server.shutdown()
        thread.join()
        server.server_close()
