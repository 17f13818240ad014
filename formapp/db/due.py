"""Which delivery is next: the query behind a claim.

Times are read with care: a clock that was ahead and is put right leaves times far in the future
behind. What lies further ahead than anything is ever put counts as over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select
from sqlalchemy.sql import Select

from formapp.db.tables import deliveries, lanes

LEASE = timedelta(seconds=90)
"""Longer than any one call to Wix may take; renewed with each intent."""

LONGEST_WAIT = timedelta(hours=2)
"""Longer than any backoff and any pause of a lane; a longer grace is waited out in pieces."""


def due(sites: Sequence[str], form: str, now: datetime) -> Select[Any]:
    """The oldest due delivery of this form to these sites that nothing stands in the way of.

    In the way are a paused lane, and another unfinished delivery of the same person (the same
    e-mail or the same phone at the same site) that is in flight or comes first. One whose write
    has an unknown outcome comes first: until it is known, a second write may make a second contact.
    """
    from_a_wrong_clock = deliveries.c.due_at > now + LONGEST_WAIT
    return (
        select(deliveries)
        .where(
            deliveries.c.state == "pending",
            deliveries.c.form == form,
            deliveries.c.site.in_(sites),
            or_(deliveries.c.due_at <= now, from_a_wrong_clock),
            or_(deliveries.c.lease_until.is_(None), ~_leased(deliveries, now)),
            # One look for each, since a database uses one index for each.
            ~_other_comes_first("email", now),
            ~_other_comes_first("phone", now),
            ~_paused(now),
        )
        .order_by(deliveries.c.id)
        .limit(1)
    )


def _leased(table: FromClause, now: datetime) -> ColumnElement[bool]:
    return and_(table.c.lease_until > now, table.c.lease_until <= now + 2 * LEASE)


def _paused(now: datetime) -> ColumnElement[bool]:
    return exists().where(
        lanes.c.site == deliveries.c.site,
        lanes.c.paused_until > now,
        lanes.c.paused_until <= now + LONGEST_WAIT,
    )


def _other_comes_first(identity: str, now: datetime) -> ColumnElement[bool]:
    other = deliveries.alias("other")
    has_unknown, other_has_unknown = (
        deliveries.c.intent.is_not(None),
        other.c.intent.is_not(None),
    )
    return exists().where(
        other.c.site == deliveries.c.site,
        other.c.state == "pending",
        other.c.id != deliveries.c.id,
        other.c[identity] == deliveries.c[identity],
        or_(
            _leased(other, now),
            and_(other_has_unknown, ~has_unknown),
            and_(other.c.id < deliveries.c.id, or_(other_has_unknown, ~has_unknown)),
        ),
    )
