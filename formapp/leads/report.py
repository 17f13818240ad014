"""Reports of submissions and their deliveries, for the owner."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, null, select

from formapp.db.database import Database
from formapp.db.inbox_tables import notified
from formapp.db.tables import attempts, deliveries, jobs, submissions
from formapp.files.records import FileRecord, of_submission
from formapp.jobs.queue import REASON
from formapp.leads.errors import UnknownSubmissionError
from formapp.leads.summary import state_of_row
from formapp.notifications.plan import CHANNELS, FAILED

_DELIVERY = ("outcome", "contact_id", "due_at", "finished_at", "reason", "flags", "changes")
_NOTIFICATIONS = {*CHANNELS, FAILED}
_BATCH = 500
_ATTEMPT = ("result", "operation", "status", "code", "request_id", "duration_ms", "calls")


def list_submissions(
    database: Database, *, form: str | None = None, state: str | None = None
) -> Iterator[dict[str, Any]]:
    """Every submission, oldest first; honeypot catches only with the state `spam`."""
    query = select_submissions(with_spam=state == "spam")
    if form:
        query = query.where(submissions.c.form == form)
    if state:
        query = query.where(_is_in(state))
    with database.read() as connection:
        for row in connection.execute(query):
            yield entry_of(row)


def _is_in(state: str) -> ColumnElement[bool]:
    """Whether a submission is in this state, written so that a partial index of it can be used."""
    is_delivery = state in {"pending", "delivered", "failed"}
    column = deliveries.c.state if is_delivery else submissions.c.status
    wanted: ColumnElement[bool] = column == literal(state, literal_execute=True)
    return and_(submissions.c.status == "accepted", wanted) if is_delivery else wanted


def list_chosen(database: Database, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The submissions with these ids, in their order."""
    for rows in read_batches(database, ids):
        yield from map(entry_of, rows)


def read_batches(database: Database, ids: Iterable[str]) -> Iterator[list[Row[Any]]]:
    """Yield rows that `entry_of` reads, in the order of their ids, some at a time."""
    query, rest = select_submissions(with_spam=True), iter(ids)
    while batch := [*islice(rest, _BATCH)]:
        with database.read() as connection:
            rows = connection.execute(query.where(submissions.c.id.in_(batch)))
            found = {row.id: row for row in rows}
        yield [found[each] for each in batch if each in found]


def select_submissions(*, with_spam: bool) -> Select[Any]:
    """The query for rows that `entry_of` reads, in the order of their arrival."""
    query = (
        select(
            submissions,
            state_of_row,
            deliveries.c.id.label("delivery_id"),
            func.coalesce(deliveries.c.attempts, 0).label("attempts"),
            *(deliveries.c[name] for name in _DELIVERY),
        )
        .outerjoin(deliveries, deliveries.c.submission_id == submissions.c.id)
        .order_by(submissions.c.id)
        .execution_options(yield_per=_BATCH)
    )
    return query if with_spam else query.where(submissions.c.status != "spam")


def entry_of(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "form": row.form,
        "state": row.state,
        "outcome": row.outcome,
        "contact_id": row.contact_id,
        "received_at": _iso(row.received_at),
        "erased_at": _iso(row.erased_at),
        "attempts": row.attempts,
        "site": row.site,
        "reason": row.reason,
        "flags": row.flags or [],
    }


def show_submission(database: Database, submission_id: str) -> dict[str, Any]:
    """One submission with all that is known of it; raises UnknownSubmissionError."""
    one = select_submissions(with_spam=True).where(submissions.c.id == submission_id)
    with database.read() as connection:
        row = connection.execute(one).first()
        if row is None:
            raise UnknownSubmissionError(submission_id)
        made = select(attempts).where(attempts.c.delivery_id == row.delivery_id)
        tried = connection.execute(made.order_by(attempts.c.id)).all()
        ended = select(notified).where(notified.c.submission_id == submission_id)
        endings = connection.execute(ended.order_by(notified.c.id)).all()
        theirs = select(jobs).where(jobs.c.submission_id == submission_id).order_by(jobs.c.id)
        waiting = connection.execute(theirs).all()
        files = of_submission(connection, submission_id)
    mail = next((job for job in waiting if job.kind == "confirm"), None)
    return {
        **entry_of(row),
        "form_version": row.form_version,
        "answers": row.answers,
        "notes": row.notes or [],
        "unknown": row.unknown or {},
        "meta": row.meta,
        "consents": row.consents,
        "files": [file_entry(each) for each in files],
        "address": row.address,
        "confirmation": _confirmation(row, mail) if "confirmation" in row.meta else None,
        "notifications": [_notification(job) for job in waiting if job.kind in _NOTIFICATIONS],
        "notified": [_notified(each) for each in endings],
        "deliveries": [_delivery(row, tried)] if row.delivery_id else [],
    }


