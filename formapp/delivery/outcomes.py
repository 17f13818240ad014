"""What came of a delivery: written with its attempt, by whoever still holds the claim."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, insert

from formapp.db.database import Database
from formapp.db.tables import attempts, contacts
from formapp.db.upsert import upsert
from formapp.delivery.claims import Claim, Intent, held
from formapp.delivery.turns import take_turn

Outcome = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to. Holds ids and codes, never an answer.

    Attributes:
        result: `delivered`, `retry`, `failed`, `paused` or `postponed`.
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


def finish(  # noqa: PLR0913 - everything that one transaction writes
    database: Database,
    claim: Claim,
    attempt: Attempt,
    *,
    outcome: Outcome,
    contact_id: str,
    flags: list[str],
) -> None:
    """Write outcome, contact and attempt, and remember the person's contact: one transaction.

    Raises:
        ClaimLostError: somebody else holds the delivery; nothing was written.
    """
    finished_at = attempt.at + timedelta(milliseconds=attempt.duration_ms)
    with database.write() as connection:
        held(
            connection,
            claim,
            state="delivered",
            outcome=outcome,
            contact_id=contact_id,
            flags=flags,
            reason=None,
            intent=None,
            lease_until=None,
            attempts=claim.attempts + 1,
            finished_at=finished_at,
        )
        _note(connection, claim, attempt)
        email, phone = claim.lead.email_identity, claim.lead.phone_identity
        if identity := email or phone:
            remember(connection, claim.site, identity, contact_id, finished_at)
        if email and phone and outcome == "created":
            # Whoever gives this phone alone is that contact, which Wix may not show yet.
            _remember_if_unknown(connection, claim.site, phone, contact_id, finished_at)


def give_up(
    database: Database,
    claim: Claim,
    attempt: Attempt,
    reason: str,
    intent: Intent | None = None,
) -> None:
    """Write that the delivery failed for good, with Wix's own reason.

    Args:
        database: the ledger.
        claim: what is given up.
        attempt: what was tried last.
        reason: why, for the owner.
        intent: the write whose outcome is unknown: whoever replays the delivery looks for it.

    Raises:
        ClaimLostError: somebody else holds the delivery; nothing was written.
    """
    with database.write() as connection:
        held(
            connection,
            claim,
            state="failed",
            reason=reason,
            intent=intent.as_json() if intent else None,
            lease_until=None,
            attempts=claim.attempts + 1,
            finished_at=attempt.at + timedelta(milliseconds=attempt.duration_ms),
        )
        _note(connection, claim, attempt)


def put_back(  # noqa: PLR0913 - everything that one transaction writes
    database: Database,
    claim: Claim,
    attempt: Attempt | None,
    *,
    due_at: datetime,
    reason: str | None,
    spent: bool,
    intent: Intent | None = None,
) -> None:
    """Give the claim back until `due_at`.

    Args:
        database: the ledger.
        claim: what is given back.
        attempt: what was tried, if anything was.
        due_at: when to try again.
        reason: why, for the owner.
        spent: whether this counts as an attempt.
        intent: the write whose outcome is unknown; None if there is none.

    Raises:
        ClaimLostError: somebody else holds the delivery; nothing was written.
    """
    with database.write() as connection:
        held(
            connection,
            claim,
            due_at=due_at,
            lease_until=None,
            reason=reason,
            attempts=claim.attempts + int(spent),
            intent=intent.as_json() if intent else None,
        )
        if attempt:
            _note(connection, claim, attempt)


def _note(connection: Connection, claim: Claim, attempt: Attempt) -> None:
    take_turn(connection, claim.lead.form, attempt.at)
    connection.execute(
        insert(attempts),
        {
            "delivery_id": claim.delivery_id,
            "at": attempt.at,
            "result": attempt.result,
            "operation": attempt.operation,
            "status": attempt.status,
            "code": _fitting(attempt.code),
            "request_id": _fitting(attempt.request_id),
            "duration_ms": attempt.duration_ms,
            "calls": attempt.calls,
        },
    )


def _fitting(text: str | None) -> str | None:
    """What Wix sent, cut to the column: its length must not keep an outcome from being kept."""
    return text[:80] if text else text


def remember(
    connection: Connection,
    site: str,
    identity: str,
    contact_id: str,
    at: datetime,
) -> None:
    """Remember which contact a person is, in the caller's transaction."""
    who = {"site": site, "identity": identity}
    upsert(connection, contacts, who, {"contact_id": contact_id, "updated_at": at})


def _remember_if_unknown(
    connection: Connection,
    site: str,
    identity: str,
    contact_id: str,
    at: datetime,
) -> None:
    who = {"site": site, "identity": identity}
    values = {"contact_id": contact_id, "updated_at": at}
    upsert(connection, contacts, who, values, changes={"identity": identity})
