"""formapp as its own processes, as an owner runs it."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import requests

from tests.support.forked import FORMAPP, Process

Result = subprocess.CompletedProcess[str]
SITE = "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"


def environ(settings: dict[str, str]) -> dict[str, str]:
    """The environment with these settings of formapp (without their prefix) and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FORMAPP_")}
    return clean | {f"FORMAPP_{name}": value for name, value in settings.items()}


def free_port() -> int:
    """A port that was free a moment ago.

    Below those that the system gives to outgoing connections, and each of several test processes
    has a range of its own: nobody takes it before the server that it is for. All are above 10080,
    the highest port that browsers refuse to visit (the Fetch standard's "bad ports").
    """
    runner = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 11_000 + runner % 8 * 2500
    while True:
        port = random.randrange(first, first + 2500)  # noqa: S311 - nobody is to be surprised
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Commands:
    """Runs and starts commands in one folder; `close` ends what still runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[Process] = []

    def run(self, *args: str, **settings: str) -> Result:
        """Run a command to its end."""
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = self._start(args, settings, output, errors)
            try:
                code = process.wait(150)
            finally:
                process.kill()
                process.wait()
            output.seek(0)
            errors.seek(0)
            return Result(args, code, output.read(), errors.read())

    def start(self, *args: str, **settings: str) -> Process:
        """Start a command that goes on; what it prints is in `<command>.log`."""
        with (self.folder / f"{args[0]}.log").open("a") as log:
            process = self._start(args, settings, log, log)
        self._processes.append(process)
        return process

    def _start(
        self, args: Sequence[str], settings: dict[str, str], output: IO[str], errors: IO[str]
    ) -> Process:
        with Path(os.devnull).open() as nothing:
            files = nothing.fileno(), output.fileno(), errors.fileno()
            return Process(FORMAPP, [*args], self.folder, environ(settings), files)

    def close(self) -> None:
        """Kill whatever still runs."""
        for process in self._processes:
            process.kill()
            process.wait()


def wait_for(url: str, seconds: float = 20) -> None:
    """Wait until the address answers 200."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        assert time.monotonic() < deadline, f"{url} didn't answer"
        time.sleep(0.05)


def send(base: str, form: str, **answers: str) -> requests.Response:
    """Fill in a form as a browser without JavaScript would."""
    with requests.get(f"{base}/f/{form}", timeout=10) as page:
        token = re.search(r'name="_token"[^>]*value="([^"]+)"', page.text)
    assert token
    return requests.post(
        f"{base}/f/{form}",
        data={"_token": token[1], **answers},
        allow_redirects=False,
        timeout=10,
    )


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't come true"
        time.sleep(0.05)


def end(process: Process | subprocess.Popen[str]) -> int:
    """Ask the process to end, as a service manager does, and return its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(30)


class Installation:
    """A sandbox and a server with its worker, each a process of its own."""

    def __init__(self, commands: Commands, database_url: str, **more: str) -> None:
        self._commands = commands
        self._web_port, sandbox_port = free_port(), free_port()
        self.web = f"http://127.0.0.1:{self._web_port}"
        self.sandbox = f"http://127.0.0.1:{sandbox_port}"
        self.settings = {
            "DATABASE_URL": database_url,
            "SECRET_KEY": "a key that is long enough",
            "BASE_URL": self.web,
            "WIX_API_URL": self.sandbox,
            "WIX_API_KEY": "IST.example",
            "WIX_SITE_ID": SITE,
            **more,
        }
        self.sandbox_process = commands.start("sandbox", "--port", str(sandbox_port))
        self.serve_process = self.serve()
        wait_for(f"{self.sandbox}/")

    def serve(self, *options: str) -> Process:
        """Start a server and wait until it is ready."""
        port = str(self._web_port)
        process = self._commands.start("serve", "--port", port, *options, **self.settings)
        wait_for(f"{self.web}/readyz")
        return process

    def run(self, *args: str) -> Result:
        """Run a command with this installation's settings."""
        return self._commands.run(*args, **self.settings)

    def contacts(self) -> list[dict[str, Any]]:
        """The sandbox's contacts, whole."""
        url = f"{self.sandbox}/_sandbox/sites/{SITE}/contacts"
        answer = requests.get(url, timeout=10)
        if answer.status_code == 404:
            return []
        return [entry["contact"] for entry in answer.json()["contacts"]]
