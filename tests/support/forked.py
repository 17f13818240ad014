"""Programs as forks of a process that has imported what they need: see `tests.support.template`."""

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
FORMAPP = "formapp.cli"

_PROGRAM = """\
#!{python} -IS
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.support.forked import FORMAPP, Process
started = Process(FORMAPP, sys.argv[1:], os.getcwd(), dict(os.environ), (0, 1, 2), {path!r})
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: started.send_signal(number))
sys.exit(started.wait())
"""


@cache
def template() -> str:
    """Start the process of which programs are forks; the path of its socket."""
    folder = tempfile.TemporaryDirectory(prefix="formapp-")
    path = f"{folder.name}/socket"
    # Programs may connect at once: they wait until the imports are done.
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
    """A program that was started, with what tests use of `subprocess.Popen`.

    It is the `main` of a module, and its `files` are the descriptors of its standard input, output
    and errors.
    """

    def __init__(  # noqa: PLR0917 - all that a process is given
        self,
        module: str,
        args: list[str],
        folder: Path | str,
        environ: dict[str, str],
        files: tuple[int, int, int],
        path: str | None = None,
    ) -> None:
        self.args = [module, *args]
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(path or template())
        order = {"module": module, "args": args, "folder": str(folder), "environ": environ}
        socket.send_fds(self._connection, [json.dumps(order).encode()], files)
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
                # Nothing comes if what keeps it was killed.
                self.returncode = int(self._connection.recv(64) or -signal.SIGKILL)
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end, if it runs."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, if it runs."""
        self.send_signal(signal.SIGKILL)


def pipe() -> tuple[IO[str], IO[str]]:
    """What a process writes is read by another one: the end to read from, and the other one."""
    reader, writer = os.pipe()
    return open(reader), open(writer, "w")  # noqa: PTH123 - of descriptors


def write_program(file: Path) -> None:
    """Write a `formapp` that is such a process wherever it is called."""
    file.parent.mkdir(parents=True)
    text = _PROGRAM.format(python=sys.executable, root=str(ROOT), path=template())
    file.write_text(text, "utf-8")
    file.chmod(0o755)
