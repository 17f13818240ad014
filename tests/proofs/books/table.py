"""The table that a run prints."""

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.proofs.books.victim import LOAD_STEPS, STEPS
from tests.proofs.faults.plan import RANDOM
from tests.proofs.faults.result import Result

LOOKS = ("queryContacts", "listContacts")


def table(result: Result, seed: int, seconds: float) -> str:
    """Everything that happened, in columns of text."""
    broken = Counter(each.kind for each in result.violations)
    calls = {name.removeprefix("calls: "): n for name, n in result.counts.items() if ": " in name}
    made = sum(n for name, n in result.counts.items() if name.startswith("calls: "))
    looks = sum(calls.get(name, 0) for name in LOOKS)
    edits = result.counts["edits"]
    per_edit = f"calls to Wix for an edit: {(made - looks) / max(1, edits):.2f}"
    return "\n".join(
        [
            *_section("Kills", result.kills, (*LOAD_STEPS, *STEPS, RANDOM)),
            *_section("Faults on the lines", result.faults, sorted(result.faults)),
            *_section("Book", result.counts, sorted(result.counts), has_sum=False),
            f"  {per_edit}, the first load included; looks and searches apart: {looks}",
            *_section("Violations", broken, sorted(broken)),
            "",
            *result.scenes,
            f"seed {seed}, {seconds:.0f} seconds",
        ]
    )


def _section(
    title: str, counts: Counter[str], names: Iterable[str], *, has_sum: bool = True
) -> Iterator[str]:
    yield f"\n{title}" + (f": {sum(counts.values())}" if has_sum else "")
    for name in names:
        yield f"  {name:<36}{counts[name]:>8}"
