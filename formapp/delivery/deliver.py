"""The unit of work: claim due deliveries of one site, apply each lead, store each result.

While many leads wait, one call finds the contacts of a whole batch. Each lead is then written by
itself, as one that comes alone.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.delivery.batch import MOST, BatchSearch, concerns_site
from formapp.delivery.claims import Claim, ClaimLostError, claim_many, release
from formapp.delivery.find import KeyCache, WrongDataTypeError
from formapp.delivery.results import ResultWriter
from formapp.delivery.sites import (
    BudgetSpentError,
    Clock,
    Pauses,
    RateLimitedClient,
    Site,
    StoppedError,
)
from formapp.delivery.upsert import ContactUpsert
from formapp.jobs.backoff import Jitter
from formapp.monitoring.metrics import Metrics
from formapp.wix import WixError

BATCH_TIME = timedelta(seconds=20)
"""Then what is left of a batch is given back: no lease ends meanwhile, and no form waits longer."""

SOON = timedelta(seconds=10)
"""A batch waits so long for room in the rate budget, and isn't larger than there is room then."""

Wait = Callable[[threading.Event, float], object]
"""Waits for the event, at most so many seconds."""

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers leads of some sites, one batch at a time; each worker thread has its own.

    `grace` is how long a create of unknown outcome waits before its contact is searched for.
    """

    def __init__(  # noqa: PLR0913 - collaborators, by keyword
        self,
        database: Database,
        sites: Iterable[Site],
        *,
        grace: timedelta,
        clock: Clock,
        jitter: Jitter = random.uniform,
        metrics: Metrics | None = None,
        wait: Wait = threading.Event.wait,
    ) -> None:
        metrics = metrics or Metrics()
        self._database = database
        self._clients = {
            site.name: RateLimitedClient(site, database, clock, metrics) for site in sites
        }
        self._grace = grace
        self._clock = clock
        self._pauses = Pauses(database)
        self._keys = KeyCache(database)
        self._results = ResultWriter(
            database=database,
            pauses=self._pauses,
            grace=grace,
            clock=clock,
            jitter=jitter,
            metrics=metrics,
        )
        self._wait = wait
        self._stopping = threading.Event()
        self._most = MOST
        self._held: list[Claim] = []

    def deliver_next(self) -> int:
        """Claim and deliver a batch of one site; return how many leads were tried, 0: none is due.

        After DatabaseUnavailableError the next call releases the claims, or their leases end.
        """
        self._give_back()
        now = self._clock()
        # A claim takes SQLite's only write lock, for longer the more deliveries wait: while they
        # pile up behind a pause, posts would wait for it.
        on_pause = self._pauses.paused(now)
        for site in [site for site in self._clients if site not in on_pause]:
            client = self._clients[site]
            room = client.room_within(SOON) - 1
            self._held = claim_many(self._database, site, now, max(1, min(self._most, room)))
            if self._held:
                # Sites take turns: this one is the last next time.
                self._clients[site] = self._clients.pop(site)
                tried = self._deliver_batch(client)
                self._give_back()
                return tried
        return 0

    def interrupt(self) -> None:
        """End after the call in flight: what is held is given back. From any thread."""
        self._stopping.set()
        for client in self._clients.values():
            client.close()

    def _give_back(self) -> None:
        if self._held:
            release(self._database, self._held)
            self._held = []

    def _deliver_batch(self, client: RateLimitedClient) -> int:
        """Deliver what is held, until one shows that the others had better wait."""
        until = self._clock() + BATCH_TIME
        search = BatchSearch(client, self._held)
        tried, goes_on = 0, True
        while self._held and goes_on:
            claim = self._held[0]
            ids = {"delivery": claim.delivery_id, "submission": claim.submission_id}
            try:
                with structlog.contextvars.bound_contextvars(**ids):
                    goes_on = self._deliver_lead(claim, client, search, until)
            except ClaimLostError:
                _log.warning("delivery %d was taken over by another worker", claim.delivery_id)
            del self._held[0]
            tried += 1
            goes_on = goes_on and self._clock() < until and not self._stopping.is_set()
        self._most = search.next_size(self._most)
        return tried

    def _deliver_lead(
        self, claim: Claim, client: RateLimitedClient, search: BatchSearch, until: datetime
    ) -> bool:
        """Deliver one; False if the site takes no other now."""
        intent = claim.intent
        if intent and intent.operation == "create":
            # By then a search would find its contact.
            ready_at = intent.at + self._grace
            if ready_at > self._clock():
                self._results.not_sent(claim, ready_at)
                return True
        client.start()
        upsert = ContactUpsert(claim, client, self._keys)
        try:
            self._wait_for_room(client, search.calls_for(claim), until)
            result = upsert.run(search.find(claim))
        except StoppedError:
            self._results.not_sent(claim)
            return False
        except BudgetSpentError as spent:
            self._results.budget_spent(claim, spent)
            return False
        except WixError as error:
            self._results.refused(claim, client, error, upsert.intent)
            return not concerns_site(error)
        except WrongDataTypeError as error:
            self._results.wrong_type(claim, client, error)
        except (ClaimLostError, DatabaseUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - a defect must not stop the other leads
            self._results.defect(claim, client, error, upsert.intent)
        else:
            self._results.delivered(claim, client, result)
        return True

    def _wait_for_room(self, client: RateLimitedClient, calls: int, until: datetime) -> None:
        """Wait a moment for room for so many calls; raise BudgetSpentError if it takes longer."""
        while free_at := client.room_at(calls):
            now = self._clock()
            if free_at > min(now + SOON, until):
                raise BudgetSpentError(free_at)
            if self._stopping.is_set():
                raise StoppedError
            self._wait(self._stopping, max(0.0, (free_at - now).total_seconds()))
