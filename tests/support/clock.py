"""A clock that stands until a test turns it."""

import threading
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class TurnedClock:
    """Gives an aware time in UTC; threads may share it."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The time."""
        with self._lock:
            return self._now

    def seconds(self) -> float:
        """The same as seconds since the epoch."""
        return self().timestamp()

    def turn(self, seconds: float = 0.0, *, hours: float = 0.0) -> None:
        """Put it forward, or back."""
        with self._lock:
            self._now += timedelta(seconds=seconds, hours=hours)
