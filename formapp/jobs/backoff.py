"""How long to wait before the next try."""

from collections.abc import Callable
from datetime import timedelta

FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=1)

LONGEST_WAIT = timedelta(hours=2)
"""Longer than any backoff and any pause. A time further ahead was stored by a wrong clock, and
counts as over; a longer wait is waited in pieces."""

Jitter = Callable[[float, float], float]
"""Such as `random.uniform`: a number between the two."""


def doubled(first: timedelta, times: int, longest: timedelta = LONGEST) -> timedelta:
    """`first`, doubled so many times, up to `longest`."""
    # 2 ** 12 exceeds every limit here: the exponent needs no more.
    return min(first * (1 << min(times, 12)), longest)


def backoff(attempts: int, jitter: Jitter, first: timedelta = FIRST) -> timedelta:
    """Full jitter: between nothing and `first`, doubled per attempt, up to an hour."""
    return timedelta(seconds=jitter(0.0, doubled(first, attempts).total_seconds()))
