"""What a part of a run came to."""

from collections import Counter
from dataclasses import dataclass, field

from tests.proofs.faults.violations import Violation


@dataclass(slots=True)
class Result:
    """What came of a round, or of several."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    scenes: list[str] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Add another one."""
        self.kills += other.kills
        self.faults += other.faults
        self.counts += other.counts
        self.violations += other.violations
        self.scenes += other.scenes
