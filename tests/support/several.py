"""`formapp serve` with several processes, and a way to choose which of them answers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.support.processes import environ, eventually, free_port, wait_for

_START = """
import formapp.request_parser
from formapp.cli import main
from formapp.jobs.worker import Worker
formapp.request_parser.MAX_BODIES = {max_bodies}
Worker.__init__.__kwdefaults__["poll_seconds"] = 600.0  # nothing but a wake-up
main()
"""
MAX_BODIES = 4 * 1024 * 1024


class SeveralServers:
    """A supervisor with its processes; their workers never poll, and bodies have 4 MiB.

    Attributes:
        base: the address of all.
        supervisor: the process that was started.
    """

    def __init__(self, folder: Path, *options: str, **settings: str) -> None:
        self._log = folder / "several.log"
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        given = {"SECRET_KEY": "a key that is long enough", "BASE_URL": self.base}
        with self._log.open("w") as log:
            start = _START.format(max_bodies=MAX_BODIES)
            self.supervisor = subprocess.Popen(
                [sys.executable, "-c", start, "serve", "--port", str(port), *options],
                cwd=folder,
                env=environ(given | settings),
                stdout=log,
                stderr=log,
                text=True,
            )
        wait_for(f"{self.base}/readyz")

    @property
    def log(self) -> str:
        """What was logged so far."""
        return self._log.read_text()

    def pid(self, name: str) -> int:
        """The process that has this task now, such as `web server 1`."""
        found: list[str] = re.findall(rf"{name} is process (\d+)", self.log)
        return int(found[-1])

    @contextmanager
    def only(self, number: int) -> Iterator[None]:
        """Have this one of two web servers answer, 1 or 2: the other one stands still."""
        other = self.pid(f"web server {3 - number}")
        os.kill(other, signal.SIGSTOP)
        try:
            eventually(lambda: _state(other) == "T")
            yield
        finally:
            os.kill(other, signal.SIGCONT)

    def ask(self, method: str, path: str, number: int, **more: Any) -> requests.Response:
        """Send one request, by a connection of its own, to this one of two web servers."""
        with self.only(number):
            return requests.request(
                method, self.base + path, timeout=20, allow_redirects=False, **more
            )

    def close(self) -> int:
        """End it as a service manager does; the exit code."""
        if self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
        return self.supervisor.wait(30)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it hasn't ended."""
    try:
        return _state(pid) != "Z"
    except FileNotFoundError:
        return False
