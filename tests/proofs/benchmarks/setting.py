"""How long a form of the benchmarks is run."""

from dataclasses import dataclass

from tests.proofs.benchmarks.stage import KINDS


@dataclass(frozen=True)
class Setting:
    """What was chosen on the command line.

    Attributes:
        rounds: how many interleaved rounds.
        seconds: of load in each turn.
        size: share of the full form's rows and leads, above 0 and at most 1.
        kinds: of databases.
    """

    rounds: int = 5
    seconds: float = 5.0
    size: float = 1.0
    kinds: tuple[str, ...] = tuple(KINDS)

    def part(self, full: int, least: int = 1) -> int:
        """So many instead of the full number."""
        return max(least, round(full * self.size))

    @property
    def is_full(self) -> bool:
        """Whether counts that were asked for as such can be judged."""
        return self.size >= 1
