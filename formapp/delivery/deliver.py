"""One unit of work: claim a due delivery, bring it to Wix, write down what came of it.

`Deliverer.deliver_next` is all that a worker calls. It returns whether there was anything to do, so
tests and `worker --once` never enter a loop.
"""

import logging
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from formapp.delivery.bring import Bringer, Done
from formapp.delivery.gate import BudgetSpent, Clock, Gate, reason
from formapp.delivery.keys import KeyBook, WrongDataType
from formapp.delivery.retry import GiveUp, Jitter, Pause, Retry, Verdict, after_error, backoff
from formapp.submissions.claims import Claim, ClaimLost, Intent, claim_next
from formapp.submissions.database import Database, DatabaseUnavailable
from formapp.submissions.memory import Lanes, Memory
from formapp.submissions.outcomes import Attempt, finish, give_up, put_back
from formapp.wix import WixError

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers leads of some sites, one at a time; a worker thread has one of its own."""

    def __init__(
        self,
        database: Database,
        gates: Mapping[str, Gate],
        *,
        grace: timedelta,
        clock: Clock,
        jitter: Jitter = random.uniform,
    ) -> None:
        """Wire up.

        Args:
            database: the ledger.
            gates: site name to its gate.
            grace: how long a create whose outcome is unknown waits before it is looked for.
            clock: the time.
            jitter: the randomness of backoff.
        """
        self._database = database
        self._gates = gates
        self._grace = grace
        self._clock = clock
        self._jitter = jitter
        self._memory = Memory(database)
        self._keybook = KeyBook(self._memory)
        self._lanes = Lanes(database)

    def deliver_next(self) -> bool:
        """Claim and deliver one lead; False if none is due.

        Raises:
            DatabaseUnavailable: the ledger can't be read or written; the lease runs out by itself.
        """
        claim = claim_next(self._database, list(self._gates), self._clock())
        if claim is None:
            return False
        try:
            self._deliver(claim)
        except ClaimLost:
            _log.warning("delivery %d was taken over by another worker", claim.delivery_id)
        return True

    def _deliver(self, claim: Claim) -> None:
        ready_at = self._ready_at(claim.intent)
        if ready_at > self._clock():
            self._put_back_unspent(claim, ready_at, claim.intent)
            return
        gate, started = self._gates[claim.site], self._clock()
        bringer = Bringer(
            claim,
            gate,
            database=self._database,
            memory=self._memory,
            keybook=self._keybook,
            clock=self._clock,
        )
        try:
            gate.begin()
            done = bringer.bring()
        except BudgetSpent as spent:
            self._wait_for_budget(claim, spent, bringer.intent)
        except WixError as error:
            self._after_error(claim, gate, started, error, bringer.intent)
        except WrongDataType as error:
            attempt = self._attempt(gate, started, "failed", code="WRONG_DATA_TYPE")
            give_up(self._database, claim, attempt, str(error))
        except (ClaimLost, DatabaseUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - a defect must not stop the other leads
            self._after_defect(claim, gate, started, error, bringer.intent)
        else:
            self._finish(claim, gate, started, done)

    def _ready_at(self, intent: Intent | None) -> datetime:
        """A create whose outcome is unknown waits until a look-up would see it."""
        if intent and intent.operation == "create":
            return intent.at + self._grace
        return self._clock()

    def _finish(self, claim: Claim, gate: Gate, started: datetime, done: Done) -> None:
        attempt = self._attempt(gate, started, "delivered")
        finish(
            self._database,
            claim,
            attempt,
            outcome=done.outcome,
            contact_id=done.contact_id,
            flags=list(done.flags),
        )
        if self._lanes.open(claim.site):
            _log.warning("site %s takes leads again", claim.site)
        _log.info(
            "delivery %d of submission %s: %s, contact %s",
            claim.delivery_id,
            claim.submission_id,
            done.outcome,
            done.contact_id,
        )

    def _wait_for_budget(self, claim: Claim, spent: BudgetSpent, intent: Intent | None) -> None:
        self._lanes.pause(claim.site, spent.free_at, "the rate budget is spent", strike=False)
        # An intent of this attempt was noted, but nothing was sent.
        self._put_back_unspent(claim, self._clock(), intent if intent is claim.intent else None)

    def _put_back_unspent(self, claim: Claim, due_at: datetime, intent: Intent | None) -> None:
        put_back(
            self._database, claim, None, due_at=due_at, reason=None, spent=False, intent=intent
        )

    def _after_error(
        self,
        claim: Claim,
        gate: Gate,
        started: datetime,
        error: WixError,
        intent: Intent | None,
    ) -> None:
        now = self._clock()
        verdict = after_error(
            error,
            now=now,
            first_tried=claim.created_at,
            attempts=claim.attempts,
            strikes=self._lanes.strikes(claim.site),
            jitter=self._jitter,
        )
        unknown = intent if error.maybe_applied or intent is claim.intent else None
        attempt = self._attempt(gate, started, _RESULTS[type(verdict)], error)
        self._write_down(claim, attempt, verdict, error, unknown)

    def _write_down(
        self,
        claim: Claim,
        attempt: Attempt,
        verdict: Verdict,
        error: WixError,
        unknown: Intent | None,
    ) -> None:
        why = reason(error)
        if isinstance(verdict, GiveUp):
            give_up(self._database, claim, attempt, why)
            _log.error("delivery %d failed for good: %s", claim.delivery_id, error)
            return
        if isinstance(verdict, Pause):
            self._lanes.pause(claim.site, verdict.until, str(error))
            level = logging.ERROR if verdict.owner_must_act else logging.WARNING
            _log.log(level, "site %s is paused until %s: %s", claim.site, verdict.until, error)
        due_at = verdict.at if isinstance(verdict, Retry) else self._clock()
        if unknown:
            due_at = max(due_at, self._ready_at(unknown))
        put_back(
            self._database,
            claim,
            attempt,
            due_at=due_at,
            reason=why,
            spent=isinstance(verdict, Retry),
            intent=unknown,
        )

    def _after_defect(
        self,
        claim: Claim,
        gate: Gate,
        started: datetime,
        error: Exception,
        intent: Intent | None,
    ) -> None:
        # The text of an unforeseen exception may quote an answer: its type must do.
        name = type(error).__name__
        _log.error("delivery %d met a defect of formapp: %s", claim.delivery_id, name)
        attempt = self._attempt(gate, started, "retry", code=name)
        due_at = self._clock() + backoff(claim.attempts, self._jitter)
        put_back(
            self._database,
            claim,
            attempt,
            due_at=due_at,
            reason=f"a defect of formapp: {name}",
            spent=True,
            intent=intent,
        )

    def _attempt(
        self,
        gate: Gate,
        started: datetime,
        result: str,
        error: WixError | None = None,
        code: str | None = None,
    ) -> Attempt:
        last: dict[str, Any] = gate.calls[-1] if gate.calls else {}
        return Attempt(
            at=started,
            result=result,
            duration_ms=round((self._clock() - started).total_seconds() * 1000),
            calls=gate.calls,
            operation=error.operation if error else last.get("operation"),
            status=error.status if error else last.get("status"),
            code=code or (error.code if error else last.get("code")),
            request_id=error.request_id if error else last.get("request_id"),
        )


_RESULTS: dict[type, str] = {Retry: "retry", Pause: "paused", GiveUp: "failed"}
