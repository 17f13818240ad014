"""Interleaved rounds, and what is read from them: medians, spreads, ratios of one run.

A machine's speed drifts. So every contestant has its turn in every round, another one begins each
round, and a ratio is taken within a round before the median of all rounds is.
"""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Spread:
    """What came out over the rounds: the median, the least and the most."""

    median: float
    low: float
    high: float

    def said(self, digits: int = 0, scale: float = 1.0) -> str:
        """`1,234 (1,100 to 1,300)`; a single round has no spread."""
        middle, low, high = (
            f"{value * scale:,.{digits}f}" for value in (self.median, self.low, self.high)
        )
        return middle if low == high else f"{middle} ({low} to {high})"


def spread(values: Sequence[float]) -> Spread:
    """Sum up the figures of all rounds.

    Raises:
        ValueError: there is none.
    """
    if not values:
        raise ValueError("no round was played")
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours by theirs, round by round."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])


def play(contestants: Mapping[str, Callable[[], Figure]], rounds: int) -> dict[str, list[Figure]]:
    """Give everybody a turn in each round; the order is rotated from round to round.

    Args:
        contestants: what to measure, by name.
        rounds: how many, at least 1.

    Returns:
        Each contestant's figures, one for each round.
    """
    names = list(contestants)
    figures: dict[str, list[Figure]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            tell(f"  round {number + 1} of {rounds}: {name}")
            figures[name].append(contestants[name]())
    return figures


def tell(line: str) -> None:
    """Say on standard error what is going on."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
