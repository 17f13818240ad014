"""Results of deliveries: the retry decision, and the record of each attempt.

| response | what follows |
| --- | --- |
| 429 | the site pauses: Retry-After where given (1 h at most), else backoff; no attempt is spent |
| 401, 403 | the site pauses and its owner gets an alert; leads wait, none fails |
| time-out, no connection, 5xx | backoff with full jitter, 5 s doubling to 1 h, for 72 h |
| a lost race (409 that names no contact, a contact that vanished) | the same, from 1 s |
| other 4xx | failed at once, with Wix's reason |

Functions that store a result raise `ClaimLostError` if another worker holds the delivery; then
nothing was written.
"""

import logging
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, insert

from formapp.db.database import Database, upsert
from formapp.db.tables import attempts, contacts
from formapp.delivery.claims import Claim, Intent, take_turn, write_held
from formapp.delivery.decide import Change
from formapp.delivery.find import WrongDataTypeError
from formapp.delivery.sites import BudgetSpentError, Clock, Pauses, RateLimitedClient
from formapp.jobs.backoff import FIRST, LONGEST, LONGEST_WAIT, Jitter, backoff, doubled
from formapp.monitoring.incidents import WRONG_DATA_TYPE
from formapp.monitoring.metrics import Metrics
from formapp.wix import (
    ConflictError,
    ContactNotFoundError,
    ForbiddenError,
    RateLimitedError,
    UnauthorizedError,
    WixError,
)

Outcome = Literal["created", "updated", "unchanged"]

