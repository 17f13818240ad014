"""Claims: who works on which delivery, and what is about to be sent.

A claim is a conditional update with a lease and a fencing number. Every later write names the
number; once the lease ran out and somebody else has claimed, the earlier holder's writes are void
(`ClaimLost`) and it must stop.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select, update
from sqlalchemy.sql import Select

from formapp.lead import Lead
from formapp.submissions.database import Database
from formapp.submissions.schema import deliveries, lanes, submissions

LEASE = timedelta(seconds=90)
"""Longer than any one call to Wix may take; renewed with each intent."""


class ClaimLost(Exception):  # noqa: N818 - says what happened
    """Somebody else has claimed the delivery since; this holder must stop."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is about to be sent to Wix, noted before it is.

    Attributes:
        operation: `create` or `update`.
        at: when it was noted.
        contact_id, revision: of the contact that an update goes to.
    """

    operation: Literal["create", "update"]
    at: datetime
    contact_id: str | None = None
    revision: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {**asdict(self), "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """As it was noted."""
        return cls(**{**kept, "at": datetime.fromisoformat(kept["at"])})


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker holds until the lease ends."""

    delivery_id: int
    submission_id: str
    site: str
    fence: int
    attempts: int
    created_at: datetime
    intent: Intent | None
    lead: Lead


def claim_next(database: Database, sites: Sequence[str], now: datetime) -> Claim | None:
    """Claim the oldest due delivery of these sites that nothing stands in the way of.

    In the way are a paused lane, and an earlier unfinished delivery of the same person: the same
    e-mail or the same phone at the same site.

    Raises:
        DatabaseUnavailable: try again later.
    """
    with database.write() as connection:
        row = connection.execute(_due(sites, now).with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        fence = row.fence + 1
        connection.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(fence=fence, lease_until=now + LEASE),
        )
        return _claim(connection, row, fence)


def _due(sites: Sequence[str], now: datetime) -> Select[Any]:
    other = deliveries.alias("other")
    same_person = or_(
        other.c.email == deliveries.c.email,
        other.c.phone == deliveries.c.phone,
    )
    ahead = exists().where(
        other.c.site == deliveries.c.site,
        other.c.state == "pending",
        other.c.id != deliveries.c.id,
        or_(other.c.id < deliveries.c.id, other.c.lease_until > now),
        same_person,
    )
    paused = exists().where(lanes.c.site == deliveries.c.site, lanes.c.paused_until > now)
    return (
        select(deliveries)
        .where(
            deliveries.c.state == "pending",
            deliveries.c.site.in_(sites),
            deliveries.c.due_at <= now,
            or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= now),
            ~ahead,
            ~paused,
        )
        .order_by(deliveries.c.id)
        .limit(1)
    )


def _claim(connection: Connection, row: Row[Any], fence: int) -> Claim:
    lead = connection.execute(
        select(submissions.c.lead).where(submissions.c.id == row.submission_id),
    ).scalar_one()
    return Claim(
        delivery_id=row.id,
        submission_id=row.submission_id,
        site=row.site,
        fence=fence,
        attempts=row.attempts,
        created_at=row.created_at,
        intent=Intent.from_json(row.intent) if row.intent else None,
        lead=Lead.model_validate(lead),
    )


def intend(database: Database, claim: Claim, intent: Intent) -> None:
    """Note what is about to be sent, and renew the lease.

    Raises:
        ClaimLost: somebody else holds the delivery; nothing may be sent.
    """
    with database.write() as connection:
        held(connection, claim, intent=intent.as_json(), lease_until=intent.at + LEASE)


def held(connection: Connection, claim: Claim, **values: Any) -> None:
    """Write to the delivery, if this claim still holds it.

    Raises:
        ClaimLost: it doesn't; roll back.
    """
    mine: ColumnElement[bool] = and_(
        deliveries.c.id == claim.delivery_id,
        deliveries.c.fence == claim.fence,
        deliveries.c.state == "pending",
    )
    if connection.execute(update(deliveries).where(mine).values(**values)).rowcount != 1:
        raise ClaimLost
