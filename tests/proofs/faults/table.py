"""The table that a run prints."""

from collections import Counter
from collections.abc import Iterator

from tests.proofs.faults.plan import ASKED
from tests.proofs.faults.result import Result
from tests.proofs.faults.seams import WEB_STEPS, WORKER_STEPS
from tests.proofs.faults.violations import KINDS

COUNTS = (
    "leads",
    "posts",
    "receipts",
    "submissions",
    "contacts",
    "calls",
    "edits by others",
)


def table(result: Result, seed: int, seconds: float) -> str:
    """Everything that happened, in columns of text."""
    steps = (*WORKER_STEPS, "random", *WEB_STEPS, "web_random")
    kills = Counter({step: count for step, count in result.kills.items() if step != ASKED})
    names = (*COUNTS, *sorted(result.counts.keys() - COUNTS))
    lines = [
        *_section("Kills", kills, steps),
        f"  (and workers asked to end: {result.kills[ASKED]})",
        *_section("Faults on the line", result.faults, sorted(result.faults)),
        *_section("Leads", result.counts, names, sum_=False),
        *_section("Violations", Counter(each.kind for each in result.violations), tuple(KINDS)),
        *(["\nScenes"] if result.scenes else []),
        *(f"  {line}" for line in result.scenes),
        "",
        f"seed {seed}, {seconds:.0f} seconds",
    ]
    return "\n".join(lines)


def _section(
    title: str, counts: Counter[str], names: tuple[str, ...] | list[str], *, sum_: bool = True
) -> Iterator[str]:
    yield f"\n{title}" + (f": {sum(counts.values())}" if sum_ else "")
    for name in names:
        yield f"  {name:<24}{counts[name]:>8}"