PATIENCE = timedelta(hours=72)
_SECOND = timedelta(seconds=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """The lead is in Wix. The flags are sentences for the owner, `changes` lines of a table.

    `revision` is the contact's, as last seen.
    """

    outcome: Outcome
    contact_id: str
    flags: tuple[str, ...] = ()
    changes: list[Change] = field(default_factory=list, repr=False)
    revision: int | None = None


# What follows an error. Pure.


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at this time; an attempt is spent."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the site until then; no attempt is spent."""

    until: datetime
    owner_must_act: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Repeating it would not help; the owner can correct and retry."""


Verdict = Retry | Pause | GiveUp
_ATTEMPT_RESULTS: dict[type, str] = {Retry: "retry", Pause: "paused", GiveUp: "failed"}


def after_error(  # noqa: PLR0913 - all that the decision depends on, by keyword
    error: WixError,
    *,
    now: datetime,
    first_tried: datetime,
    attempts: int,
    failures: int,
    jitter: Jitter,
) -> Verdict:
    """Decide what follows; `attempts` were spent and `failures` counted before this one.

    Patience counts from `first_tried`, when an attempt was first spent: days in a pause use none of
    it up.
    """
    if isinstance(error, RateLimitedError):
        asked = timedelta(seconds=error.retry_after or 0)
        return Pause(now + min(asked or doubled(_SECOND, failures, 60 * _SECOND), LONGEST))
    if isinstance(error, UnauthorizedError | ForbiddenError):
        return Pause(now + doubled(FIRST, failures, 300 * _SECOND), owner_must_act=True)
    lost_race = isinstance(error, ConflictError | ContactNotFoundError)
    if not (error.retryable or lost_race) or now - first_tried >= PATIENCE:
        return GiveUp()
    return Retry(now + backoff(attempts, jitter, _SECOND if lost_race else FIRST))


# What is stored, each in one transaction


@dataclass(frozen=True, slots=True)
class Attempt:
    """The record of one attempt. Holds ids and codes, never an answer.

    Attributes:
        result: `delivered`, `retry`, `failed` or `paused`.
        calls: each HTTP call's `operation`, `status`, `code`, `request_id` and `ms`.
    """

    at: datetime
    result: str
    duration_ms: int
    calls: list[dict[str, Any]] = field(default_factory=list)
    operation: str | None = None
    status: int | None = None
    code: str | None = None
    request_id: str | None = None

    @property
    def ended_at(self) -> datetime:
        return self.at + timedelta(milliseconds=self.duration_ms)


def finish(database: Database, claim: Claim, attempt: Attempt, result: Result) -> None:
    """Store the result and the attempt, and remember the person's contact."""
    with database.write() as connection:
        _end_claim(
            connection,
            claim,
            attempt,
            state="delivered",
            outcome=result.outcome,
            contact_id=result.contact_id,
            flags=list(result.flags),
            changes=result.changes or None,
            finished_at=attempt.ended_at,
        )
        email, phone = claim.lead.email_identity, claim.lead.phone_identity
        contact = {
            "contact_id": result.contact_id,
            "revision": result.revision,
            "updated_at": attempt.ended_at,
        }
        if identity := email or phone:
            upsert(connection, contacts, {"site": claim.site, "identity": identity}, contact)
        if email and phone and result.outcome == "created":
            # A lead with this phone alone is of that contact, which Wix may not show yet.
            key = {"site": claim.site, "identity": phone}
            upsert(connection, contacts, key, contact, changes={"identity": phone})


def give_up(
    database: Database, claim: Claim, attempt: Attempt, reason: str, intent: Intent | None = None
) -> None:
    """Store that the delivery failed, and why; the lead is kept.

    `intent` is a write whose outcome is unknown; a retry by the owner checks it first.
    """
    values = {"state": "failed", "finished_at": attempt.ended_at}
    with database.write() as connection:
        _end_claim(connection, claim, attempt, reason=reason, intent=intent, **values)


def put_back(  # noqa: PLR0913 - a row
    database: Database,
    claim: Claim,
    attempt: Attempt | None,
    *,
    due_at: datetime,
    reason: str | None = None,
    intent: Intent | None = None,
) -> None:
    """Give the claim back until `due_at`, within `LONGEST_WAIT`.

    `attempt` is None where no call was tried, `intent` a write whose outcome is unknown.
    """
    with database.write() as connection:
        _end_claim(connection, claim, attempt, reason=reason, intent=intent, due_at=due_at)


def _end_claim(
    connection: Connection,
    claim: Claim,
    attempt: Attempt | None,
    *,
    reason: str | None = None,
    intent: Intent | None = None,
    **values: Any,
) -> None:
    """Write to the delivery, and insert the attempt; one during a pause is not spent."""
    write_held(
        connection,
        claim,
        lease_until=None,
        reason=reason,
        intent=intent.as_json() if intent else None,
        attempts=claim.attempts + (attempt is not None and attempt.result != "paused"),
        **values,
    )
    if attempt:
        take_turn(connection, claim.lead.form, attempt.at)
        row = {**asdict(attempt), "delivery_id": claim.delivery_id}
        # Cut to the columns: what Wix sends must not prevent storing the result.
        row |= {name: row[name] and row[name][:80] for name in ("code", "request_id")}
        connection.execute(insert(attempts), row)


@dataclass(frozen=True, kw_only=True)
class ResultWriter:
    """Stores, counts and logs the results of deliveries, and pauses sites."""

    database: Database
    pauses: Pauses
    grace: timedelta
    clock: Clock
    jitter: Jitter
    metrics: Metrics

    def delivered(self, claim: Claim, client: RateLimitedClient, result: Result) -> None:
        finish(self.database, claim, self._attempt(client, "delivered"), result)
        waited = (self.clock() - claim.created_at).total_seconds()
        calls = len(client.calls)
        self.metrics.delivered(claim.site, result.outcome, calls=calls, seconds=waited)
        if self.pauses.succeeded(claim.site, self.clock()):
            _log.warning("site %s takes leads again", claim.site)
        _log.info(
            "delivery %d of submission %s: %s, contact %s",
            claim.delivery_id,
            claim.submission_id,
            result.outcome,
            result.contact_id,
        )

    def not_sent(self, claim: Claim, ready_at: datetime | None = None) -> None:
        """The call at hand was not sent: give the delivery back as it was claimed."""
        now = self.clock()
        due_at = min(ready_at or now, now + LONGEST_WAIT)
        put_back(self.database, claim, None, due_at=due_at, intent=claim.intent)

    def budget_spent(self, claim: Claim, spent: BudgetSpentError) -> None:
        """As `not_sent`; the site pauses until its rate budget has room."""
        self.pauses.pause(claim.site, spent.free_at, "the rate budget is spent", failure=False)
        self.not_sent(claim)

    def refused(
        self, claim: Claim, client: RateLimitedClient, error: WixError, intent: Intent | None
    ) -> None:
        now = self.clock()
        verdict = after_error(
            error,
            now=now,
            first_tried=claim.tried_since or now,
            attempts=claim.attempts,
            failures=self.pauses.failures(claim.site),
            jitter=self.jitter,
        )
        # An earlier write of unknown outcome stays unknown, whatever the result of this one.
        unknown = intent if error.maybe_applied else claim.intent
        attempt = self._attempt(client, _ATTEMPT_RESULTS[type(verdict)], error=error)
        if isinstance(verdict, GiveUp):
            self._give_up(claim, attempt, _reason(error), unknown)
            _log.error("delivery %d failed, its lead is kept: %s", claim.delivery_id, error)
            return
        if isinstance(verdict, Pause):
            self.pauses.pause(claim.site, verdict.until, str(error))
            level = logging.ERROR if verdict.owner_must_act else logging.WARNING
            _log.log(level, "site %s is paused until %s: %s", claim.site, verdict.until, error)
        due_at = verdict.at if isinstance(verdict, Retry) else now
        if unknown and unknown is not claim.intent and unknown.operation == "create":
            # The grace counts from here: the call may have been under way until a moment ago.
            due_at = max(due_at, self.clock() + min(self.grace, LONGEST_WAIT))
        reason = _reason(error)
        put_back(self.database, claim, attempt, due_at=due_at, reason=reason, intent=unknown)

    def wrong_type(
        self, claim: Claim, client: RateLimitedClient, error: WrongDataTypeError
    ) -> None:
        """The form file and the site disagree: the owner has to act."""
        attempt = self._attempt(client, "failed", code=WRONG_DATA_TYPE)
        self._give_up(claim, attempt, str(error), claim.intent)
        _log.error("delivery %d failed, its lead is kept: wrong data type", claim.delivery_id)

    def defect(
        self, claim: Claim, client: RateLimitedClient, error: Exception, intent: Intent | None
    ) -> None:
        """An unexpected exception: retried for as long as an unavailable Wix would be.

        Only its type is stored and logged: its text may quote an answer.
        """
        name = type(error).__name__
        _log.error("delivery %d met a defect of formapp: %s", claim.delivery_id, name)
        now, reason = self.clock(), f"a defect of formapp: {name}"
        if now - (claim.tried_since or now) >= PATIENCE:
            self._give_up(claim, self._attempt(client, "failed", code=name), reason, intent)
            return
        attempt = self._attempt(client, "retry", code=name)
        due_at = now + backoff(claim.attempts, self.jitter)
        put_back(self.database, claim, attempt, due_at=due_at, reason=reason, intent=intent)

    def _give_up(self, claim: Claim, attempt: Attempt, reason: str, intent: Intent | None) -> None:
        give_up(self.database, claim, attempt, reason, intent)
        self.metrics.failed(claim.site)

    def _attempt(
        self,
        client: RateLimitedClient,
        result: str,
        *,
        error: WixError | None = None,
        code: str | None = None,
    ) -> Attempt:
        last = client.calls[-1] if client.calls else {}
        names = ("operation", "status", "code", "request_id")
        seen = {name: getattr(error, name) if error else last.get(name) for name in names}
        if code:
            seen["code"] = code
        duration = round((self.clock() - client.started).total_seconds() * 1000)
        attempt = Attempt(client.started, result, duration, client.calls, **seen)
        self.metrics.attempt(client.site, result, attempt.status, attempt.code)
        return attempt


def _reason(error: WixError) -> str:
    """Wix's description of a refusal, for the owner: stored with the delivery, never logged."""
    words = "; ".join(each.description for each in error.violations if each.description)
    return f"{error}: {words}" if words else str(error)
