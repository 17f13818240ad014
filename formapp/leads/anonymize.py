"""Anonymizing submissions: what the visitor sent is erased, the row stays.

What stays shows that there was a lead and how it ended: id, form, times, state, outcome, contact
id, attempts, notifications, and whether it came by a page of ours (`use`). Erased are answers,
lead, meta, notes, unknown fields, address, idempotency key, digest, e-mail and phone, search terms,
files (whose contents are deleted after the commit, by `formapp.files.sweep`), what the lead did to
its contact, Wix's reason and those of notifications (they may quote an answer), and the cached
contact of the person unless another lead of theirs is still kept.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from formapp.db.database import Database
from formapp.db.inbox_tables import notified
from formapp.db.tables import contacts, deliveries, jobs, submissions
from formapp.files import records
from formapp.lead import Lead
from formapp.leads.search_index import forget_terms

ERASED = "erased"
"""The reason of a delivery that was cancelled because its answers were erased."""


@dataclass(frozen=True, slots=True)
class Anonymized:
    """One submission that was anonymized, as it was before. Holds no answer.

    Attributes:
        state: the delivery's, or the submission's status if it has no delivery.
        in_flight: a write to Wix was under way, or its outcome was unknown.
        phone: finds other leads of the person; for the owner's eyes.
    """

    id: str
    form: str
    received_at: datetime
    state: str
    site: str
    contact_id: str | None
    in_flight: bool
    phone: str | None


def lock(connection: Connection, submission_ids: Sequence[str]) -> None:
    """Lock the rows until the transaction ends (PostgreSQL).

    Deliveries first, in the order in which a retry locks them; then submissions, since one without
    a delivery may be released at this moment.
    """
    theirs = deliveries.c.submission_id.in_(submission_ids)
    connection.execute(select(deliveries.c.id).where(theirs).with_for_update()).all()
    chosen = select(submissions.c.id).where(submissions.c.id.in_(submission_ids))
    # In the order in which the search index locks them.
    in_order = chosen.order_by(submissions.c.id)
    connection.execute(in_order.with_for_update(key_share=True)).all()


def anonymize(
    connection: Connection, submission_ids: Sequence[str], now: datetime, *, consents: bool = False
) -> list[Anonymized]:
    """Anonymize a few hundred submissions at most; skip those that already are.

    Pending deliveries are cancelled: a worker that holds one loses its claim. `consents` says
    whether the record of consents is erased, too.
    """
    lock(connection, submission_ids)
    rows = connection.execute(_kept_rows(submission_ids)).all()
    if not rows:
        return []
    erased: dict[str, Any] = {"answers": {}, "address": None, "key": None}
    erased |= {"notes": None, "unknown": None}
    erased |= {"digest": "", "erased_at": now} | ({"consents": []} if consents else {})
    for row in rows:
        this = update(submissions).where(submissions.c.id == row.id)
        lead = Lead(form=row.form, site=row.site)
        # Whether it came by a page of ours stays countable.
        meta = {name: row.meta[name] for name in ("use",) if name in row.meta}
        connection.execute(this.values(lead=lead.to_json(), meta=meta, **erased))
    ids = [row.id for row in rows]
    forget_terms(connection, ids)
    records.erase(connection, ids, now)
    connection.execute(delete(jobs).where(jobs.c.submission_id.in_(ids)))
    theirs = notified.c.submission_id.in_(ids)
    connection.execute(update(notified).where(theirs).values(to=None, reason=None))
    _end_deliveries(connection, ids, now)
    _forget_contacts(connection, rows)
    return [_anonymized(row, now) for row in rows]


def truncate_log(database: Database) -> None:
    """Empty SQLite's write-ahead log, which may still hold erased text; the file is overwritten.

    SQLite empties it later by itself if another process is reading. PostgreSQL frees erased rows by
    VACUUM.
    """
    if database.is_sqlite:
        with database.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            # The erasure is committed, whether or not this succeeds.
            with contextlib.suppress(sqlite3.Error):
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _kept_rows(submission_ids: Sequence[str]) -> Any:
    sent, sending = submissions.c, deliveries.c
    return (
        select(
            *(sent.id, sent.form, sent.status, sent.received_at, sent.site, sent.meta),
            *(sending.email, sending.phone, sending.state, sending.contact_id),
            *(sending.intent, sending.lease_until),
        )
        .outerjoin(deliveries, sending.submission_id == sent.id)
        .where(sent.id.in_(submission_ids), sent.erased_at.is_(None))
        .order_by(sent.id)
    )


def _end_deliveries(connection: Connection, submission_ids: Sequence[str], now: datetime) -> None:
    is_delivered = deliveries.c.state == "delivered"
    ended = func.coalesce(deliveries.c.finished_at, literal(now, deliveries.c.finished_at.type))
    connection.execute(
        update(deliveries)
        .where(deliveries.c.submission_id.in_(submission_ids))
        .values(
            email=None,
            phone=None,
            intent=None,
            changes=None,
            lease_until=None,
            state=case((is_delivered, "delivered"), else_="failed"),
            reason=case((is_delivered, null()), else_=ERASED),
            finished_at=ended,
        )
    )


def _forget_contacts(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Delete cached contacts that no kept lead needs."""
    identities = {(row.site, each) for row in rows for each in (row.email, row.phone) if each}
    for site, identity in sorted(identities):
        still_used = exists().where(
            deliveries.c.site == site,
            or_(deliveries.c.email == identity, deliveries.c.phone == identity),
        )
        cached = (contacts.c.site == site) & (contacts.c.identity == identity)
        connection.execute(delete(contacts).where(cached, ~still_used))


def _anonymized(row: Row[Any], now: datetime) -> Anonymized:
    leased = bool(row.lease_until and row.lease_until > now)
    return Anonymized(
        id=row.id,
        form=row.form,
        received_at=row.received_at,
        state=row.state or row.status,
        site=row.site,
        contact_id=row.contact_id,
        in_flight=row.state == "pending" and (leased or row.intent is not None),
        phone=row.phone,
    )
