"""Erasing what a visitor sent: the answers go, the row stays.

What stays says that there was a lead and what became of it: id, form, times, state, outcome,
contact id and attempts, none of which a visitor typed. What goes: answers, lead, circumstances,
address, idempotency key, digest, e-mail and phone, Wix's reason (it may quote an answer), and the
memory of which contact the person is, unless another lead of theirs is still kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    bindparam,
    delete,
    exists,
    or_,
    select,
    update,
)

from formapp.db.tables import contacts, deliveries, errands, submissions
from formapp.lead import Lead

ERASED = "erased"
"""The reason of a delivery that can't be made any more."""


@dataclass(frozen=True, slots=True)
class Anonymized:
    """One row that was erased. Holds no answer.

    Attributes:
        state: before that: the delivery's, or the submission's status where it has none.
        in_flight: a write to Wix was under way, or its outcome was unknown.
        phone: by which its other leads may be found; for the owner's eyes.
    """

    id: str
    form: str
    received_at: datetime
    state: str
    site: str
    contact_id: str | None
    in_flight: bool
    phone: str | None


def lock(connection: Connection, idents: Sequence[str]) -> None:
    """Let nobody else change these before the transaction ends (PostgreSQL).

    Deliveries first, as whoever retries one takes them in that order, too. Without a delivery it is
    the submission that somebody may be letting through just now.
    """
    mine = deliveries.c.submission_id.in_(idents)
    connection.execute(select(deliveries.c.id).where(mine).with_for_update()).all()
    own = submissions.c.id.in_(idents)
    connection.execute(select(submissions.c.id).where(own).with_for_update(key_share=True)).all()


def anonymize(
    connection: Connection, idents: Sequence[str], now: datetime, *, consents: bool = False
) -> list[Anonymized]:
    """Erase these submissions in the caller's transaction; those erased before are passed over.

    A pending delivery is cancelled: whoever holds its claim loses it.

    Args:
        connection: of the caller's transaction.
        idents: the submissions; a few hundred at most.
        now: when.
        consents: erase the record of consents, too.
    """
    lock(connection, idents)
    rows = connection.execute(_query().where(submissions.c.id.in_(idents))).all()
    if not rows:
        return []
    connection.execute(_blank_submission(consents=consents), [_skeleton(row, now) for row in rows])
    gone = [row.id for row in rows]
    connection.execute(delete(errands).where(errands.c.submission_id.in_(gone)))
    if delivered := [row for row in rows if row.delivery_id]:
        connection.execute(_blank_delivery(), [_ended(row, now) for row in delivered])
        _forget(connection, delivered)
    return [_told(row, now) for row in rows]


def _query() -> Any:
    return (
        select(
            submissions.c.id,
            submissions.c.form,
            submissions.c.status,
            submissions.c.received_at,
            submissions.c.lead,
            deliveries.c.id.label("delivery_id"),
            deliveries.c.site,
            deliveries.c.email,
            deliveries.c.phone,
            deliveries.c.state,
            deliveries.c.contact_id,
            deliveries.c.intent,
            deliveries.c.lease_until,
            deliveries.c.finished_at,
        )
        .outerjoin(deliveries, deliveries.c.submission_id == submissions.c.id)
        .where(submissions.c.erased_at.is_(None))
        .order_by(submissions.c.received_at, submissions.c.id)
    )


def _blank_submission(*, consents: bool) -> Any:
    return (
        update(submissions)
        .where(submissions.c.id == bindparam("row_id"))
        .values(
            answers={},
            meta={},
            lead=bindparam("skeleton"),
            address=None,
            key=None,
            digest="",
            erased_at=bindparam("now"),
            **({"consents": []} if consents else {}),
        )
    )


def _skeleton(row: Row[Any], now: datetime) -> dict[str, Any]:
    lead = Lead(form=row.form, site=_site(row)).model_dump(mode="json")
    return {"row_id": row.id, "skeleton": lead, "now": now}


def _site(row: Row[Any]) -> str:
    site: str = row.site or row.lead.get("site") or ""
    return site


def _blank_delivery() -> Any:
    return (
        update(deliveries)
        .where(deliveries.c.id == bindparam("row_id"))
        .values(
            email=None,
            phone=None,
            intent=None,
            lease_until=None,
            state=bindparam("new_state"),
            reason=bindparam("new_reason"),
            finished_at=bindparam("ended_at"),
        )
    )


def _ended(row: Row[Any], now: datetime) -> dict[str, Any]:
    delivered = row.state == "delivered"
    return {
        "row_id": row.delivery_id,
        "new_state": "delivered" if delivered else "failed",
        "new_reason": None if delivered else ERASED,
        "ended_at": row.finished_at or now,
    }


def _forget(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Forget whose contact was whose, where no lead that is kept needs it."""
    site: BindParameter[str] = bindparam("of_site")
    identity: BindParameter[str] = bindparam("who")
    still_used = exists().where(
        deliveries.c.site == site,
        or_(deliveries.c.email == identity, deliveries.c.phone == identity),
    )
    who = {(row.site, each) for row in rows for each in (row.email, row.phone) if each}
    if who:
        connection.execute(
            delete(contacts).where(
                contacts.c.site == site, contacts.c.identity == identity, ~still_used
            ),
            [{"of_site": name, "who": each} for name, each in sorted(who)],
        )


def _told(row: Row[Any], now: datetime) -> Anonymized:
    leased = bool(row.lease_until and row.lease_until > now)
    return Anonymized(
        id=row.id,
        form=row.form,
        received_at=row.received_at,
        state=row.state or row.status,
        site=_site(row),
        contact_id=row.contact_id,
        in_flight=row.state == "pending" and (leased or row.intent is not None),
        phone=row.phone,
    )
