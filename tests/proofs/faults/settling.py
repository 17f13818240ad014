"""The end of every part of a run: all is delivered, then judged and counted."""

import json
import time
from collections import Counter
from collections.abc import Callable

from tests.proofs.faults.editor import SITE
from tests.proofs.faults.history import Contact
from tests.proofs.faults.judge import judge
from tests.proofs.faults.ledger import attempts, pending, read_ledger
from tests.proofs.faults.result import Result
from tests.proofs.faults.stage import Stage
from tests.proofs.faults.violations import Violation
from tests.proofs.faults.visitors import Visitors

DRAIN_SECONDS = 600.0
"""The world's: an hour of backoff at most."""


def keep_alive(stage: Stage, kind: str, count: int) -> Callable[[], None]:
    """Start processes that nobody kills; returns what ends them, as a service manager does."""
    nurseries = [stage.nursery() for _ in range(count)]
    for nursery in nurseries:
        nursery.bear(**stage.order(kind=kind))

    def end() -> None:
        for nursery in nurseries:
            nursery.end()

    return end


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
    (stage.folder / "contacts.json").write_text(json.dumps(state), "utf-8")
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
