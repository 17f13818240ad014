"""Claims: which deliveries a worker takes next, and what it is about to send.

A claim is a conditional update with a lease and a fencing number. Every later write names the
number: once the lease has ended and another worker has claimed the delivery, writes of the earlier
worker raise `ClaimLostError`, and it must stop.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import chain, zip_longest
from math import ceil
from typing import Any, Literal, Self

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Row,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql import Select

from formapp.db.database import (
    Database,
    UtcDateTime,
    is_outside,
    is_over,
    lock_for_transaction,
    upsert,
)
from formapp.db.tables import attempts, deliveries, pauses, submissions, turns
from formapp.decoding import decodable
from formapp.jobs.backoff import LONGEST_WAIT
from formapp.lead import Lead

LEASE = timedelta(seconds=90)
"""Longer than any one call to Wix may take; renewed with each intent."""

SKEW = timedelta(minutes=1)
"""How far Wix's clock may be behind ours."""

_LOCK = 0x636C616D  # "clam"
_UNREADABLE = "its lead can't be read by this version of formapp: retry it to have it made anew"

_log = logging.getLogger(__name__)

# Like the queries below, built once: building one takes longer than its answer.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LEADS = select(submissions.c.id, submissions.c.lead).where(submissions.c.id.in_(_IDS))
_TAKE = (
    update(deliveries)
    .where(deliveries.c.id.in_(_IDS))
    .values(fence=deliveries.c.fence + 1, lease_until=bindparam("until"))
)


class ClaimLostError(Exception):
    """Another worker holds the delivery, or this one's lease has ended: it must stop."""


@decodable
class Intent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A write that is about to be sent to Wix, stored before it is.

    An update names the contact and its revision. A repeated create has the time of the first one of
    unknown outcome in `first_at`.
    """

    operation: Literal["create", "update"]
    at: datetime
    contact_id: str | None = None
    revision: int | None = None
    first_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """The earliest time at which a write of ours may have been applied."""
        return self.first_at or self.at

    def as_json(self) -> Any:
        return msgspec.to_builtins(self)

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Read the stored form; raises ValueError."""
        return msgspec.convert(stored, cls)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker holds until the lease ends.

    Attributes:
        created_at: when the lead was received, or last retried by its owner.
        tried_since: when the first of its `attempts` was spent; None before that.
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


def claim_many(database: Database, site: str, now: datetime, most: int) -> list[Claim]:
    """Claim up to `most` deliveries to the site that are due (`due`), no two of one person.

    Forms take turns, each with its oldest first, and have equal shares while enough of them wait.
    """
    with database.write() as connection:
        # Two claims at once would each look at a time before the other, and both find that nothing
        # of the same person is in flight. The lock comes first and a statement sees what was
        # committed before it began, so the second one sees the first one's leases.
        lock_for_transaction(connection, _LOCK, site)
        in_turn = connection.execute(_forms_in_turn(), {"site": site} | _times(now))
        forms = list(in_turn.scalars())
        if not forms:
            return []
        share = ceil(most / len(forms))
        taken: dict[str, list[Claim]] = {form: [] for form in forms}
        for form in forms:
            limit = min(share, most - _count(taken))
            taken[form] = _claim_oldest(connection, site, form, now, limit)
        # What others left of their shares.
        for form in [form for form, claims in taken.items() if len(claims) == share]:
            taken[form] += _claim_oldest(connection, site, form, now, most - _count(taken))
    mixed = chain.from_iterable(zip_longest(*taken.values()))
    return [claim for claim in mixed if claim]


def _count(taken: Mapping[str, Sequence[Claim]]) -> int:
    return sum(map(len, taken.values()))


