"""A process that imports what programs need, and forks itself for each program.

Python takes a second to import formapp with all its commands, and tests start hundreds. Each is a
process of its own nevertheless, with its own arguments, folder, environment, files and exit code,
and can be killed. Only the imports are already done.

`python -m tests.support.template LISTENER`: the listener is the descriptor of a Unix socket for
messages. Each connection is for one program, and `tests.support.forked` has its other side. The
process ends with its standard input.
"""

import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import select
import signal
import socket
import sys
import threading
import time

from formapp import cli

MAX_ORDER = 1 << 18

# Such a process ends without freeing each of a thousand modules, which takes longer than a command.
fork = multiprocessing.get_context("fork")


def _import(*modules: str) -> None:
    """Import what isn't yet; a fork has no other thread than the one that forks."""
    if any(module not in sys.modules for module in modules):
        for module in modules:
            importlib.import_module(module)
        assert threading.active_count() == 1
        gc.collect()
        gc.freeze()


def _serve(connection: socket.socket) -> None:
    order, files, _, _ = socket.recv_fds(connection, MAX_ORDER, 3)
    program = json.loads(order)
    _import(program["module"])
    fork.Process(target=_keep, args=(connection, files), kwargs=program).start()
    connection.close()
    for file in files:
        os.close(file)


def _keep(connection: socket.socket, files: list[int], **program: str) -> None:
    """Start a program, and report its process and how it ended."""
    process = fork.Process(target=_run, args=(connection, files), kwargs=program)
    process.start()
    for file in files:
        os.close(file)
    assert process.pid
    connection.send(str(process.pid).encode())
    ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert ended
    code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    connection.send(str(code).encode())
    # Until the test knows, no other process gets its number: the test may send it a signal.
    connection.recv(1)
    process.join()


def _run(
    connection: socket.socket,
    files: list[int],
    *,
    module: str,
    args: list[str],
    folder: str,
    environ: dict[str, str],
) -> None:
    """Take on what a new process is given, and call the module's `main`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    connection.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as Python begins
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.path[0] = folder
    sys.argv = [module, *args]
    importlib.import_module(module).main()


def main() -> None:
    """Start a program for each connection."""
    # Ctrl-C ends the tests, which then end their programs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import(*(each.name for each in pkgutil.iter_modules(cli.__path__, "formapp.cli.")))
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in readable:
                # Programs that still run need no waiting for.
                os._exit(0)
            connection, _ = listener.accept()
            _serve(connection)


if __name__ == "__main__":
    main()
