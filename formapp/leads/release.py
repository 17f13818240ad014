"""Letting out of quarantine what its owner takes for a person's.

What a honeypot caught can be let out as well: it was kept as it came, so its answers are read by
the form file of today.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, text, update

from formapp.confirmation.store import MAIL
from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.lead import Lead
from formapp.leads.accept import Status
from formapp.leads.confirm import release_held
from formapp.leads.report import UnknownSubmissionError
from formapp.leads.retry import ErasedError

_RELEASABLE = (Status.QUARANTINED, Status.SPAM)


class NotHeldError(Exception):
    """The submission is neither in quarantine nor a honeypot's."""


@dataclass(frozen=True, slots=True, repr=False)
class Read:
    """What raw answers say by the form file of today. Its text form shows none of it."""

    lead: Lead
    answers: dict[str, Any]
    consents: list[dict[str, Any]]


Caught = Mapping[str, Any]
"""Of a honeypot's catch: `form`, `answers` (name -> texts), `meta`, `received_at`."""

Reread = Callable[[Caught], Read]
"""Reads a honeypot's catch, or raises what its caller catches."""


def held() -> ColumnElement[bool]:
    """The condition in the words of the index, which a parameter would keep from being used."""
    return text("submissions.status = 'quarantined'")  # type: ignore[return-value] # a condition, too


def quarantined(database: Database, form: str | None = None) -> list[str]:
    """Ids of what is in quarantine, oldest first.

    Raises:
        DatabaseUnavailableError: it can't be read.
    """
    query = select(submissions.c.id).where(held(), submissions.c.erased_at.is_(None))
    if form:
        query = query.where(submissions.c.form == form)
    with database.read() as connection:
        ordered = query.order_by(submissions.c.received_at, submissions.c.id)
        return list(connection.execute(ordered).scalars())


def count_unasked(connection: Connection) -> int:
    """How many submissions wait for a confirmation that nobody was ever asked for.

    Their mail waits, or was given up: the owner may look why (`leads show`). It reads all that are
    unconfirmed, which retention keeps few.
    """
    open_ones = select(submissions.c.meta).where(
        submissions.c.status == Status.UNCONFIRMED, submissions.c.erased_at.is_(None)
    )
    metas = connection.execute(open_ones).scalars()
    return sum(not (meta.get(MAIL) or {}).get("sent_at") for meta in metas)


def release(database: Database, submission_id: str, reread: Reread, now: datetime) -> Status:
    """Let a submission through; returns its status.

    That is `accepted`, with a delivery that is due at once, or `unconfirmed` where its sender has
    to confirm it: then the mail goes out.

    Raises:
        UnknownSubmissionError: there is none with this id.
        NotHeldError: it isn't held back by us.
        ErasedError: its answers are gone.
        DatabaseUnavailableError: nothing was changed.
    """
    with database.write() as connection:
        query = select(submissions).where(submissions.c.id == submission_id)
        row = connection.execute(query.with_for_update(key_share=True)).first()
        if row is None:
            raise UnknownSubmissionError(submission_id)
        if row.erased_at:
            raise ErasedError(submission_id)
        if row.status not in _RELEASABLE:
            raise NotHeldError(submission_id)
        changed: dict[str, Any] = {"meta": row.meta | {"released_at": now.isoformat()}}
        if row.status == Status.SPAM:
            changed |= _read_again(reread(dict(row._mapping)))  # noqa: SLF001 - public, despite its name
        mine = submissions.c.id == submission_id
        connection.execute(update(submissions).where(mine).values(**changed))
        status = release_held(connection, submission_id, _RELEASABLE, now, ignore_quota=True)
        if status is None:  # the row is held, so only a defect can bring this about
            raise NotHeldError(submission_id)
        return status


def _read_again(found: Read) -> dict[str, Any]:
    return {
        "answers": found.answers,
        "consents": found.consents,
        "lead": found.lead.to_json(),
    }
