"""`formapp serve --processes N`: several web servers on one address, and one worker beside them.

All accept from one listening socket, which they inherit. A connection waits in its queue, not in
that of a process (as with SO_REUSEPORT, which also lets a second installation listen by mistake): a
process that is busy takes fewer, and what waits for one that dies is taken by another. What must be
counted together is in memory that all inherit; see `Shared`.
"""

import gc
import mmap
import multiprocessing
import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from formapp.app import create_app
from formapp.cli.cores import stay_on
from formapp.cli.load import body_limits
from formapp.cli.supervisor import Supervisor
from formapp.cli.wiring import ignore_signals, on_signals, one_line_errors, open_database
from formapp.cli.worker import make_worker_group, woken_by
from formapp.config.settings import Settings
from formapp.forms.form import Form
from formapp.monitoring.metrics import Metrics, share_counters
from formapp.request_parser import Bodies
from formapp.server import Connections, Server
from formapp.web.public.views import answers_at_once
from formapp.web.services import EXTENSION
from formapp.web.shared_counts import PART, SharedCounts

MOST = 64
"""Processes; the table of counts of each has a MiB."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory
_WORD = 8


class Shared:
    """What the web servers of one `serve`, and their worker, share.

    Attributes:
        cores: where each web server runs; None: on any.
        bodies: bytes of bodies that each is receiving or answering (`formapp.request_parser`).
        connections: how many each has (`formapp.server.Connections`).
        counts: of limits and sign-ins (`formapp.web.shared_counts`).
        key: of the names of these counts.
        metrics: the folder of what each has counted (`formapp.monitoring.metrics`).
    """

    def __init__(self, cores: Sequence[int | None], metrics: Path) -> None:
        processes, self.cores = len(cores), cores
        self.bodies = memoryview(mmap.mmap(-1, processes * _WORD)).cast("Q")
        self.connections = memoryview(mmap.mmap(-1, processes * _WORD)).cast("Q")
        self.counts = memoryview(mmap.mmap(-1, processes * PART * _WORD)).cast("Q")
        self.key = secrets.token_bytes(32)
        self.metrics = metrics
        self._rung, self._bell = os.pipe()
        os.set_blocking(self._bell, False)

    def ring(self) -> None:
        """Wake the worker, in whichever process it is."""
        with suppress(BlockingIOError):  # it hasn't heard the last 64 KiB yet
            os.write(self._bell, b"!")

    def listen(self, wake: Callable[[], None]) -> None:
        """Call this at every ring, from a thread that ends with the process."""

        def run() -> None:
            while os.read(self._rung, mmap.PAGESIZE):
                wake()

        threading.Thread(target=run, daemon=True, name="bell").start()


def serve_many(  # noqa: PLR0913 - one of them is named
    settings: Settings,
    forms: Mapping[str, Form],
    listener: socket.socket,
    ready: Callable[[], None],
    cores: Sequence[int | None],
    *,
    worker: bool,
) -> bool:
    """Serve by a process for each of `cores` until a signal comes; whether all ended well.

    Faults of the settings and of the database are raised here, before there is any process.
    """
    with closing(open_database(settings, create=True)) as database:
        create_app(settings, forms=forms, database=database)
    # All objects so far are permanent: the processes share their memory until one writes.
    gc.freeze()
    with _folder() as metrics:
        shared = Shared(cores, metrics)
        tasks = [
            (f"web server {number + 1}", partial(_web, settings, forms, listener, shared, number))
            for number in range(len(cores))
        ]
        if worker:
            tasks.append(("worker", partial(_worker, settings, forms, shared, len(cores))))
        ready()
        ended_well = Supervisor(tasks).run()
    ignore_signals()
    return ended_well


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of this user alone, in memory where possible, that ends with the block."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="formapp-", dir=place) as folder:
        yield Path(folder)


@contextmanager
def _orphaned(shared: Shared) -> Iterator[None]:
    """Delete the shared folder at the end, if the supervisor was killed and can't."""
    try:
        yield
    finally:
        parent = multiprocessing.parent_process()
        if parent and not parent.is_alive():
            shutil.rmtree(shared.metrics, ignore_errors=True)


def _web(
    settings: Settings,
    forms: Mapping[str, Form],
    listener: socket.socket,
    shared: Shared,
    number: int,
) -> None:
    """One web server, without a worker."""
    stay_on(shared.cores[number])
    with _orphaned(shared), one_line_errors(), closing(open_database(settings)) as database:
        share_counters(shared.metrics, number)
        app = create_app(
            settings,
            forms=forms,
            database=database,
            # PostgreSQL wakes the worker itself, with the commit.
            on_kept=shared.ring if database.is_sqlite else None,
            memory=SharedCounts(shared.counts, number, shared.key),
        )
        server = Server(
            app,
            listener,
            bodies=Bodies(shared.bodies, number),
            connections=Connections(shared.connections, number),
            body_limits=body_limits(forms),
            at_once=partial(answers_at_once, app),
            # Two processes took 1.06 to 1.35 times as many posts so, on either database.
            gathers=True,
        )
        on_signals(server.stop)
        server.run()
        app.extensions[EXTENSION].visits.close()
        ignore_signals()


def _worker(settings: Settings, forms: Mapping[str, Form], shared: Shared, number: int) -> None:
    """The worker, which none of the web servers has."""
    with _orphaned(shared), one_line_errors(), closing(open_database(settings)) as database:
        share_counters(shared.metrics, number)
        files = {name: form.definition for name, form in forms.items()}
        runner = make_worker_group(settings, database, Metrics(), files)
        on_signals(runner.stop)
        shared.listen(runner.wake)
        with woken_by(database, runner):
            runner.run()
        ignore_signals()
