"""Whether two samples can be told apart by rank: Mann and Whitney's test (1947).

Ranks don't depend on the machine's speed, nor on the odd answer that took a hundred times as long.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Ranks:
    """The outcome of the test.

    Attributes:
        auc: how often a value of the first sample is the greater one of a pair drawn from both, a
            tie counting half: 0.5 where nothing tells them apart, 0 or 1 where everything does.
        p: two-sided, by the normal approximation with its correction for ties; samples of twenty
            and more.
    """

    auc: float
    p: float


def compare(first: Sequence[float], second: Sequence[float]) -> Ranks:
    """Compare two samples, which needn't be of one length.

    Raises:
        ValueError: one of them is empty.
    """
    if not first or not second:
        raise ValueError("there is nothing to compare with")
    n, m = len(first), len(second)
    marked = sorted([(value, 1) for value in first] + [(value, 0) for value in second])
    rank_sum, ties, before = 0.0, 0, 0
    for _, same in groupby(marked, key=lambda pair: pair[0]):
        marks = [mark for _, mark in same]
        rank_sum += sum(marks) * (before + (len(marks) + 1) / 2)
        ties += len(marks) ** 3 - len(marks)
        before += len(marks)
    u = rank_sum - n * (n + 1) / 2
    all_ = n + m
    variance = n * m / 12 * (all_ + 1 - ties / (all_ * (all_ - 1)))
    z = (u - n * m / 2) / math.sqrt(variance) if variance else 0.0
    return Ranks(auc=u / (n * m), p=math.erfc(abs(z) / math.sqrt(2)))