def file_entry(record: FileRecord) -> dict[str, Any]:
    """Return what an owner's list shows of a file."""
    names = ("id", "field", "name", "type", "size", "state", "reason")
    return {name: getattr(record, name) for name in names}


def _confirmation(row: Row[Any], waiting: Row[Any] | None) -> dict[str, Any]:
    """Return the confirmation request and its outcome; `mail_…` of a mail that waits."""
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
        "mail_reason": waiting.content.get(REASON) if waiting else None,
        "confirmed_at": (row.meta.get("confirmed") or {}).get("at"),
    }


def _notification(job: Row[Any]) -> dict[str, Any]:
    """Return a notification that waits, or that was given up and may be sent again."""
    failed = job.kind == FAILED
    return {
        "channel": job.content["channel"] if failed else CHANNELS[job.kind],
        "to": job.content.get("to"),
        "state": "failed" if failed else "waiting",
        "due_at": None if failed else _iso(job.due_at),
        "attempts": job.attempts,
        "reason": job.content.get(REASON),
    }


def _notified(row: Row[Any]) -> dict[str, Any]:
    """Return how a notification ended: `sent`, `failed` or `withheld`."""
    names = ("channel", "to", "result", "tries", "reason")
    return {"at": _iso(row.at), **{name: getattr(row, name) for name in names}}


def _delivery(row: Row[Any], tried: Sequence[Row[Any]]) -> dict[str, Any]:
    return {
        "id": row.delivery_id,
        **{name: getattr(row, name) for name in ("site", "state", "outcome", "contact_id")},
        "due_at": _iso(row.due_at),
        "finished_at": _iso(row.finished_at),
        "reason": row.reason,
        "flags": row.flags or [],
        "changes": row.changes or [],
        "attempts": [
            {"at": _iso(each.at), **{name: getattr(each, name) for name in _ATTEMPT}}
            for each in tried
        ],
    }


def list_ids(database: Database, state: str, form: str | None = None) -> list[str]:
    """Ids of the submissions in a state that aren't erased, oldest first."""
    query = select_submissions(with_spam=True).with_only_columns(submissions.c.id)
    query = query.where(_is_in(state), submissions.c.erased_at.is_(None))
    if form:
        query = query.where(submissions.c.form == form)
    with database.read() as connection:
        # Sorted here: in their order, SQLite would read all submissions.
        return sorted(connection.scalars(query.order_by(None)))


def count_unmailed(database: Database) -> int:
    """How many submissions wait for a confirmation whose mail has not been sent.

    Reads all unconfirmed submissions, which retention keeps few.
    """
    unconfirmed = select(submissions.c.meta).where(
        submissions.c.status == "unconfirmed",
        # As the index says it.
        submissions.c.status != literal("accepted", literal_execute=True),
        submissions.c.erased_at.is_(None),
    )
    with database.read() as connection:
        metas = connection.scalars(unconfirmed)
        return sum(not (meta.get("mail") or {}).get("sent_at") for meta in metas)


def count_unknown(database: Database) -> dict[str, Counter[str]]:
    """How many submissions of each form have each field that the form doesn't know."""
    query = select(submissions.c.form, submissions.c.unknown).where(
        submissions.c.unknown.is_not(null()), submissions.c.status != "spam"
    )
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with database.read() as connection:
        for form, unknown in connection.execute(query.execution_options(yield_per=_BATCH)):
            counts[form].update(unknown.keys())
    return counts


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
