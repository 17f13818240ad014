"""The rate limit: a sliding window of 60 seconds (contract section 4)."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

WINDOW = 60.0


class RateLimiter:
    """Counts calls per bucket. A refused call does not count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._admitted: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, bucket: str, now: float, limit: int) -> bool:
        """Count a call and tell whether it is within `limit` calls per window; 0 is no limit."""
        with self._lock:
            times = self._admitted[bucket]
            while times and times[0] <= now - WINDOW:
                times.popleft()
            if limit and len(times) >= limit:
                return False
            times.append(now)
            return True

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._admitted.clear()
