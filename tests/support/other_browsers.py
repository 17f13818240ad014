"""Firefox and WebKit, as Debian has them: Playwright's own builds of them can't be had everywhere.

Firefox speaks WebDriver BiDi on a port of its own, WebKitGTK's MiniBrowser the older WebDriver
through WebKitWebDriver. A test asks for little: open an address, run a script, in a frame or not.
"""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from tests.support.processes import free_port

MINI_BROWSERS = (
    sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), reverse=True)
    if Path("/usr/lib").exists()
    else []
)


class Driven(Protocol):
    """A browser with one window."""

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""

    def run(self, script: str, *args: Any, frame: int | None = None) -> Any:
        """Run a function's body with `args`, on the page or in its nth frame; JSON comes back."""


def when(browser: Driven, condition: str, *, frame: int | None = None, seconds: float = 15) -> None:
    """Wait until a condition holds; a page that is being changed doesn't hold it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if browser.run(f"return Boolean({condition})", frame=frame):
                return
        except RuntimeError:  # between two pages
            pass
        time.sleep(0.05)
    pytest.fail(f"it never happened: {condition}")


# Firefox, by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/)


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
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
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
    with _process([*command, "--profile", str(profile), "about:blank"], profile) as log:
        _listening(port, log)
        browser = Firefox(port)
        yield browser
        browser.close()


# WebKit, by WebDriver (https://www.w3.org/TR/webdriver2/)


class WebKit:
    """MiniBrowser with one window."""

    def __init__(self, driver: str) -> None:
        options = {"binary": str(MINI_BROWSERS[0]), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self._http = requests.Session()
        self._base = driver
        session = self._do("POST", "/session", capabilities=wanted)["sessionId"]
        self._base = f"{driver}/session/{session}"

    def _do(self, method: str, path: str, **body: Any) -> Any:
        answer = self._http.request(method, self._base + path, json=body, timeout=60)
        value = answer.json()["value"]
        if not answer.ok:
            raise RuntimeError(value["message"])
        return value

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        self._do("POST", "/frame", id=None)
        self._do("POST", "/url", url=url)

    def run(self, script: str, *args: Any, frame: int | None = None) -> Any:
        """Run a function's body; JSON comes back."""
        self._do("POST", "/frame", id=None)
        if frame is not None:
            self._do("POST", "/frame", id=frame)
        return self._do("POST", "/execute/sync", script=script, args=list(args))

    def close(self) -> None:
        """End the session, and the browser."""
        self._do("DELETE", "")
        self._http.close()


@contextmanager
def webkit(folder: Path) -> Iterator[Driven]:
    """Debian's MiniBrowser on a screen that nobody sees; skipped where it isn't installed."""
    programs = [shutil.which(name) for name in ("WebKitWebDriver", "Xvfb")]
    driver, screen = programs
    if not driver or not screen or not MINI_BROWSERS:
        pytest.skip("install Debian's webkit2gtk-driver and xvfb to run this")
    port = free_port()
    display = f":{port}"
    with ExitStack() as stack:
        stack.enter_context(_process([screen, display, "-nolisten", "tcp"], folder))
        log = stack.enter_context(
            _process(
                [driver, f"--port={port}"],
                folder,
                DISPLAY=display,
                GDK_BACKEND="x11",
                HOME=str(folder),
                # Tests may run as root, where WebKit's own sandbox can't be set up.
                WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS="1",
                LIBGL_ALWAYS_SOFTWARE="1",
            )
        )
        _listening(port, log)
        browser = WebKit(f"http://127.0.0.1:{port}")
        stack.callback(browser.close)
        yield browser


@contextmanager
def _process(command: list[str], folder: Path, **environ: str) -> Iterator[Path]:
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env=os.environ | environ, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield log
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listening(port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the browser never listened: {log.read_text()[-500:]}")
