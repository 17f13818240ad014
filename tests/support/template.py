"""A process that has imported formapp, of which each command is a fork.

Python takes a second to import what a command needs, and tests run hundreds of commands. Each is
a process of its own nevertheless: it runs `formapp` as Python's `-m` does, with its own folder,
environment, files and exit code, and can be killed. Only the imports are already done.

`python -m tests.support.template LISTENER`: the listener is the descriptor of a Unix socket for
messages. Each connection is for one command, and `tests.support.forked` has its other side. The
process ends with its standard input.
"""

import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import runpy
import select
import socket
import sys
import threading
import time

from formapp import cli

MAX_ORDER = 1 << 18

# Such a process ends without freeing each of a thousand modules, which takes longer than a command.
fork = multiprocessing.get_context("fork")


def _import_commands() -> None:
    for module in pkgutil.iter_modules(cli.__path__, "formapp.cli."):
        importlib.import_module(module.name)
    # A fork has no other thread than the one that forked.
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()


def _keep(connection: socket.socket, listener: socket.socket) -> None:
    """Start a command, and report its process and how it ended."""
    listener.close()
    order, files, _, _ = socket.recv_fds(connection, MAX_ORDER, 3)
    command = fork.Process(target=_run, args=(connection, files), kwargs=json.loads(order))
    command.start()
    for file in files:
        os.close(file)
    connection.send(str(command.pid).encode())
    command.join()
    connection.send(str(command.exitcode).encode())


def _run(
    connection: socket.socket,
    files: list[int],
    *,
    args: list[str],
    folder: str,
    environ: dict[str, str],
) -> None:
    """Take on what a new process is given, and run formapp."""
    connection.close()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.path[0] = folder
    sys.argv = ["formapp", *args]
    runpy.run_module("formapp", run_name="__main__", alter_sys=True)


def main() -> None:
    """Start a command for each connection."""
    _import_commands()
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in readable:
                # Commands that still run need no waiting for.
                os._exit(0)
            connection, _ = listener.accept()
            fork.Process(target=_keep, args=(connection, listener)).start()
            connection.close()


if __name__ == "__main__":
    main()
