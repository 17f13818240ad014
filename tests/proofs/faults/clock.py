"""A clock that runs faster than the world's, so that an hour of waiting takes minutes.

Leases, grace periods, backoff, the rate window and the sandbox's lag all follow it: their lengths
stay what they are in production, only time is shorter. What is measured by the operating system
(time-outs of sockets, SQLite's busy time-out) is not scaled by it.
"""

import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class FastClock:
    """Seconds pass `scale` times as fast since `origin` (seconds since the epoch).

    Attributes:
        shift: seconds by which this clock is wrong.
    """

    origin: float
    scale: float = 1.0
    shift: float = 0.0

    def seconds(self) -> float:
        """Seconds since the epoch."""
        return self.origin + (time.time() - self.origin) * self.scale + self.shift

    def __call__(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for the event, at most so many seconds of this clock."""
        return event.wait(seconds / self.scale)

    def as_json(self) -> dict[str, Any]:
        """As it is handed to another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, sent: dict[str, Any]) -> Self:
        """As another process was handed it."""
        return cls(**sent)
