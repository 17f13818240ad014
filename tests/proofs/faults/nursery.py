"""The harness's side of a nursery: one process after another, each of which is killed."""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from tests.support.forked import ROOT, Process, pipe
from tests.support.processes import environ

VICTIM = "tests.proofs.faults.victim"


class Nursery:
    """Has processes born and knows how they ended; one at a time."""

    def __init__(self, settings: dict[str, str]) -> None:
        orders, self._orders = pipe()
        self._reports, reports = pipe()
        with orders, reports:
            files = orders.fileno(), reports.fileno(), sys.stderr.fileno()
            self._process = Process(VICTIM, [], ROOT, environ(settings), files)
        self.pid = 0
        self.ready = threading.Event()
        self.ended = threading.Event()
        self.exit_code = 0
        self.step = ""

    def bear(self, **order: Any) -> None:
        """Start a process; returns once it exists."""
        self.ready.clear()
        self.ended.clear()
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        self.pid = self._heard()["pid"]
        threading.Thread(target=self._wait, daemon=True).start()

    @property
    def lives(self) -> bool:
        """Whether there is a process."""
        return bool(self.pid) and not self.ended.is_set()

    def kill(self) -> None:
        """Kill the process from outside, if it lives, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.ended.wait()

    def end(self) -> None:
        """Ask the process to end, as a service manager does, once it has started."""
        self.ready.wait(30)
        self.signal(signal.SIGTERM)
        if not self.ended.wait(30):
            self.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal, if it lives."""
        if self.lives:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def close(self) -> None:
        """End the nursery, and whatever lives in it."""
        with suppress(BrokenPipeError):
            self._orders.close()
        self._process.wait(30)
        self._reports.close()

    def _wait(self) -> None:
        said = self._heard()
        if "ready" in said:
            self.ready.set()
            said = self._heard()
        self.ready.set()
        self.exit_code, self.step = said.get("ended", 1), said.get("step", "")
        self.ended.set()

    def _heard(self) -> dict[str, Any]:
        line = self._reports.readline()
        # Nothing is said once the nursery was closed.
        return dict(json.loads(line)) if line else {}
