"""The bad line between client and Wix: a TCP proxy that breaks calls as its seed says.

`python -m tests.proofs.faults.proxy --target PORT --seed TEXT --rate 0.25 --edits 0.3 --slow 0.6`

It passes HTTP of any kind on, so that CardDAV meets the same faults.

Kinds of fault: the connection is cut before, during (half of the request, or half of the answer)
and after; it stays half-open; it stalls in the middle of the answer; the call arrives late, when
the client has given up; the JSON is truncated; a gateway answers 502 with HTML, with or without the
call having been applied; or 429 comes. `GET /_proxy` tells the counts, `DELETE /_proxy` mends all.
"""

import argparse
import json
import signal
import socket
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from tests.proofs.faults.editor import Editor
from tests.proofs.faults.rng import rng

KINDS = (
    "cut_before",
    "cut_request",
    "cut_answer",
    "cut_after",
    "half_open",
    "stall",
    "late",
    "truncated_json",
    "gateway",
    "gateway_applied",
    "too_many",
)
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_HEAD = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
_GATEWAY = _HEAD % len(_HTML) + _HTML
_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding")
_TOO_MANY = b"HTTP/1.1 429 -\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


class Line(ThreadingTCPServer):
    """Listens on a free port and passes calls on to the target."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, target: int, seed: str, rate: float, slow: float, editor: Editor) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.target = target
        self.rate = rate
        self.slow = slow
        self.editor = editor
        self.counts: Counter[str] = Counter()
        self._rng = rng(seed, "proxy")
        self._lock = threading.Lock()

    def draw(self) -> str | None:
        """The fault that the next call meets, if any."""
        with self._lock:
            self.counts["calls"] += 1
            if self._rng.random() >= self.rate:
                return None
            kind = self._rng.choice(KINDS)
            self.counts[kind] += 1
            return kind


class _Call(StreamRequestHandler):
    """One connection of a client; calls come one after another."""

    server: Line
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._upstream = HTTPConnection("127.0.0.1", self.server.target, timeout=30)
        try:
            while request := self._read():
                if request[0].split(b" ")[1] == b"/_proxy":
                    self._control(request[0])
                elif not self._pass_on(request, self.server.draw()):
                    return
        except (OSError, HTTPException):
            return
        finally:
            self._upstream.close()

    def _read(self) -> tuple[bytes, dict[str, str], bytes] | None:
        first = self.rfile.readline(65536)
        if not first:
            return None
        headers: dict[str, str] = {}
        for line in iter(lambda: self.rfile.readline(65536).strip(), b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return first, headers, self.rfile.read(int(headers.get("content-length", 0)))

    def _control(self, first: bytes) -> None:
        if first.startswith(b"DELETE"):
            self.server.rate = 0.0
        counts = {**self.server.counts, "edits": self.server.editor.made}
        body = json.dumps(counts).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def _pass_on(self, request: tuple[bytes, dict[str, str], bytes], kind: str | None) -> bool:
        """Pass one call on, with its fault; returns whether the connection goes on."""
        if kind == "cut_before":
            return self._cut()
        if kind == "cut_request":
            return self._cut_request(request)
        if kind == "half_open":
            return self._hold()
        if kind in {"gateway", "too_many"}:
            self.wfile.write(_GATEWAY if kind == "gateway" else _TOO_MANY)
            return True
        if kind == "late":
            time.sleep(self.server.slow)
        whole = self._ask(request)
        if kind in {None, "late"}:
            self.wfile.write(whole)
            return True
        return self._spoil(whole, kind)

    def _spoil(self, whole: bytes, kind: str | None) -> bool:
        """Send an answer, to a call that was applied, in a way that nobody can use."""
        head, _, body = whole.partition(b"\r\n\r\n")
        if kind == "gateway_applied":
            self.wfile.write(_GATEWAY)
            return True
        if kind == "truncated_json" and b"application/json" in head:
            self.wfile.write(_with_body(head, body[: len(body) // 2]))
            return True
        if kind in {"cut_answer", "stall"}:
            self.wfile.write(whole[: len(head) + len(body) // 2])
        return self._hold() if kind == "stall" else self._cut()

    def _ask(self, request: tuple[bytes, dict[str, str], bytes]) -> bytes:
        first, headers, body = request
        method, path, _ = first.decode("latin-1").split(" ")
        hop = {"connection", "content-length", "host", "accept-encoding"}
        kept = {name: value for name, value in headers.items() if name not in hop}
        self._upstream.request(method, path, body or None, kept)
        answer = self._upstream.getresponse()
        said = answer.read()
        self._show_editor(method, path, answer.status, said)
        lines = [f"HTTP/1.1 {answer.status} -"]
        lines += [f"{name}: {value}" for name, value in answer.getheaders() if name not in _HOP]
        return _with_body("\r\n".join(lines).encode("latin-1"), said)

    def _show_editor(self, method: str, path: str, status: int, said: bytes) -> None:
        reads = path.endswith("/contacts/query") or (
            method == "GET" and "/contacts/v4/contacts/" in path
        )
        if reads and status == 200:
            answer: dict[str, Any] = json.loads(said)
            shown = [answer["contact"]] if "contact" in answer else answer.get("contacts", [])
            if shown and "revision" in shown[0]:
                self.server.editor.meet(shown[0])

    def _cut_request(self, request: tuple[bytes, dict[str, str], bytes]) -> bool:
        first, headers, body = request
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        raw = first + lines.encode("latin-1") + b"\r\n" + body
        with socket.create_connection(("127.0.0.1", self.server.target), 5) as upstream:
            upstream.sendall(raw[: len(raw) - max(1, len(body) // 2)])
        return self._cut()

    def _hold(self) -> bool:
        """Say nothing until the client gives up."""
        self.connection.settimeout(30)
        self.connection.recv(1)
        return False

    def _cut(self) -> bool:
        # Without lingering the system sends RST instead of an orderly end.
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False


def _with_body(head: bytes, body: bytes) -> bytes:
    kept = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length:")]
    return b"\r\n".join([*kept, b"Content-Length: %d" % len(body), b"", body])


def main() -> None:
    """Serve until SIGTERM; prints the address once it does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", type=int, required=True)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--edits", type=float, default=0.0)
    parser.add_argument("--slow", type=float, default=0.6)
    chosen = parser.parse_args()
    editor = Editor(chosen.target, chosen.seed, chosen.edits)
    line = Line(chosen.target, chosen.seed, chosen.rate, chosen.slow, editor)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(f"http://127.0.0.1:{line.server_address[1]}\n")
    sys.stdout.flush()
    line.serve_forever()


if __name__ == "__main__":
    main()
