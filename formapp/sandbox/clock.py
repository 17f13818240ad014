"""The sandbox's time: the clock it was given, plus what it was told to skip."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that can be put forward, so that nobody has to wait for an expiry."""

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._skipped = 0.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._source() + self._skipped

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        self._skipped += seconds

    def reset(self) -> None:
        """Forget everything that was skipped."""
        self._skipped = 0.0


def iso(seconds: float) -> str:
    """Return the wire form of a time, e.g. `2025-03-04T09:15:30.123Z` (contract section 1)."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_iso(text: str) -> datetime | None:
    """Return the moment that `text` names, in UTC; None if it names none.

    A time without a zone is taken as UTC.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
