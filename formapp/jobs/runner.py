"""Running errands: the next due one by whoever knows its kind; again later where that fails."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.jobs.queue import Claimed, claim_errand, put_off_errand

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)

_log = logging.getLogger(__name__)


class NotYetError(Exception):
    """The errand could not be run; the text says why and holds no answer and no secret."""


Run = Callable[[Claimed], None]
"""Runs one errand and strikes it out (`end_errand`), or raises `NotYetError`."""


class Errands:
    """Runs what is due, one errand at a time.

    Args:
        database: where they are written down.
        kinds: who runs which kind. Each decides by `Claimed.since` when it has tried for long
            enough, and strikes the errand out. Errands of other kinds are left to other workers.
        clock: the time, aware.
        age: how long ago an errand was written down at least; younger ones are left, too.
    """

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, Run],
        *,
        clock: Callable[[], datetime],
        age: timedelta = timedelta(0),
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._clock = clock
        self._age = age

    def run_next(self) -> bool:
        """Run one errand; False if none is due.

        Raises:
            DatabaseUnavailableError: try again later.
            Exception: a defect; the errand is tried again ever more seldom, like any other.
        """
        errand = claim_errand(self._database, self._clock(), self._kinds, age=self._age)
        if errand is None:
            return False
        try:
            self._kinds[errand.kind](errand)
        except NotYetError as error:
            _log.warning("errand %d (%s) has to wait: %s", errand.id, errand.kind, error)
            self._put_off(errand)
        except DatabaseUnavailableError:
            raise
        except Exception:
            self._put_off(errand)
            raise
        return True

    def _put_off(self, errand: Claimed) -> None:
        put_off_errand(self._database, errand, self._clock() + pause(errand.attempt))


def pause(attempt: int) -> timedelta:
    """How long to wait after this attempt (1 for the first): doubling, up to an hour."""
    doublings = max(0, min(attempt - 1, 20))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
