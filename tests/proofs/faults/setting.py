"""What scenes have in common: a place to happen, and processes that nobody kills."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proofs.faults.ledger import Backlog, pending
from tests.proofs.faults.nursery import Nursery
from tests.proofs.faults.result import Result
from tests.proofs.faults.settling import settle
from tests.proofs.faults.stage import Stage, Weather
from tests.proofs.faults.violations import Violation
from tests.proofs.faults.visitors import Visitors

RECOVERY_SECONDS = 60.0
"""Within these, in the world's time, a scene must be over once its cause is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scene happens.

    Attributes:
        folder: for logs, and for SQLite.
        url: of an empty database.
        seed: of its leads.
        long: whether it may take its time.
    """

    folder: Path
    url: str
    seed: str
    long: bool = False


class Setting:
    """A stage with visitors, and processes that are born on demand."""

    def __init__(self, stage: Stage, seed: str) -> None:
        self.stage = stage
        self.visitors = Visitors(stage.web_url, seed, Backlog(stage.database).is_short)
        self._nurseries: dict[str, Nursery] = {}

    def bear(self, name: str, **order: Any) -> Nursery:
        """Start a process under a name such as `web` or `worker 1`, in place of one that lives."""
        nursery = self._nurseries.get(name) or self.stage.nursery()
        if nursery.lives:
            nursery.end()
        self._nurseries[name] = nursery
        kind = name.partition(" ")[0]
        nursery.bear(**self.stage.order(**{"kind": kind, **order}))
        if kind == "web":
            assert nursery.ready.wait(30)
            self.stage.wait_for_web()
        return nursery

    def recovered(self, seconds: float = RECOVERY_SECONDS) -> list[Violation]:
        """Wait until all is delivered; says so if it takes longer than it may."""
        deadline = time.monotonic() + seconds
        while (left := pending(self.stage.database)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return [Violation("stuck", f"{left} leads after {seconds:.0f} s")] if left else []

    def result(self, violations: list[Violation]) -> Result:
        """Judge, and add what was violated on the way."""
        result = settle(self.stage, self.visitors, drained=True)
        result.violations += violations
        return result


@contextmanager
def setting(place: Place, weather: Weather) -> Iterator[Setting]:
    """Set a scene."""
    with Stage(place.folder, place.url, place.seed, weather) as stage:
        yield Setting(stage, place.seed)
