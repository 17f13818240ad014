"""One unit of work: claim a due delivery, bring it to Wix, write down what came of it.

`Deliverer.deliver_next` is all that a worker calls. It returns whether there was anything to do, so
tests and `worker --once` never enter a loop.
"""

import logging
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.due import LONGEST_WAIT
from formapp.delivery.claims import Claim, ClaimLostError, Intent, claim_next, release
from formapp.delivery.client import BudgetSpentError, Clock, RateLimitedClient, StoppedError
from formapp.delivery.contact_cache import ContactCache, Pauses
from formapp.delivery.find import SKEW
from formapp.delivery.keys import KeyBook, WrongDataTypeError
from formapp.delivery.ledger import Ledger, Trial
from formapp.delivery.retry import Jitter
from formapp.delivery.upsert import ContactUpsert
from formapp.monitoring.metrics import Metrics
from formapp.wix import WixError

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers leads of some sites, one at a time; a worker thread has one of its own."""

    def __init__(  # noqa: PLR0913 - collaborators, by keyword
        self,
        database: Database,
        gates: Mapping[str, RateLimitedClient],
        *,
        grace: timedelta,
        clock: Clock,
        jitter: Jitter = random.uniform,
        metrics: Metrics | None = None,
    ) -> None:
        """Wire up.

        Args:
            database: the ledger.
            gates: site name to its gate.
            grace: how long a create whose outcome is unknown waits before it is looked for.
            clock: the time.
            jitter: the randomness of backoff.
            metrics: of this process.
        """
        self._database = database
        self._gates = gates
        self._grace = grace
        self._clock = clock
        self._memory = ContactCache(database)
        self._lanes = Pauses(database)
        self._keybook = KeyBook(self._memory)
        self._ledger = Ledger(
            database, grace=grace, clock=clock, jitter=jitter, metrics=metrics or Metrics()
        )
        self._stranded: Claim | None = None

    def deliver_next(self) -> bool:
        """Claim and deliver one lead; False if none is due.

        Raises:
            DatabaseUnavailableError: the ledger can't be read or written. A delivery that is held then
                is let go by the next call, or when its lease runs out.
        """
        self._let_go()
        claim = self._claim()
        if claim is None:
            return False
        ids = {"delivery": claim.delivery_id, "submission": claim.submission_id}
        try:
            with structlog.contextvars.bound_contextvars(**ids):
                self._deliver(claim)
        except ClaimLostError:
            _log.warning("delivery %d was taken over by another worker", claim.delivery_id)
        except DatabaseUnavailableError:
            self._stranded = claim
            raise
        return True

    def _claim(self) -> Claim | None:
        """The next delivery that is due; behind paused lanes nobody looks for one.

        To look takes SQLite's only write lock, and longer the more wait: posts would stand behind
        it, just while everything piles up.
        """
        now = self._clock()
        paused = {
            site
            for site, (until, _) in self._lanes.paused(now).items()
            # Further ahead than any pause can be: a clock was wrong.
            if until <= now + LONGEST_WAIT
        }
        sites = [site for site in self._gates if site not in paused]
        return claim_next(self._database, sites, now) if sites else None

    def interrupt(self) -> None:
        """End after the call in flight: the delivery at hand is given back. From any thread."""
        for gate in self._gates.values():
            gate.close()

    def _let_go(self) -> None:
        """Once the database is back, a delivery that it interrupted needn't wait for its lease."""
        if self._stranded:
            with suppress(ClaimLostError):
                release(self._database, self._stranded)
            self._stranded = None

    def _deliver(self, claim: Claim) -> None:
        claim = self._righted(claim)
        ready_at = self._ready_at(claim.intent)
        if ready_at > self._clock():
            self._ledger.too_early(claim, ready_at)
            return
        trial = Trial(claim, self._gates[claim.site], self._clock())
        bringer = ContactUpsert(
            claim,
            trial.gate,
            database=self._database,
            memory=self._memory,
            keybook=self._keybook,
            clock=self._clock,
        )
        try:
            trial.gate.begin()
            done = bringer.bring()
        except StoppedError:
            self._ledger.interrupted(claim)
        except BudgetSpentError as spent:
            self._ledger.no_budget(claim, spent)
        except WixError as error:
            self._ledger.refused(trial, error, bringer.intent)
        except WrongDataTypeError as error:
            self._ledger.wrong_type(trial, error)
        except (ClaimLostError, DatabaseUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - a defect must not stop the other leads
            self._ledger.defect(trial, error, bringer.intent)
        else:
            self._ledger.delivered(trial, done)

    def _righted(self, claim: Claim) -> Claim:
        """What a clock that was ahead noted counts as noted now: nobody waits for that clock."""
        intent, now = claim.intent, self._clock()
        if intent is None or intent.at <= now + SKEW:
            return claim
        return replace(claim, intent=replace(intent, at=now))

    def _ready_at(self, intent: Intent | None) -> datetime:
        """A create whose outcome is unknown waits until a look-up would see it."""
        if intent and intent.operation == "create":
            return intent.at + self._grace
        return self._clock()
