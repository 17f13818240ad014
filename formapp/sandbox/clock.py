"""The sandbox's time, and times in their wire form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that can be advanced, so that a test need not wait for an expiry."""

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._skipped = 0.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._source() + self._skipped

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._skipped += seconds

    def reset(self) -> None:
        """Return to the time of the source."""
        self._skipped = 0.0


def iso(seconds: float) -> str:
    """Return the wire form of a time: `2025-03-04T09:15:30.123Z` (CONTRACT.md section 1)."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_iso(text: str) -> datetime | None:
    """Return a date or time in UTC, None if `text` is neither; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
