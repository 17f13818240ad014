"""Writing down what came of a delivery: with its attempt, and with what the owner should hear."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from formapp.db.database import Database
from formapp.db.due import LONGEST_WAIT
from formapp.delivery.claims import Claim, Intent
from formapp.delivery.client import BudgetSpentError, Clock, RateLimitedClient, reason
from formapp.delivery.contact_cache import Pauses
from formapp.delivery.keys import WrongDataTypeError
from formapp.delivery.outcomes import Attempt, finish, give_up, put_back
from formapp.delivery.retry import (
    PATIENCE,
    GiveUp,
    Jitter,
    Pause,
    Retry,
    Verdict,
    after_error,
    backoff,
)
from formapp.delivery.upsert import Result
from formapp.monitoring.metrics import Metrics
from formapp.wix import WixError

_log = logging.getLogger(__name__)
_RESULTS: dict[type, str] = {Retry: "retry", Pause: "paused", GiveUp: "failed"}


@dataclass(frozen=True, slots=True)
class Trial:
    """One attempt under way: the claim, the gate it goes through, and when it began."""

    claim: Claim
    gate: RateLimitedClient
    started: datetime


class Ledger:
    """Writes down outcomes. Every method raises `ClaimLostError` if somebody else holds the delivery."""

    def __init__(
        self,
        database: Database,
        *,
        grace: timedelta,
        clock: Clock,
        jitter: Jitter,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._lanes = Pauses(database)
        self._grace = grace
        self._clock = clock
        self._jitter = jitter
        self._measures = metrics

    def delivered(self, trial: Trial, done: Result) -> None:
        """The lead is in Wix."""
        claim = trial.claim
        finish(
            self._database,
            claim,
            self._attempt(trial, "delivered"),
            outcome=done.outcome,
            contact_id=done.contact_id,
            flags=list(done.flags),
        )
        waited = (self._clock() - claim.created_at).total_seconds()
        calls = len(trial.gate.calls)
        self._measures.delivered(claim.site, done.outcome, calls=calls, seconds=waited)
        if self._lanes.open(claim.site, self._clock()):
            _log.warning("site %s takes leads again", claim.site)
        _log.info(
            "delivery %d of submission %s: %s, contact %s",
            claim.delivery_id,
            claim.submission_id,
            done.outcome,
            done.contact_id,
        )

    def too_early(self, claim: Claim, ready_at: datetime) -> None:
        """The grace period of an unknown create isn't over."""
        self._put_back_unspent(claim, self._no_later_than_any(ready_at))

    def interrupted(self, claim: Claim) -> None:
        """The worker is to end; what this attempt noted was not sent, or not applied."""
        self._put_back_unspent(claim, self._clock())

    def no_budget(self, claim: Claim, spent: BudgetSpentError) -> None:
        """The call at hand was not sent; what this attempt noted was not applied."""
        self._lanes.pause(claim.site, spent.free_at, "the rate budget is spent", strike=False)
        self._put_back_unspent(claim, self._clock())

    def _put_back_unspent(self, claim: Claim, due_at: datetime) -> None:
        """An earlier write of unknown outcome stays unknown."""
        put_back(
            self._database,
            claim,
            None,
            due_at=due_at,
            reason=None,
            spent=False,
            intent=claim.intent,
        )

    def refused(self, trial: Trial, error: WixError, intent: Intent | None) -> None:
        """A call did not succeed."""
        claim = trial.claim
        now = self._clock()
        verdict = after_error(
            error,
            now=now,
            first_tried=claim.tried_since or now,
            attempts=claim.attempts,
            strikes=self._lanes.strikes(claim.site),
            jitter=self._jitter,
        )
        # An earlier write of unknown outcome stays unknown, whatever this one came to.
        unknown = intent if error.maybe_applied else claim.intent
        self._write_down(trial, verdict, error, unknown)

    def _write_down(
        self, trial: Trial, verdict: Verdict, error: WixError, unknown: Intent | None
    ) -> None:
        claim, why = trial.claim, reason(error)
        attempt = self._attempt(trial, _RESULTS[type(verdict)], error)
        if isinstance(verdict, GiveUp):
            give_up(self._database, claim, attempt, why, unknown)
            self._measures.failed(claim.site)
            _log.error("delivery %d failed for good: %s", claim.delivery_id, error)
            return
        if isinstance(verdict, Pause):
            self._lanes.pause(claim.site, verdict.until, str(error))
            level = logging.ERROR if verdict.owner_must_act else logging.WARNING
            _log.log(level, "site %s is paused until %s: %s", claim.site, verdict.until, error)
        put_back(
            self._database,
            claim,
            attempt,
            due_at=self._due_at(verdict, claim, unknown),
            reason=why,
            spent=isinstance(verdict, Retry),
            intent=unknown,
        )

    def _due_at(self, verdict: Retry | Pause, claim: Claim, unknown: Intent | None) -> datetime:
        due_at = verdict.at if isinstance(verdict, Retry) else self._clock()
        if unknown and unknown is not claim.intent and unknown.operation == "create":
            # The grace counts from here: the call may have been under way until a moment ago.
            return self._no_later_than_any(max(due_at, self._clock() + self._grace))
        return due_at

    def _no_later_than_any(self, due_at: datetime) -> datetime:
        """What is due later than that counts as put there by a wrong clock."""
        return min(due_at, self._clock() + LONGEST_WAIT)

    def wrong_type(self, trial: Trial, error: WrongDataTypeError) -> None:
        """The form file and the site disagree: the owner has to act."""
        attempt = self._attempt(trial, "failed", code="WRONG_DATA_TYPE")
        give_up(self._database, trial.claim, attempt, str(error), trial.claim.intent)
        self._measures.failed(trial.claim.site)
        _log.error("delivery %d failed for good: wrong data type", trial.claim.delivery_id)

    def defect(self, trial: Trial, error: Exception, intent: Intent | None) -> None:
        """Something unforeseen: tried again for as long as an unavailable Wix would be.

        The text of such an exception may quote an answer: its type must do.
        """
        claim, name = trial.claim, type(error).__name__
        _log.error("delivery %d met a defect of formapp: %s", claim.delivery_id, name)
        now, why = self._clock(), f"a defect of formapp: {name}"
        if now - (claim.tried_since or now) >= PATIENCE:
            attempt = self._attempt(trial, "failed", code=name)
            give_up(self._database, claim, attempt, why, intent)
            self._measures.failed(claim.site)
            return
        put_back(
            self._database,
            claim,
            self._attempt(trial, "retry", code=name),
            due_at=now + backoff(claim.attempts, self._jitter),
            reason=why,
            spent=True,
            intent=intent,
        )

    def _attempt(
        self,
        trial: Trial,
        result: str,
        error: WixError | None = None,
        code: str | None = None,
    ) -> Attempt:
        calls = trial.gate.calls
        last: dict[str, Any] = calls[-1] if calls else {}
        attempt = Attempt(
            at=trial.started,
            result=result,
            duration_ms=round((self._clock() - trial.started).total_seconds() * 1000),
            calls=calls,
            operation=error.operation if error else last.get("operation"),
            status=error.status if error else last.get("status"),
            code=code or (error.code if error else last.get("code")),
            request_id=error.request_id if error else last.get("request_id"),
        )
        self._measures.attempt(trial.claim.site, result, attempt.status, attempt.code)
        return attempt
