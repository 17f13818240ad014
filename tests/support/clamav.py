"""A real clamd with a signature of its own, which finds one harmless text."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INFECTED = b"this text stands for a virus in the tests of formapp"
NAME = "Formapp.Test.UNOFFICIAL"
_SECONDS = 30


def find_clamd() -> str | None:
    """The path of the daemon, None where it isn't installed."""
    return shutil.which("clamd") or shutil.which("/usr/sbin/clamd")


@contextmanager
def running_clamd(folder: Path, *, most: str = "1M") -> Iterator[str]:
    """Start a daemon; yields its address."""
    program = find_clamd()
    assert program
    signatures, place = folder / "signatures", folder / "clamd.ctl"
    signatures.mkdir()
    (signatures / "test.ndb").write_text(f"Formapp.Test:0:*:{INFECTED.hex()}\n")
    settings = folder / "clamd.conf"
    settings.write_text(
        f"DatabaseDirectory {signatures}\nLocalSocket {place}\nForeground yes\n"
        f"StreamMaxLength {most}\nUser {folder.owner()}\nAllowAllMatchScan no\n"
    )
    with subprocess.Popen(
        [program, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(place, process)
            yield f"unix:{place}"
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _wait_for(place: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as tried:
            if place.exists() and tried.connect_ex(str(place)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("clamd did not start")
