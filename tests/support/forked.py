"""Commands of formapp as forks of a process that has imported it: see `tests.support.template`."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]

_PROGRAM = """\
#!{python} -IS
import os, sys
sys.path.insert(0, {root!r})
from tests.support.forked import Process
files = (sys.stdin, sys.stdout, sys.stderr)
sys.exit(Process(sys.argv[1:], os.getcwd(), dict(os.environ), files, {path!r}).wait())
"""


@cache
def template() -> str:
    """Start the process of which commands are forks; the path of its socket."""
    folder = tempfile.TemporaryDirectory(prefix="formapp-")
    path = f"{folder.name}/socket"
    # Commands may connect at once: they wait until the imports are done.
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.template", str(listener.fileno())],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
    atexit.register(folder.cleanup)
    atexit.register(process.communicate)
    return path


class Process:
    """A command that was started, with what tests use of `subprocess.Popen`."""

    def __init__(
        self,
        args: list[str],
        folder: Path | str,
        environ: dict[str, str],
        files: tuple[IO[str], IO[str], IO[str]],
        path: str | None = None,
    ) -> None:
        self.args = args
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(path or template())
        order = {"args": args, "folder": str(folder), "environ": environ}
        socket.send_fds(
            self._connection, [json.dumps(order).encode()], [file.fileno() for file in files]
        )
        self.pid = int(self._connection.recv(64))

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: after so many seconds
        """
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = int(self._connection.recv(64))
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, if it runs."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end, if it runs."""
        self.send_signal(signal.SIGTERM)


def write_program(file: Path) -> None:
    """Write a `formapp` that is such a command wherever it is called."""
    file.parent.mkdir(parents=True)
    text = _PROGRAM.format(python=sys.executable, root=str(ROOT), path=template())
    file.write_text(text, "utf-8")
    file.chmod(0o755)
