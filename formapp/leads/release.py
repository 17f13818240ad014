"""Releasing submissions from quarantine.

A honeypot catch can be released as well: it was stored unread, so the current form file validates
its answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.forms.form import Form
from formapp.forms.notes import UNKNOWN_CUT, Note
from formapp.forms.posted import InvalidAnswersError
from formapp.lead import Lead
from formapp.leads.accept import Status
from formapp.leads.confirm import release_held
from formapp.leads.errors import (
    ErasedError,
    NotHeldError,
    UnknownSubmissionError,
    UnreadableError,
)

_RELEASABLE = (Status.QUARANTINED, Status.SPAM)


@dataclass(frozen=True, slots=True, repr=False)
class Read:
    """A honeypot catch, validated by the current form file. Its repr shows no answer."""

    lead: Lead
    answers: dict[str, Any]
    consents: list[dict[str, Any]]
    unknown: dict[str, Any]
    notes: list[Note]


Caught = Mapping[str, Any]
"""A honeypot catch: `id`, `form`, `answers` (name to texts), `meta`, `received_at`."""

Reread = Callable[[Caught], Read]
"""Reads a honeypot catch, or raises UnreadableError."""


def reread_by(forms: Callable[[], Mapping[str, Form]], default_site: str) -> Reread:
    """Read catches by these forms, which are loaded only if there is a catch to read."""

    def reread(caught: Caught) -> Read:
        form = forms().get(caught["form"])
        if form is None:
            raise UnreadableError(caught["id"], f"there is no form {caught['form']} any more")
        pairs = [(name, text) for name, texts in caught["answers"].items() for text in texts]
        posted = form.reader.sort(pairs)
        origin = {key: caught["meta"].get(key) for key in ("page", "referrer")}
        try:
            reading = form.reader.read(posted, default_site=default_site, **origin)
        except InvalidAnswersError:
            bound = form.bind(posted, token=None)
            bound.validate()
            faults = "; ".join(f"“{fault.label}” {fault.message}" for fault in bound.faults())
            raise UnreadableError(caught["id"], faults) from None
        at = caught["received_at"].isoformat()
        consents = [{**consent, "at": at} for consent in reading.consents]
        unknown, cut = posted.unknown_fields()
        notes = reading.notes
        if cut:
            notes.append({"code": UNKNOWN_CUT})
        return Read(reading.lead, dict(reading.answers), consents, unknown, notes)

    return reread


def release(database: Database, submission_id: str, reread: Reread, now: datetime) -> Status:
    """Release a submission; returns its new status.

    That is `accepted`, with a delivery that is due at once, or `unconfirmed` if its sender has to
    confirm it: then the mail is due.

    Raises:
        LeadError: nothing was changed: the submission is unknown, erased, not held or unreadable.
    """
    with database.write() as connection:
        query = select(submissions).where(submissions.c.id == submission_id)
        held = connection.execute(query.with_for_update(key_share=True))
        row: Any = held.mappings().first()
        if row is None:
            raise UnknownSubmissionError(submission_id)
        if row["erased_at"]:
            raise ErasedError(submission_id)
        if row["status"] not in _RELEASABLE:
            raise NotHeldError(submission_id)
        changed: dict[str, Any] = {"meta": row["meta"] | {"released_at": now.isoformat()}}
        if row["status"] == Status.SPAM:
            found = reread(row)
            changed |= {"answers": found.answers, "consents": found.consents}
            changed |= {"lead": found.lead.to_json(), "unknown": found.unknown or None}
            changed |= {"notes": [*(row["notes"] or ()), *found.notes] or None}
        this = submissions.c.id == submission_id
        connection.execute(update(submissions).where(this).values(changed))
        status = release_held(connection, submission_id, _RELEASABLE, now, ignore_quota=True)
        if status is None:  # the row is locked, so only a defect can cause this
            raise NotHeldError(submission_id)
        return status
