"""The worker that is killed: `python -m tests.proofs.notifications.victim` with orders as JSON.

It imports once what a worker needs and forks one worker after another, each wired like that of
`formapp worker`. Each dies by SIGKILL: at a step, or after a random time. A line on standard output
names how each ended.
"""

import json
import os
import random
import signal
import sys
import time
from typing import Any

from formapp.cli.channels import make_channels, notification_work
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.forms.definition.parse import parse_form
from formapp.jobs.worker import Work, Worker, WorkerGroup
from formapp.monitoring import logs
from formapp.notifications import channel, plan
from tests.proofs.faults.clock import FastClock

FORM = "contact"
LONGEST_LIFE = 1.5
"""Seconds after which a worker is killed that has not reached its step."""

STEPS: dict[str, tuple[Any, str]] = {
    "planned, not committed": (plan, "notify"),
    "claimed, not sent": (channel, "read_accepted"),
    "sent, not recorded": (channel, "end_job"),
}
"""What a worker dies at: before this call."""

RANDOM = "random"


def work_of(order: dict[str, Any], database: Database) -> list[Work]:
    """The work of a process with these orders."""
    settings = Settings.read({f"FORMAPP_{n}": value for n, value in order["settings"].items()})
    clock = FastClock.from_json(order["clock"])
    works = notification_work(
        make_channels(settings, database, clock),
        database=database,
        forms={FORM: parse_form(f"{FORM}.toml", order["form"])},
        clock=clock,
        count=lambda *_: None,
    )
    return [*works]


def _live(order: dict[str, Any]) -> None:
    logs.configure("console")
    database = Database(order["url"])
    group = WorkerGroup([], *(Worker(each, poll_seconds=0.02) for each in work_of(order, database)))
    group.run()


def _arm(step: str, at: int) -> None:
    """Die before the call number `at` of this step."""
    module, name = STEPS[step]
    real, left = getattr(module, name), at

    def deadly(*args: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **options)

    setattr(module, name, deadly)


def main() -> None:
    """Fork, kill, and say so, as often as ordered."""
    order = json.loads(sys.argv[1])
    rng = random.Random(order["seed"])  # noqa: S311 - a plan, no secret
    for _ in range(order["kills"]):
        step = rng.choice([RANDOM, *STEPS])
        seconds = rng.uniform(0.02, 0.4) if step == RANDOM else LONGEST_LIFE
        child = os.fork()
        if child == 0:
            try:
                if step != RANDOM:
                    _arm(step, rng.randint(1, 6))
                _live(order)
            finally:
                os._exit(1)
        ended = _wait(child, seconds)
        sys.stdout.write(f"{step if ended or step == RANDOM else 'random'}\n")
        sys.stdout.flush()


def _wait(child: int, seconds: float) -> bool:
    """Kill the child after so many seconds; whether it had died by itself before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
                sys.exit(f"a worker ended by itself: {os.waitstatus_to_exitcode(status)}")
            return True
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


if __name__ == "__main__":
    main()
