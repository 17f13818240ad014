"""Retrying a lead, after the owner has corrected what was wrong."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from formapp.db.database import Database
from formapp.db.tables import deliveries, submissions
from formapp.forms.form import Form
from formapp.forms.mapping import LeadMapping
from formapp.forms.posted import Reading
from formapp.lead import Lead
from formapp.leads import audit
from formapp.leads.accept import Status, replace_lead
from formapp.leads.errors import (
    AlreadyDeliveredError,
    ErasedError,
    NotFailedError,
    UnconfirmedError,
    UnknownSubmissionError,
)

Remap = Callable[[str, Mapping[str, Any], str | None], Lead | None]
"""Maps a form's name and stored answers, in the language of their page, to a lead by the current
form file; None: no such form."""


def remap_by(forms: Mapping[str, Form], default_site: str) -> Remap:
    def remap(name: str, answers: Mapping[str, Any], language: str | None) -> Lead | None:
        form = forms.get(name)
        if form is None:
            return None
        spoken = form.localized.get(language or form.language, form)
        return LeadMapping(spoken.definition, name).lead_of(answers, default_site)

    return remap


def retry_submission(
    database: Database,
    submission_id: str,
    remap: Remap,
    now: datetime,
    *,
    by: str = audit.COMMAND_LINE,
) -> None:
    """Make the delivery due at once; a failed lead is mapped again from the stored answers.

    Raises LeadError, and changes nothing, if it is unknown, unconfirmed, delivered or erased.
    """
    with database.write() as connection:
        row = _retriable(connection, submission_id)
        lead = remap(row.form, row.answers, row.meta.get("language"))
        if not _make_due(connection, row, lead, now):
            raise AlreadyDeliveredError(submission_id)
        # A concurrent erasure has locked the delivery, and has committed by now.
        this = submissions.c.id == submission_id
        if connection.scalar(select(submissions.c.erased_at).where(this)):
            raise ErasedError(submission_id)
        if lead and row.state == "failed":
            replace_lead(connection, submission_id, lead)
        audit.record(connection, by, "retry", [submission_id], now)


def correct_submission(
    database: Database,
    submission_id: str,
    reading: Reading,
    now: datetime,
    *,
    by: str,
) -> None:
    """Replace the answers of a failed lead by corrected ones, and make its delivery due at once.

    Consents stay as they were given. Raises LeadError, and changes nothing, if there is no failed
    delivery.
    """
    with database.write() as connection:
        row = _retriable(connection, submission_id)
        if row.state != "failed":
            raise NotFailedError(submission_id)
        if not _make_due(connection, row, reading.lead, now):
            raise NotFailedError(submission_id)
        this = submissions.c.id == submission_id
        locked = select(submissions.c.erased_at).where(this)
        if connection.scalar(locked.with_for_update(key_share=True)):
            raise ErasedError(submission_id)
        changed = {
            "answers": dict(reading.answers),
            "notes": [*(row.notes or ()), *reading.notes] or None,
            "unknown": {**(row.unknown or {}), **reading.unread} or None,
            "meta": row.meta | {"corrected_at": now.isoformat()},
        }
        connection.execute(update(submissions).where(this).values(changed))
        replace_lead(connection, submission_id, reading.lead)
        audit.record(connection, by, "correct", [submission_id], now)


def pairs_of(form: Form, answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return stored answers as a browser would send them."""
    pairs: list[tuple[str, str]] = []
    for field in form.definition.fields:
        answer = answers.get(field.name)
        if answer is None or answer is False:
            continue
        texts = answer if isinstance(answer, list) else ["yes" if answer is True else answer]
        pairs += [(field.name, str(text)) for text in texts]
    return pairs


def _retriable(connection: Connection, submission_id: str) -> Any:
    """The submission with its delivery, if there is something to retry."""
    sent, sending = submissions.c, deliveries.c
    columns = (sent.form, sent.answers, sent.meta, sent.notes, sent.unknown)
    joined = select(*columns, sent.status, sent.erased_at, sending.id, sending.state).outerjoin(
        deliveries, sending.submission_id == sent.id
    )
    row = connection.execute(joined.where(sent.id == submission_id)).first()
    if row is None:
        raise UnknownSubmissionError(submission_id)
    if row.status == Status.UNCONFIRMED and not row.erased_at:
        raise UnconfirmedError(submission_id)
    if row.state not in {"failed", "pending"}:
        raise AlreadyDeliveredError(submission_id)
    if row.erased_at:
        raise ErasedError(submission_id)
    return row


def _make_due(connection: Connection, row: Any, lead: Lead | None, now: datetime) -> bool:
    """False if a worker has finished it since the row was read."""
    values: dict[str, Any] = {"state": "pending", "due_at": now, "finished_at": None}
    if row.state == "failed":
        values |= {"attempts": 0, "created_at": now, "reason": None}
        if lead:
            identity = {"email": lead.email_identity, "phone": lead.phone_identity}
            values |= {"site": lead.site, **identity}
    unchanged = (deliveries.c.id == row.id) & (deliveries.c.state == row.state)
    return connection.execute(update(deliveries).where(unchanged).values(values)).rowcount == 1
