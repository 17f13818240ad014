"""What follows an error: when to try again, whether to pause the site's lane, or to give up. Pure.

| answer | what follows |
| --- | --- |
| 429 | the lane pauses: Retry-After where given (1 h at most), else backoff; none is spent |
| 401, 403 | the lane pauses and the owner is told; leads wait, nothing fails |
| time-out, no connection, 5xx | backoff with full jitter, 5 s doubling to 1 h, for 72 h |
| a lost race (409 that named nobody, a contact that vanished) | the same, from 1 s |
| other 4xx | failed at once, with Wix's reason |
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from formapp.wix import (
    ConflictError,
    ContactNotFoundError,
    ForbiddenError,
    RateLimitedError,
    UnauthorizedError,
    WixError,
)

FIRST_BACKOFF = 5.0
MAX_BACKOFF = 3600.0
PATIENCE = timedelta(hours=72)
RACE_BACKOFF = 1.0
RATE_LIMIT_BACKOFF = (1.0, 60.0)
REFUSED_BACKOFF = (5.0, 300.0)

Jitter = Callable[[float, float], float]
"""Such as `random.uniform`: a number between the two."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at this time; an attempt is spent."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the site's lane until then; no attempt is spent."""

    until: datetime
    owner_must_act: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It won't succeed by itself; the owner can correct and replay."""


Verdict = Retry | Pause | GiveUp


def after_error(  # noqa: PLR0913 - all that the decision depends on, by keyword
    error: WixError,
    *,
    now: datetime,
    first_tried: datetime,
    attempts: int,
    strikes: int,
    jitter: Jitter,
) -> Verdict:
    """What follows.

    Args:
        error: what Wix answered, or didn't.
        now: the time.
        first_tried: when an attempt was first spent; patience counts from here, so that days in
            a paused lane use none of it up.
        attempts: spent before this one.
        strikes: pauses of the lane in a row before this one.
        jitter: where the randomness comes from.
    """
    if isinstance(error, RateLimitedError):
        seconds = min(error.retry_after or _grown(RATE_LIMIT_BACKOFF, strikes), MAX_BACKOFF)
        return Pause(now + timedelta(seconds=seconds))
    if isinstance(error, UnauthorizedError | ForbiddenError):
        seconds = _grown(REFUSED_BACKOFF, strikes)
        return Pause(now + timedelta(seconds=seconds), owner_must_act=True)
    lost_race = isinstance(error, ConflictError | ContactNotFoundError)
    if not (error.retryable or lost_race) or now - first_tried >= PATIENCE:
        return GiveUp()
    return Retry(now + backoff(attempts, jitter, RACE_BACKOFF if lost_race else FIRST_BACKOFF))


def backoff(attempts: int, jitter: Jitter, first: float = FIRST_BACKOFF) -> timedelta:
    """Full jitter: anything between nothing and `first` seconds doubled per attempt, up to 1 h."""
    return timedelta(seconds=jitter(0.0, _grown((first, MAX_BACKOFF), attempts)))


def _grown(bounds: tuple[float, float], times: int) -> float:
    first, most = bounds
    # 2 ** 12 is beyond every bound here; the exponent stays small whatever comes.
    return float(min(most, first * 2 ** min(times, 12)))
