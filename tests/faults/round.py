"""One round: visitors post, processes die, the line breaks; then all is delivered and judged."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from formapp.submissions.database import Database, DatabaseUnavailable
from tests.faults.editor import SITE
from tests.faults.history import Contact
from tests.faults.judge import judge
from tests.faults.killing import Killer, Quota, keep_alive
from tests.faults.ledger import attempts, pending, read_ledger
from tests.faults.plan import Round, web_kills, worker_kills
from tests.faults.stage import Stage
from tests.faults.violations import Violation
from tests.faults.visitors import Visitors

WORKERS = 4
BACKLOG = 150
"""Visitors wait while so many leads do; a killed worker's leads wait for its lease, too."""

DRAIN_SECONDS = 180.0
"""The world's: an hour of backoff at most."""


@dataclass(slots=True)
class Result:
    """What came of a round, or of several."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Add another one."""
        self.kills += other.kills
        self.faults += other.faults
        self.counts += other.counts
        self.violations += other.violations


class _Backlog:
    """How much waits, asked for no more often than necessary."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at = 0.0
        self._count = 0

    def is_short(self) -> bool:
        if time.monotonic() - self._at > 0.15:
            self._at = time.monotonic()
            with suppress(DatabaseUnavailable):
                self._count = pending(self._database)
        return self._count < BACKLOG


def run_round(plan: Round, folder: Path, database_url: str) -> Result:
    """Run it."""
    with Stage(folder, database_url, plan.seed, plan.weather) as stage:
        visitors = Visitors(stage.web_url, plan.seed, _Backlog(stage.database).is_short)
        quota = Quota(plan.kills)
        killers = [Killer(stage, "web", web_kills(plan.seed), quota)]
        killers += [
            Killer(stage, "worker", worker_kills(plan.seed, slot), quota) for slot in range(WORKERS)
        ]
        killers[0].start()
        stage.wait_for_web()
        visitors.start()
        for killer in killers[1:]:
            killer.start()
        for killer in killers:
            killer.join()
        end_web = keep_alive(stage, "web", 1)
        visitors.stop()
        drained = drain(stage)
        end_web()
        result = settle(stage, visitors, drained=drained)
        result.kills += quota.made
        odd = [fault for killer in killers for fault in killer.faults]
        result.violations += [Violation("unclear", fault) for fault in odd]
        return result


def drain(stage: Stage, seconds: float = DRAIN_SECONDS) -> bool:
    """Mend the line and let workers that live finish; returns whether they did."""
    stage.line("DELETE")
    end = keep_alive(stage, "worker", 2)
    deadline = time.monotonic() + seconds
    while pending(stage.database) and time.monotonic() < deadline:
        time.sleep(0.1)
    end()
    return not pending(stage.database)


def settle(stage: Stage, visitors: Visitors, *, drained: bool) -> Result:
    """Judge, and count what there was."""
    labels = stage.definitions("labels", "labels")
    fields = stage.definitions("extended-fields", "fields")
    state = stage.control("GET", f"/sites/{SITE}/contacts")
    contacts = [Contact.read(shown, labels, fields) for shown in state["contacts"]]
    kept = read_ledger(stage.database)
    violations = list(judge(visitors.sent, kept, contacts, fields))
    if not drained and not violations:
        violations.append(Violation("stuck", "deliveries were not done in time"))
    line = Counter(stage.line())
    outcomes = Counter(f"outcome {row.outcome}" for row in kept if row.outcome)
    results = {f"attempt {name}": count for name, count in attempts(stage.database).items()}
    counts = outcomes + Counter(results)
    counts |= {
        "leads": len(visitors.sent),
        "posts": sum(each.posts for each in visitors.sent),
        "receipts": sum(each.receipt for each in visitors.sent),
        "submissions": len(kept),
        "contacts": len(contacts),
        "calls": line.pop("calls", 0),
        "edits by others": line.pop("edits", 0),
    }
    return Result(faults=line, counts=counts, violations=violations)
