"""A log of the calls: what was asked and how it was answered, never with a body."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from formapp.sandbox.state import Json

KEPT_CALLS = 20_000


class CallLog:
    """The latest calls, and counts per operation since the log was last cleared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Json] = deque(maxlen=KEPT_CALLS)
        self._counts: Counter[str] = Counter()

    def add(self, entry: Json) -> None:
        """Add an entry; it has at least `operation`."""
        with self._lock:
            self._calls.append(entry)
            self._counts[entry["operation"] or "unknown"] += 1

    def read(self, *, site: str | None, operation: str | None) -> Json:
        """Return `{calls, counts, total}`; calls are oldest first and can be narrowed down."""
        with self._lock:
            shown = [
                entry
                for entry in self._calls
                if site in (None, entry["site"]) and operation in (None, entry["operation"])
            ]
            counts = dict(sorted(self._counts.items()))
        return {"calls": shown, "counts": counts, "total": sum(counts.values())}

    def counts(self) -> dict[str, int]:
        """Return the number of calls per operation, by name."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()
            self._counts.clear()
