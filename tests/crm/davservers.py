"""Real CardDAV servers, in an environment of their own: Radicale and Xandikos.

Nothing is shipped and nothing is written into the tree: the environment is in pytest's cache, in a
folder named by what is installed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.support.processes import free_port

PACKAGES = ("radicale==3.9.0", "xandikos==0.4.10")
USER, PASSWORD = "shop", "pässword of the shop"
_MKCOL = """<?xml version="1.0" encoding="utf-8"?>
<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype>
<collection/><C:addressbook/></resourcetype></prop></set></mkcol>"""


def environment(cache: Path) -> Path:
    """The environment's folder; see `installed`."""
    return installed(cache, PACKAGES)


def installed(
    cache: Path, packages: Sequence[str], set_up: Callable[[Path], None] = lambda _: None
) -> Path:
    """An environment with these packages, made unless the cache has it; skips, but fails in CI.

    `set_up` adds to its folder.
    """
    name = hashlib.sha256(" ".join((sys.version, *packages)).encode()).hexdigest()[:16]
    folder = cache / name
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        # The other test processes of a run wait: to install at once would take each twice as long.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = Path(tempfile.mkdtemp(dir=cache))
            _install(made, packages)
            set_up(made)
            made.rename(folder)  # scripts name their interpreter, but we start modules
    return folder


def _install(folder: Path, packages: Sequence[str]) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    commands = (
        # What isn't imported needs no compiling, nor does each environment need a pip.
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [*pip, "install", "--quiet", "--no-compile", *packages],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
        if done.returncode:
            shutil.rmtree(folder)
            reason = f"{', '.join(packages)} can't be installed: {done.stderr.strip()[-500:]}"
            if os.environ.get("CI"):
                pytest.fail(f"{reason} (in CI nothing is skipped)")
            pytest.skip(reason)


@dataclass
class AddressBook:
    """One empty address book of a running server, and what people do there."""

    url: str
    auth: tuple[bytes, bytes] | None

    def put(self, name: str, card: str) -> None:
        """Create or replace a card."""
        answer = self.call("PUT", name, data=card.encode())
        assert answer.status_code in (201, 204), answer.text

    def read(self, name: str) -> str:
        """The card's text."""
        answer = self.call("GET", name)
        assert answer.status_code == 200
        return answer.content.decode()

    def remove(self, name: str) -> None:
        """Delete a card."""
        assert self.call("DELETE", name).status_code in (200, 204)

    def call(self, method: str, name: str = "", **more: object) -> requests.Response:
        """Call the server as another program."""
        return requests.request(method, self.url + name, auth=self.auth, timeout=20, **more)  # type: ignore[arg-type]


@dataclass
class DavServer:
    """A running server."""

    url: str
    auth: tuple[bytes, bytes] | None
    made: int = 0

    def address_book(self) -> AddressBook:
        """Make one."""
        self.made += 1
        book = AddressBook(f"{self.url}book-{self.made}/", self.auth)
        headers = {"Content-Type": "application/xml"}
        answer = book.call("MKCOL", data=_MKCOL.encode(), headers=headers)
        assert answer.status_code == 201, answer.text
        return book


@contextmanager
def radicale(venv: Path, folder: Path) -> Iterator[DavServer]:
    """Radicale, with a password and folders of each user's own."""
    port = free_port()
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n", "utf-8")
    (folder / "config").write_text(f"""
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder / "users"}
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder / "collections"}
[rights]
type = owner_only
""")
    command = ["-m", "radicale", "--config", str(folder / "config")]
    auth = (USER.encode(), PASSWORD.encode())
    with running(venv, folder, command, f"http://127.0.0.1:{port}/"):
        yield DavServer(f"http://127.0.0.1:{port}/{USER}/", auth)


@contextmanager
def xandikos(venv: Path, folder: Path) -> Iterator[DavServer]:
    """Xandikos, which asks for no password."""
    port = free_port()
    store = str(folder / "store")
    command = ["-m", "xandikos", "serve", "--defaults", "-d", store, "-l", "127.0.0.1"]
    with running(venv, folder, [*command, "-p", str(port)], f"http://127.0.0.1:{port}/"):
        yield DavServer(f"http://127.0.0.1:{port}/user/contacts/", None)


@contextmanager
def running(venv: Path, folder: Path, command: list[str], url: str) -> Iterator[None]:
    """Run a Python program until it answers at the address, and in the block.

    It may start slowly: Tryton takes 4 s of a processor that several test processes may share.
    """
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(venv / "bin" / "python"), *command], stdout=log, stderr=log, cwd=folder
        )
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                requests.get(url, timeout=60, allow_redirects=False)
                break
            except requests.RequestException:
                assert process.poll() is None, (folder / "log").read_text()[-1000:]
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()