def _claim_oldest(
    connection: Connection, site: str, form: str, now: datetime, limit: int
) -> list[Claim]:
    """Claim the oldest of a form; other leads of these persons are not due from then on."""
    claims: list[Claim] = []
    while limit > len(claims):
        mine = {"site": site, "form": form, "most": limit - len(claims)}
        rows = connection.execute(due(), mine | _times(now)).all()
        claimed = _claim(connection, rows, now) if rows else []
        claims += claimed
        if len(claimed) == len(rows):
            break
        # In place of those that can't be read.
    return claims


def _claim(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> list[Claim]:
    """Take the deliveries, all by a few statements: SQLite stores no lead meanwhile."""
    ids = [row.submission_id for row in rows]
    leads = {row.id: row.lead for row in connection.execute(_LEADS, {"ids": ids})}
    tried_since = _tried_since(connection, [row.id for row in rows if row.attempts])
    claims = []
    for row in rows:
        try:
            lead, intent = Lead.from_json(leads[row.submission_id]), _intent(row, now)
        except ValueError:
            _fail_unreadable(connection, row.id, now)
            continue
        claim = Claim(
            delivery_id=row.id,
            submission_id=row.submission_id,
            site=row.site,
            fence=row.fence + 1,
            created_at=row.created_at,
            attempts=row.attempts,
            tried_since=tried_since.get(row.id),
            intent=intent,
            lead=lead,
        )
        claims.append(claim)
    mine = [claim.delivery_id for claim in claims]
    connection.execute(_TAKE, {"ids": mine, "until": now + LEASE})
    return claims


def _intent(row: Row[Any], now: datetime) -> Intent | None:
    """Read it, or raise ValueError."""
    intent = Intent.from_json(row.intent) if row.intent else None
    if intent and intent.at > now + SKEW:
        # Of a clock that was ahead.
        return msgspec.structs.replace(intent, at=now)
    return intent


def _fail_unreadable(connection: Connection, delivery_id: int, now: datetime) -> None:
    """Fail a delivery, so that others are delivered."""
    _log.error("delivery %d failed: its lead can't be read", delivery_id)
    failed = {"state": "failed", "reason": _UNREADABLE, "finished_at": now}
    connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(failed))


def _tried_since(connection: Connection, ids: Sequence[int]) -> dict[int, datetime]:
    """Time in the queue or behind a pause doesn't count; a retry by the owner starts anew."""
    if not ids:
        return {}
    spent = (
        select(deliveries.c.id, func.min(attempts.c.at))
        .join(attempts, attempts.c.delivery_id == deliveries.c.id)
        .where(
            deliveries.c.id.in_(ids),
            attempts.c.result == "retry",
            attempts.c.at >= deliveries.c.created_at,
        )
        .group_by(deliveries.c.id)
    )
    return {row[0]: row[1] for row in connection.execute(spent)}


def intend(database: Database, claim: Claim, intent: Intent) -> None:
    """Store what is about to be sent, and renew the lease; nothing may be sent if that raises.

    Even where no other worker holds the delivery, one may work for the same person since the lease
    ended.
    """
    values = {"intent": intent.as_json(), "lease_until": intent.at + LEASE}
    with database.write() as connection:
        write_held(connection, claim, deliveries.c.lease_until > intent.at, **values)


def release(database: Database, claims: Sequence[Claim]) -> None:
    """Give deliveries back as they are, except those that another worker holds by now."""
    with database.write() as connection:
        for claim in claims:
            with suppress(ClaimLostError):
                write_held(connection, claim, lease_until=None)


def write_held(
    connection: Connection, claim: Claim, *conditions: ColumnElement[bool], **values: Any
) -> None:
    """Write to the delivery, or raise ClaimLostError if the claim or a condition doesn't hold."""
    held = update(deliveries).where(
        deliveries.c.id == claim.delivery_id,
        deliveries.c.fence == claim.fence,
        deliveries.c.state == "pending",
        *conditions,
    )
    if connection.execute(held.values(**values)).rowcount != 1:
        raise ClaimLostError


# Which delivery is next

_NOW = bindparam("now", type_=UtcDateTime)


