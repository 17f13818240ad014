"""The processes that are killed: `formapp worker` and `formapp serve`, wired by the same objects.

`python -m tests.proofs.faults.victim` is a nursery. It imports once what they need and, for each
line of JSON on standard input, forks one process that wires its own objects (its own database
connections, its own HTTP session) and dies as the line says. So a process of its own costs
milliseconds instead of a second of imports. On standard output it says `{"pid": …}`, then
`{"ready": true}` once it can be asked to end, and `{"ended": <exit code, or minus the signal>,
"step": …}` once it has ended. The nursery ends with its standard input.

By hand: `python -m tests.proofs.faults.victim --step after_intent --at 3`, with the
settings of a worker in the environment.
"""

import argparse
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, Self

from formapp.cli import serve, sites, wiring
from formapp.cli import worker as workers
from formapp.db.database import Database
from formapp.jobs.worker import Worker
from formapp.monitoring import logs
from formapp.monitoring.metrics import Metrics
from formapp.web.public import accept
from formapp.wix import Timeouts
from tests.proofs.books.victim import work
from tests.proofs.faults.clock import FastClock
from tests.proofs.faults.seams import WEB_STEPS, WORKER_STEPS, arm

READY = "ready"
POLL_SECONDS = 0.05
"""The worker's, in the world's seconds."""

TIMEOUTS = (0.5, 0.5)
"""The client's, in the world's seconds: 10 s each at twentyfold speed."""


def become(order: dict[str, Any], tell: Callable[[str], None]) -> None:
    """Be a worker, a web server or a book's worker that dies as ordered, or ends if asked to."""
    os.environ.update(order.get("settings", {}))
    clock = FastClock.from_json(order["clock"]) if order.get("clock") else FastClock(time.time())
    if order.get("kind") == "web":
        _web(order, clock, tell)
    elif order.get("kind") == "book":
        work(order, clock, partial(_die, order.get("step", ""), tell), partial(tell, READY))
    else:
        _worker(order, clock, tell)


def _worker(order: dict[str, Any], clock: FastClock, tell: Callable[[str], None]) -> None:
    if step := order.get("step"):
        die = partial(_die, step, tell)
        arm(WORKER_STEPS[step], order.get("at", 1), order.get("delay", 0.0), die)
    settings = wiring.read_settings(wix=True)
    logs.configure(settings.log_format)
    database = Database(settings.database_url, busy_seconds=order.get("busy_seconds", 5.0))
    # The wiring of `formapp worker` itself; only the clock and the client's patience are others.
    vars(workers).update(
        Worker=partial(Worker, poll_seconds=POLL_SECONDS),
        make_deliverer=partial(workers.make_deliverer, clock=clock, wait=clock.wait),
        _now=clock,
    )
    vars(sites).update(TIMEOUTS=Timeouts(*order.get("timeouts", TIMEOUTS)))
    worker = workers.make_worker_group(settings, database, Metrics())
    wiring.on_signals(worker.stop)
    tell(READY)
    with workers.woken_by(database, worker):
        worker.run()
    database.close()


def _web(order: dict[str, Any], clock: FastClock, tell: Callable[[str], None]) -> None:
    if step := order.get("step"):
        arm(WEB_STEPS[step], order.get("at", 1), 0.0, partial(_die, step, tell))
    vars(accept)["datetime"] = _clocked(clock)  # the only clock that a post reads
    vars(serve)["on_signals"] = partial(_on_signals, tell)
    args = ["--no-worker", "--port", str(order["port"])]
    serve.command.main(args, standalone_mode=False)


def _on_signals(tell: Callable[[str], None], stop: Callable[[], None]) -> None:
    wiring.on_signals(stop)
    tell(READY)


def _clocked(clock: FastClock) -> type[datetime]:
    class Clocked(datetime):
        """The standard one, but its `now` follows the run's clock."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            now = clock().astimezone(tz)
            return cls.combine(now.date(), now.timetz())

    return Clocked


def _die(step: str, tell: Callable[[str], None]) -> None:
    tell(step)
    os.kill(os.getpid(), signal.SIGKILL)


def nursery() -> None:
    """Fork one process after another, as standard input orders."""
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _born(order, writing)
        os.close(writing)
        _say(pid=child)
        step = _watch(reading, child)
        _, status = os.waitpid(child, 0)
        _say(ended=os.waitstatus_to_exitcode(status), step=step)


def _born(order: dict[str, Any], writing: int) -> None:
    """The life of the forked process."""
    code = 1
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        null = os.open(os.devnull, os.O_RDWR)
        for here, there in ((null, 0), (null, 1), (log, 2)):
            os.dup2(here, there)
        become(order, partial(_tell, writing))
        code = 0
    except SystemExit as end:
        # Asked to end before it had begun.
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _tell(writing: int, step: str) -> None:
    os.write(writing, f"{step}\n".encode())


def _watch(reading: int, child: int) -> str:
    """Wait until the process is gone, or the harness is; returns the step it died at, or blank."""
    step = ""
    while True:
        ready, _, _ = select.select([reading, sys.stdin], [], [])
        if reading in ready:
            told = os.read(reading, 100).decode().split()
            if not told:
                os.close(reading)
                return step
            if READY in told:
                _say(ready=True)
            step = told[-1] if told[-1] != READY else ""
        elif sys.stdin in ready and not os.read(sys.stdin.fileno(), 1):
            os.kill(child, signal.SIGKILL)
            sys.exit(0)


def _say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Be a nursery, or with `--step` one victim."""
    parser = argparse.ArgumentParser(description=Path(__file__).stem)
    parser.add_argument("--step", choices=sorted(WORKER_STEPS))
    parser.add_argument("--at", type=int, default=1)
    chosen = parser.parse_args()
    if chosen.step:
        become({"step": chosen.step, "at": chosen.at}, _show)
    else:
        nursery()


def _show(step: str) -> None:
    sys.stderr.write(f"killed at {step}\n")


if __name__ == "__main__":
    main()
