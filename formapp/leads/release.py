"""Releasing submissions from quarantine.

A honeypot catch can be released as well: it was stored unread, so the current form file validates
its answers.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import update

from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.forms.fields.base import InvalidAnswersError
from formapp.forms.form import Form
from formapp.leads import audit
from formapp.leads.accept import Status, replace_lead
from formapp.leads.errors import NotHeldError, UnreadableError
from formapp.leads.held import lock_kept, release_held

_RELEASABLE = (Status.QUARANTINED, Status.SPAM)

Caught = Mapping[str, Any]
"""A honeypot catch: `id`, `form`, `answers` (name to texts), `notes`, `meta`, `received_at`."""

Reread = Callable[[Caught], dict[str, Any]]
"""Validates a catch: the `lead` and the columns to store, or raises UnreadableError."""


def reread_by(forms: Callable[[], Mapping[str, Form]], default_site: str) -> Reread:
    """Read catches by these forms, which are loaded only if there is a catch to read."""

    def reread(caught: Caught) -> dict[str, Any]:
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
        unknown, cut_notes = posted.unknown_fields()
        notes = [*(caught["notes"] or ()), *reading.notes, *cut_notes]
        return {
            "lead": reading.lead,
            "answers": dict(reading.answers),
            "consents": consents,
            "unknown": unknown or None,
            "notes": notes or None,
        }

    return reread


def release(
    database: Database,
    submission_id: str,
    reread: Reread,
    now: datetime,
    *,
    by: str = audit.COMMAND_LINE,
) -> Status:
    """Release a submission; returns its new status.

    That is `accepted`, with a delivery that is due at once, or `unconfirmed` if its sender has to
    confirm it: then the mail is due. Raises LeadError, and changes nothing, if it is unknown,
    erased, not held or unreadable.
    """
    with database.write() as connection:
        row = lock_kept(connection, submission_id)
        if row.status not in _RELEASABLE:
            raise NotHeldError(submission_id)
        changed: dict[str, Any] = {"meta": row.meta | {"released_at": now.isoformat()}}
        if row.status == Status.SPAM:
            found = reread(row._asdict())
            replace_lead(connection, submission_id, found["lead"])
            changed |= {name: value for name, value in found.items() if name != "lead"}
        this = submissions.c.id == submission_id
        connection.execute(update(submissions).where(this).values(changed))
        status = release_held(connection, submission_id, _RELEASABLE, now, ignore_quota=True)
        audit.record(connection, by, "release", [submission_id], now)
        return cast("Status", status)  # the row is locked, so its status is still releasable
