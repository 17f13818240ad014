"""Radicale, an address book server beside `formapp demo --crm`, of the extra `formapp[demo]`."""

import contextlib
import importlib.util
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from formapp.crm.system import CrmError
from formapp.crm.systems.http_calls import HttpCalls

_PACKAGE = "radicale>=3.5"
_START_SECONDS = 30.0
_USER = "shop"
_MADE = (201, 405, 409)
"""It is made, or was there already."""

_MKCOL = b"""<?xml version="1.0" encoding="utf-8"?>
<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop>
<resourcetype><collection/><C:addressbook/></resourcetype><displayname>Contacts</displayname>
</prop></set></mkcol>"""

# Only this machine reaches it, and browsers let no other site's page write to it.
_CONFIG = """[server]
hosts = {host}:{port}
[auth]
type = none
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/collections
[logging]
level = error
"""
_RIGHTS = "[all]\nuser: .*\ncollection: .*\npermissions: RrWw\n"


def check_installed() -> None:
    """Raise ClickException, with a line that installs it, where Radicale is missing."""
    if importlib.util.find_spec("radicale") is None:
        python, package = shlex.quote(sys.executable), shlex.quote(_PACKAGE)
        line = f"{python} -m pip install {package}"
        if importlib.util.find_spec("pip") is None:
            line = f"uv pip install --python {python} {package}"
        reason = f"--crm needs Radicale, an address book server; install it first:\n{line}"
        raise click.ClickException(reason)


@contextmanager
def running_address_book(folder: Path, host: str, port: int) -> Iterator[str]:
    """Run Radicale with its data in this folder; yields the address of its address book."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config"
    place = folder.absolute()
    config.write_text(_CONFIG.format(host=host, port=port, folder=place), "utf-8")
    (folder / "rights").write_text(_RIGHTS, "utf-8")
    command = [sys.executable, "-m", "radicale", "--config", str(config)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own words
    try:
        url = f"http://{host}:{port}/{_USER}/contacts/"
        _make_address_book(process, url, folder / "log")
        yield url
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()


def _make_address_book(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Wait until the server answers; make the address book if it isn't there yet."""
    deadline = time.monotonic() + _START_SECONDS
    # Every user gets a folder; the password is not checked.
    calls = HttpCalls(auth=(_USER, "any"))
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    while True:
        with contextlib.suppress(CrmError):
            made = calls.call("MKCOL", url, data=_MKCOL, headers=headers, allow=_MADE)
            if made.status_code in _MADE:
                break
        if process.poll() is not None or time.monotonic() > deadline:
            raise click.ClickException(f"Radicale didn't start: see {log}")
        time.sleep(0.1)
    calls.close()
