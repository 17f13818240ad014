"""Those who kill: each keeps one process alive, until the plan says that it dies."""

import threading
from collections import Counter
from collections.abc import Iterator

from tests.proofs.faults.plan import ASKED, RANDOM, WEB_RANDOM, Kill
from tests.proofs.faults.stage import Stage


class Quota:
    """How many kills are left, and how many were made at which step; threads share it."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._lock = threading.Lock()
        self.made: Counter[str] = Counter()

    def take(self, kind: str) -> None:
        """Count an end; one that was asked for is no kill."""
        with self._lock:
            self._left -= kind != ASKED
            self.made[kind] += 1

    @property
    def is_used_up(self) -> bool:
        """Whether there are enough."""
        return self._left <= 0


class Killer:
    """Bears one process after another and sees to its end, in a thread."""

    def __init__(self, stage: Stage, kind: str, kills: Iterator[Kill], quota: Quota) -> None:
        self._stage = stage
        self._kind = kind
        self._kills = kills
        self._quota = quota
        self._nursery = stage.nursery()
        self._thread = threading.Thread(target=self._run, name=kind, daemon=True)
        self.faults: list[str] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the quota is used up."""
        self._thread.join()

    def _run(self) -> None:
        while not self._quota.is_used_up:
            kill = next(self._kills)
            self._nursery.bear(**self._stage.order(kind=self._kind, **kill.order))
            wanted = 0 if kill.step == ASKED else -9
            if not self._nursery.ended.wait(kill.seconds):
                end = self._nursery.end if kill.step == ASKED else self._nursery.kill
                end()
            if self._nursery.exit_code != wanted:
                self.faults.append(f"a {self._kind} ended with {self._nursery.exit_code}")
                return
            self._quota.take(self._nursery.step or self._from_outside(kill))

    def _from_outside(self, kill: Kill) -> str:
        """What to call an end that came from outside: a step may not be reached in time."""
        if kill.step == ASKED:
            return ASKED
        return WEB_RANDOM if self._kind == "web" else RANDOM
