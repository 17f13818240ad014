"""How often each form was shown and begun, by day: two numbers, without a cookie or a visitor.

They are counted in memory and stored some seconds later, many at once, so that a page waits for no
database; a killed process loses those seconds.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime

from formapp.db.database import Database, DatabaseUnavailableError, upsert
from formapp.db.inbox_tables import form_visits

STORE_AFTER = 3.0
"""Seconds between a visit and its row."""

_log = logging.getLogger(__name__)


class Visits:
    """Counts visits in this process; threads share it.

    Several processes add to the same rows. The thread that stores begins with the first visit, so
    that a process may be forked before.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: float = STORE_AFTER,
    ) -> None:
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, date, str]] = Counter()
        self._is_due = False
        self._closing = threading.Event()

    def shown(self, form: str) -> None:
        self._count(form, "shown")

    def started(self, form: str) -> None:
        """Count that somebody has begun to fill in a form."""
        self._count(form, "started")

    def store(self) -> None:
        """Add what was counted to the rows; it stays counted while the database is away."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._is_due = False
        if not counts:
            return
        try:
            # In one order: two processes that store at once must not deadlock.
            rows = sorted(counts.items())
            with self._database.write() as connection:
                for (form, day, what), number in rows:
                    key, more = {"form": form, "day": day}, {what: form_visits.c[what] + number}
                    upsert(connection, form_visits, key, {what: number}, changes=more)
        except DatabaseUnavailableError as error:
            _log.debug("visits wait (%s)", type(error).__name__)
            with self._lock:
                self._counts.update(counts)

    def close(self) -> None:
        """Store what is left, as the process ends."""
        self._closing.set()
        self.store()

    def _count(self, form: str, what: str) -> None:
        key = form, self._clock().date(), what
        with self._lock:
            self._counts[key] += 1
            if self._is_due:
                return
            self._is_due = True
        threading.Thread(target=self._store_later, name="visits", daemon=True).start()

    def _store_later(self) -> None:
        if not self._closing.wait(self._seconds):
            self.store()
