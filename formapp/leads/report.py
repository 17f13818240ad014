"""Reading the record: what was sent and what became of it. For the owner's eyes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, case, func, select

from formapp.db.database import Database
from formapp.db.tables import attempts, deliveries, jobs, submissions

_state = case(
    (submissions.c.status == "accepted", deliveries.c.state),
    else_=submissions.c.status,
).label("state")


class UnknownSubmissionError(LookupError):
    """There is no submission with this id."""


def list_submissions(
    database: Database,
    *,
    form: str | None = None,
    state: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Every submission, oldest first; honeypot catches (`spam`) only where they are asked for.

    Raises:
        DatabaseUnavailableError: it can't be read.
    """
    query = _listed() if state == "spam" else _listed().where(submissions.c.status != "spam")
    if form:
        query = query.where(submissions.c.form == form)
    if state:
        query = query.where(_state == state)
    with database.read() as connection:
        for row in connection.execute(query.execution_options(yield_per=500)):
            yield _entry(row)


def _listed() -> Select[Any]:
    return (
        select(
            submissions,
            _state,
            deliveries.c.id.label("delivery_id"),
            deliveries.c.outcome,
            deliveries.c.contact_id,
            func.coalesce(deliveries.c.attempts, 0).label("attempts"),
            deliveries.c.due_at,
            deliveries.c.finished_at,
            deliveries.c.reason,
            deliveries.c.flags,
            deliveries.c.site.label("delivery_site"),
        )
        .outerjoin(deliveries, deliveries.c.submission_id == submissions.c.id)
        .order_by(submissions.c.received_at, submissions.c.id)
    )


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "form": row.form,
        "state": row.state,
        "outcome": row.outcome,
        "contact_id": row.contact_id,
        "received_at": _iso(row.received_at),
        "erased_at": _iso(row.erased_at),
        "attempts": row.attempts,
        "site": row.delivery_site or row.lead.get("site"),
        "reason": row.reason,
        "flags": row.flags or [],
    }


def show_submission(database: Database, submission_id: str) -> dict[str, Any]:
    """One submission with its answers, consents, delivery and attempts.

    Raises:
        UnknownSubmissionError: there is none with this id.
        DatabaseUnavailableError: it can't be read.
    """
    with database.read() as connection:
        row = connection.execute(_listed().where(submissions.c.id == submission_id)).first()
        if row is None:
            raise UnknownSubmissionError(submission_id)
        tried = connection.execute(
            select(attempts)
            .where(attempts.c.delivery_id == row.delivery_id)
            .order_by(attempts.c.id),
        ).all()
        waiting = connection.execute(
            select(jobs).where(jobs.c.submission_id == submission_id, jobs.c.kind == "confirm")
        ).first()
    return {
        **_entry(row),
        "form_version": row.form_version,
        "answers": row.answers,
        "meta": row.meta,
        "consents": row.consents,
        "address": row.address,
        "confirmation": _confirmation(row, waiting) if "confirmation" in row.meta else None,
        "deliveries": [_delivery(row, tried)] if row.delivery_id else [],
    }


def _confirmation(row: Row[Any], waiting: Row[Any] | None) -> dict[str, Any]:
    """What was asked, and what came of it; `mail_due_at` while a mail waits to be sent."""
    asked, mail = row.meta["confirmation"], row.meta.get("mail") or {}
    return {
        "asked_at": _iso(row.received_at),
        "page": row.meta.get("page"),
        **{name: asked.get(name) for name in ("subject", "text", "button")},
        "sent_at": [at.replace("+00:00", "Z") for at in mail.get("sent_at") or ()],
        "valid_until": mail.get("until"),
        "unsent": mail.get("unsent"),
        "mail_due_at": _iso(waiting.due_at) if waiting else None,
        "mail_attempts": waiting.attempts if waiting else 0,
        "confirmed_at": (row.meta.get("confirmed") or {}).get("at"),
    }


def _delivery(row: Row[Any], tried: list[Row[Any]] | Any) -> dict[str, Any]:
    return {
        "id": row.delivery_id,
        "site": row.delivery_site,
        "state": row.state,
        "outcome": row.outcome,
        "contact_id": row.contact_id,
        "due_at": _iso(row.due_at),
        "finished_at": _iso(row.finished_at),
        "reason": row.reason,
        "flags": row.flags or [],
        "attempts": [_attempt(each) for each in tried],
    }


def _attempt(row: Row[Any]) -> dict[str, Any]:
    return {
        "at": _iso(row.at),
        "result": row.result,
        "operation": row.operation,
        "status": row.status,
        "code": row.code,
        "request_id": row.request_id,
        "duration_ms": row.duration_ms,
        "calls": row.calls,
    }


def export_rows(database: Database) -> Iterator[dict[str, Any]]:
    """Entries with answers, page and referrer, for the export."""
    with database.read() as connection:
        query = _listed().where(submissions.c.status != "spam")
        for row in connection.execute(query.execution_options(yield_per=500)):
            meta = {key: row.meta.get(key) for key in ("page", "referrer")}
            yield {**_entry(row), **meta, "answers": row.answers}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
