"""Debian's WebKitGTK: its MiniBrowser, by WebDriver through WebKitWebDriver.

https://www.w3.org/TR/webdriver2/
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.driven import Driven, listening, process
from tests.support.processes import free_port

MINI_BROWSERS = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), reverse=True)


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
        stack.enter_context(process([screen, display, "-nolisten", "tcp"], folder))
        log = stack.enter_context(
            process(
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
        listening(port, log)
        browser = WebKit(f"http://127.0.0.1:{port}")
        stack.callback(browser.close)
        yield browser