def _times(now: datetime) -> dict[str, datetime]:
    return {"now": now, "far": now + LONGEST_WAIT, "beyond_leases": now + 2 * LEASE}


@cache
def due() -> Select[Any]:
    """The query for the `most` oldest deliveries of this `form` to the `site` that may be claimed.

    Its other parameters are `_times`.
    Not while its site is paused, nor while another unfinished delivery of the same person (the same
    e-mail or the same phone at the same site) is in flight or precedes it. One whose write has an
    unknown outcome precedes others: until it is known, a second write may make a second contact.
    So no two of the result are of one person.
    """
    return (
        select(deliveries)
        .where(
            deliveries.c.state == "pending",
            deliveries.c.form == bindparam("form"),
            deliveries.c.site == bindparam("site"),
            is_outside(deliveries.c.due_at, _NOW, bindparam("far")),
            or_(deliveries.c.lease_until.is_(None), _has_ended(deliveries.c.lease_until)),
            # Two conditions, since a database uses one index for each.
            _comes_first("email"),
            _comes_first("phone"),
            ~_site_is_paused(),
        )
        .order_by(deliveries.c.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )


def is_paused(now: datetime) -> ColumnElement[bool]:
    """The condition for rows of `pauses`."""
    return ~is_over(pauses.c.paused_until, now, LONGEST_WAIT)


def _site_is_paused() -> ColumnElement[bool]:
    until = pauses.c.paused_until
    return exists().where(
        pauses.c.site == bindparam("site"), ~is_outside(until, _NOW, bindparam("far"))
    )


def _has_ended(lease_until: ColumnElement[Any]) -> ColumnElement[bool]:
    return is_outside(lease_until, _NOW, bindparam("beyond_leases"))


def _comes_first(identity: str) -> ColumnElement[bool]:
    """Whether no other delivery of the same person goes before.

    Not as NOT EXISTS: PostgreSQL would join all that wait before it takes the oldest.
    """
    other = deliveries.alias("other")
    has_unknown, other_has_unknown = deliveries.c.intent.is_not(None), other.c.intent.is_not(None)
    before = select(other.c.id).where(
        other.c.site == deliveries.c.site,
        other.c.state == "pending",
        other.c.id != deliveries.c.id,
        other.c[identity] == deliveries.c[identity],
        or_(
            ~_has_ended(other.c.lease_until),
            and_(other_has_unknown, ~has_unknown),
            and_(other.c.id < deliveries.c.id, or_(other_has_unknown, ~has_unknown)),
        ),
    )
    return before.limit(1).scalar_subquery().is_(None)


# Forms take turns, so that many leads of one form don't use up the rate budget of all others


@cache
def _forms_in_turn() -> Select[Any]:
    """The query for forms that have deliveries to the site; that of the turn longest ago first.

    None while the site is paused. Looks into the index once for each form, however many deliveries
    wait.
    """
    column, pending = deliveries.c.form, literal("pending", literal_execute=True)
    to_site = (deliveries.c.state == pending) & (deliveries.c.site == bindparam("site"))
    least = select(func.min(column).label("form")).where(to_site)
    waiting = least.cte("waiting", recursive=True)
    following = least.where(column > waiting.c.form).scalar_subquery()
    waiting = waiting.union_all(
        select(following).select_from(waiting).where(waiting.c.form.is_not(None))
    )
    oldest = select(func.min(deliveries.c.id)).where(to_site, column == waiting.c.form)
    return (
        select(waiting.c.form)
        .outerjoin(turns, turns.c.form == waiting.c.form)
        .where(waiting.c.form.is_not(None), ~_site_is_paused())
        .order_by(turns.c.at.is_not(None), turns.c.at, oldest.scalar_subquery())
    )


def take_turn(connection: Connection, form: str, now: datetime) -> None:
    upsert(connection, turns, {"form": form}, {"at": now})
