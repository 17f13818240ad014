"""Other browsers than Chromium, as Debian has them: Playwright's builds can't be had everywhere.

A test asks for little: open an address, run a script, in a frame or not.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest


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


@contextmanager
def process(command: list[str], folder: Path, **environ: str) -> Iterator[Path]:
    """A running program, and the file that takes what it prints."""
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


def listening(port: int, log: Path) -> None:
    """Wait until a program listens on its port."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the browser never listened: {log.read_text()[-500:]}")
