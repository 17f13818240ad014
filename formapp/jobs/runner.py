"""The job runner: runs the next due job by the handler of its kind, and retries failed ones."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass
class JobRunner:
    """Runs one due job at a time.

    Attributes:
        handlers: by kind. Jobs of other kinds are left to other workers.
        age: the least time since a job was stored; younger ones are left to other workers, too.
    """

    database: Database
    handlers: Mapping[str, Handler]
    clock: Callable[[], datetime]
    age: timedelta = timedelta(0)

    def run_next(self) -> bool:
        """Run one job; False if none is due. Raises a defect; that job is tried again, too."""
        job = claim_job(self.database, self.clock(), self.handlers, age=self.age)
        if job is None:
            return False
        try:
            self.handlers[job.kind](job)
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
        postpone_job(self.database, job, self.clock() + doubled(FIRST, job.attempt - 1))
