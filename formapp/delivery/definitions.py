"""Reading the labels and extended fields of a site, for its owner: a job of a worker."""

import logging
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from formapp.db.database import Database, upsert
from formapp.db.inbox_tables import wix_definitions
from formapp.delivery.sites import (
    BudgetSpentError,
    Clock,
    Pauses,
    RateLimitedClient,
    Site,
    StoppedError,
)
from formapp.jobs.queue import ClaimedJob, RetryLaterError, finish_job
from formapp.monitoring.metrics import Metrics
from formapp.wix import WixError

MOST = 1000
"""Labels, and fields, that are read of a site."""

_log = logging.getLogger(__name__)


class DefinitionReader:
    """Reads what the site of a job has defined, within its rate budget.

    It calls no site that is paused. Why something could not be read is stored for the owner.
    """

    def __init__(
        self, database: Database, sites: Iterable[Site], clock: Clock, metrics: Metrics
    ) -> None:
        self._database = database
        self._clock = clock
        self._pauses = Pauses(database)
        self._clients = {
            site.name: RateLimitedClient(site, database, clock, metrics) for site in sites
        }

    def interrupt(self) -> None:
        """End after the call in flight. From any thread."""
        for client in self._clients.values():
            client.close()

    def __call__(self, job: ClaimedJob) -> None:
        site, now = job.content["site"], self._clock()
        try:
            found = self._read(site, now)
        except StoppedError:
            raise RetryLaterError("the worker ends") from None
        with self._database.write() as connection:
            if finish_job(connection, job):
                upsert(connection, wix_definitions, {"site": site}, {"read_at": now, **found})

    def _read(self, site: str, now: datetime) -> dict[str, Any]:
        """Return columns: what there is, or why it could not be read."""
        client = self._clients.get(site)
        if client is None:
            return {"fault": "the worker has no credentials of this site"}
        if pause := self._pauses.paused(now).get(site):
            until, reason = pause
            return {"fault": f"calls to this site pause until {until:%H:%M} UTC: {reason}"}
        try:
            client.begin()
            labels = [each.display_name for each in islice(client.wix.labels.iterate(), MOST)]
            fields = islice(client.wix.extended_fields.iterate(), MOST)
            types = {each.display_name: each.data_type for each in fields}
        except BudgetSpentError:
            return {"fault": "the calls of this minute are spent; leads go first"}
        except WixError as error:
            _log.warning("labels and fields of the site %s could not be read: %s", site, error)
            return {"fault": f"Wix refused, or couldn't be reached: {error}"}
        return {"labels": sorted(labels), "fields": types, "fault": None}
