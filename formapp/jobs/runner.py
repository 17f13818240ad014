"""The job runner: runs the next due job by the handler of its kind, and retries failed ones."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.jobs.backoff import FIRST, doubled
from formapp.jobs.queue import ClaimedJob, claim_job, postpone_job

_log = logging.getLogger(__name__)


class RetryLaterError(Exception):
    """The job can't be done yet; the text is the reason, without answers and secrets."""


Handler = Callable[[ClaimedJob], None]
"""Runs one job and deletes it (`finish_job`), or raises `RetryLaterError`. It decides by
`ClaimedJob.since` when it has tried for long enough."""


class JobRunner:
    """Runs one due job at a time.

    Args:
        database: of the queue.
        handlers: by kind. Jobs of other kinds are left to other workers.
        clock: the time, aware.
        age: the least time since a job was stored; younger ones are left to other workers, too.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        *,
        clock: Callable[[], datetime],
        age: timedelta = timedelta(0),
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._clock = clock
        self._age = age

    def run_next(self) -> bool:
        """Run one job; False if none is due.

        Raises:
            Exception: a defect; the job is tried again like any other that fails.
        """
        job = claim_job(self._database, self._clock(), self._handlers, age=self._age)
        if job is None:
            return False
        try:
            self._handlers[job.kind](job)
        except RetryLaterError as error:
            _log.warning("job %d (%s) is retried later: %s", job.id, job.kind, error)
            self._postpone(job)
        except DatabaseUnavailableError:
            raise
        except Exception:
            self._postpone(job)
            raise
        return True

    def _postpone(self, job: ClaimedJob) -> None:
        postpone_job(self._database, job, self._clock() + doubled(FIRST, job.attempt - 1))
