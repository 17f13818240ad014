"""Debian's firefox-esr, by WebDriver BiDi on a port of its own.

https://w3c.github.io/webdriver-bidi/
"""

import base64
import json
import os
import shutil
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.driven import Driven, listening, process
from tests.support.processes import free_port


class _Socket:
    """As much of a WebSocket (RFC 6455) as one client needs: text, both ways."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /session HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._stream = self._socket.makefile("rb")
        while self._stream.readline().strip():
            pass

    def send(self, text: str) -> None:
        data, mask = text.encode(), os.urandom(4)
        size = len(data)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 1 << 16:
            length = struct.pack(">BH", 0xFE, size)
        else:
            length = struct.pack(">BQ", 0xFF, size)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
        self._socket.sendall(b"\x81" + length + mask + masked)

    def receive(self) -> str:
        text = b""
        while True:
            first, size = self._stream.read(2)
            if size == 126:
                [size] = struct.unpack(">H", self._stream.read(2))
            elif size == 127:
                [size] = struct.unpack(">Q", self._stream.read(8))
            text += self._stream.read(size)
            if first & 0x80:
                return text.decode()

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


class Firefox:
    """Firefox with one tab."""

    def __init__(self, port: int) -> None:
        self._socket = _Socket(port)
        self._ids = count(1)
        self._do("session.new", capabilities={})
        self._tab = self._do("browsingContext.getTree")["contexts"][0]["context"]

    def _do(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._socket.receive())).get("id") != number:
            pass
        if answer["type"] == "error":
            raise RuntimeError(answer["message"])
        return answer["result"]

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        self._do("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def run(self, script: str, *args: Any, frame: int | None = None) -> Any:
        """Run a function's body; JSON comes back."""
        context = self._tab
        if frame is not None:
            [tree] = self._do("browsingContext.getTree", root=self._tab)["contexts"]
            if len(tree["children"]) <= frame:
                raise RuntimeError("there is no such frame")
            context = tree["children"][frame]["context"]
        body = f"(...given) => JSON.stringify((function() {{ {script} }})(...given) ?? null)"
        done = self._do(
            "script.callFunction",
            functionDeclaration=body,
            arguments=[{"type": "string", "value": one} for one in args],
            target={"context": context},
            awaitPromise=False,
        )
        if done["type"] == "exception":
            raise RuntimeError(done["exceptionDetails"]["text"])
        return json.loads(done["result"]["value"])

    def close(self) -> None:
        """End the session."""
        self._socket.close()


@contextmanager
def firefox(profile: Path) -> Iterator[Driven]:
    """Debian's firefox-esr without a window; skipped where it isn't installed."""
    program = shutil.which("firefox-esr")
    if not program:
        pytest.skip("install Debian's firefox-esr to run this")
    port = free_port()
    command = [program, "--headless", "--remote-debugging-port", str(port)]
    with process([*command, "--profile", str(profile), "about:blank"], profile) as log:
        listening(port, log)
        browser = Firefox(port)
        yield browser
        browser.close()
