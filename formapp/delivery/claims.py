"""Claims: who works on which delivery, and what is about to be sent.

A claim is a conditional update with a lease and a fencing number. Every later write names the
number; once the lease ran out and somebody else has claimed, the earlier holder's writes are void
(`ClaimLostError`) and it must stop.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

from sqlalchemy import Connection, Row, func, select, text, update

from formapp.db.database import Database
from formapp.db.due import LEASE, due
from formapp.db.tables import attempts, deliveries, submissions
from formapp.delivery.turns import forms_in_turn
from formapp.lead import Lead

_LOCK = 0x636C616D  # "clam"
_TIMES = ("at", "first_at")
_UNREADABLE = "its lead can't be read by this version of formapp: retry it to have it made anew"

_log = logging.getLogger(__name__)


class ClaimLostError(Exception):
    """Somebody else has claimed the delivery since; this holder must stop."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is about to be sent to Wix, noted before it is.

    Attributes:
        operation: `create` or `update`.
        at: when it was noted.
        contact_id, revision: of the contact that an update goes to.
        first_at: of a create that is repeated, when the first one of unknown outcome was noted.
    """

    operation: Literal["create", "update"]
    at: datetime
    contact_id: str | None = None
    revision: int | None = None
    first_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """From when on a write of ours may have been applied."""
        return self.first_at or self.at

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept = asdict(self)
        first_at = kept.pop("first_at")
        repeated = {"first_at": first_at.isoformat()} if first_at else {}
        return {**kept, "at": self.at.isoformat(), **repeated}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """As it was noted."""
        times = {name: datetime.fromisoformat(kept[name]) for name in _TIMES if kept.get(name)}
        return cls(**{**kept, **times})


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker holds until the lease ends.

    Attributes:
        created_at: when the lead came, or was last asked to be retried.
        attempts: spent so far.
        tried_since: when the first of them was spent; None before that.
        intent: a write whose outcome is unknown.
    """

    delivery_id: int
    submission_id: str
    site: str
    fence: int
    created_at: datetime
    attempts: int
    tried_since: datetime | None
    intent: Intent | None
    lead: Lead


def claim_next(database: Database, sites: Sequence[str], now: datetime) -> Claim | None:
    """Claim the oldest due delivery that nothing stands in the way of (`due`); forms take turns.

    Raises:
        DatabaseUnavailableError: try again later.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            # Two claims at once would each look at a time before the other, and both find that
            # nothing of the same person is in flight. The lock comes first and a statement sees
            # what was committed before it began, so the second one sees the first one's lease.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        for form in forms_in_turn(connection):
            query = due(sites, form, now).with_for_update(skip_locked=True)
            while row := connection.execute(query).first():
                if claim := _claim(connection, row, now):
                    return claim
    return None


def _claim(connection: Connection, row: Row[Any], now: datetime) -> Claim | None:
    """Take the delivery; one that can't be read fails, so that it stops nobody else."""
    kept = select(submissions.c.lead).where(submissions.c.id == row.submission_id)
    try:
        lead = Lead.from_json(connection.execute(kept).scalar_one())
        intent = Intent.from_json(row.intent) if row.intent else None
    except (ValueError, TypeError, KeyError):
        _log.error("delivery %d failed: its lead can't be read", row.id)
        values: dict[str, Any] = {"state": "failed", "reason": _UNREADABLE, "finished_at": now}
        _set(connection, row.id, **values)
        return None
    _set(connection, row.id, fence=row.fence + 1, lease_until=now + LEASE)
    return Claim(
        delivery_id=row.id,
        submission_id=row.submission_id,
        site=row.site,
        fence=row.fence + 1,
        created_at=row.created_at,
        attempts=row.attempts,
        tried_since=_tried_since(connection, row),
        intent=intent,
        lead=lead,
    )


def _set(connection: Connection, delivery_id: int, **values: Any) -> None:
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


def _tried_since(connection: Connection, row: Row[Any]) -> datetime | None:
    """Time in a queue or behind a paused lane is no trying; a replay starts anew."""
    if not row.attempts:
        return None
    spent = select(func.min(attempts.c.at)).where(
        attempts.c.delivery_id == row.id,
        attempts.c.result == "retry",
        attempts.c.at >= row.created_at,
    )
    found: datetime | None = connection.execute(spent).scalar()
    return found


def intend(database: Database, claim: Claim, intent: Intent) -> None:
    """Note what is about to be sent, and renew the lease.

    Raises:
        ClaimLostError: somebody else holds the delivery, or the lease has ended: then somebody may
            work for the same person. Nothing may be sent.
    """
    with database.write() as connection:
        unexpired = select(deliveries.c.id).where(
            deliveries.c.id == claim.delivery_id,
            deliveries.c.lease_until > intent.at,
        )
        if connection.execute(unexpired).first() is None:
            raise ClaimLostError
        held(connection, claim, intent=intent.as_json(), lease_until=intent.at + LEASE)


def release(database: Database, claim: Claim) -> None:
    """Let go of a delivery as it is, for whoever comes next.

    Raises:
        ClaimLostError: somebody else has it already.
    """
    with database.write() as connection:
        held(connection, claim, lease_until=None)


def held(connection: Connection, claim: Claim, **values: Any) -> None:
    """Write to the delivery, if this claim still holds it.

    Raises:
        ClaimLostError: it doesn't; roll back.
    """
    mine = (
        (deliveries.c.id == claim.delivery_id)
        & (deliveries.c.fence == claim.fence)
        & (deliveries.c.state == "pending")
    )
    if connection.execute(update(deliveries).where(mine).values(**values)).rowcount != 1:
        raise ClaimLostError
