"""Double opt-in: what waits for its sender's confirmation, and what is noted about it.

A submission that waits has the status `unconfirmed` and no delivery. In its `meta` stand the
wording that it was asked in (`confirmation`, written by the web side), what became of the mail
(`mail`), and who confirmed when (`confirmed`). Whoever changes `meta` holds the row first.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, select, update

from formapp.db.database import Database
from formapp.db.notify import notify
from formapp.db.tables import errands, submissions
from formapp.jobs.queue import Claimed, Job, add_errand, end_errand
from formapp.leads.accept import Status
from formapp.leads.admit import admit
from formapp.leads.errors import UnknownSubmissionError
from formapp.leads.quota import take_quota, without_quota

CONFIRM = "confirm"
"""The kind of the errand that sends the mail."""

ASKED = "confirmation"
MAIL = "mail"
CONFIRMED = "confirmed"


class NothingToConfirmError(Exception):
    """The submission doesn't wait for a confirmation."""


@dataclass(frozen=True, slots=True, repr=False)
class Waiting:
    """A submission as far as its confirmation goes. Its text form shows none of it.

    Attributes:
        email: the address that the mail goes to; None: the lead has none, or was erased.
        meta: with the wording.
        consents: those that were ticked.
    """

    id: str
    form: str
    status: Status
    received_at: datetime
    email: str | None
    meta: dict[str, Any]
    consents: list[dict[str, Any]]

    @property
    def is_confirmed(self) -> bool:
        """Whether it was let through."""
        return self.status is Status.ACCEPTED


def find_waiting(database: Database, submission_id: str) -> Waiting | None:
    """A submission with a wording to confirm; None: there is none, or it was erased.

    Raises:
        DatabaseUnavailableError: it can't be read.
    """
    with database.read() as connection:
        row = connection.execute(_one(submission_id)).first()
    return _waiting(row) if row and ASKED in row.meta else None


def confirm(connection: Connection, submission_id: str, now: datetime) -> bool:
    """Let a submission through that its sender confirms, in the caller's transaction.

    The time and the page of the consent stay with the submission, and with each consent, which
    outlives the answers.

    Returns:
        False if it doesn't wait (any more).
    """
    row = connection.execute(_one(submission_id).with_for_update(key_share=True)).first()
    if row is None or ASKED not in row.meta:
        return False
    page = _without_query(row.meta.get("page"))
    noted = {"at": now.isoformat(), "page": page}
    consents = [
        {**consent, "page": page, "confirmed_at": now.isoformat()} for consent in row.consents
    ]
    done = admit(
        connection,
        submission_id,
        {Status.UNCONFIRMED},
        now,
        meta={**row.meta, CONFIRMED: noted},
        consents=consents,
    )
    if done:
        _strike_out(connection, submission_id)
    return done


def let_through(
    connection: Connection,
    submission_id: str,
    was: Collection[Status],
    now: datetime,
    *,
    beyond_quota: bool = False,
) -> Status | None:
    """Let a submission out of quarantine, in the caller's transaction.

    One that has to be confirmed waits for that from here on, and its mail goes out; any other is
    accepted. Where the form's quota is used up, it stays in quarantine, with the reason.

    Args:
        connection: of the caller's transaction.
        submission_id: the submission's id.
        was: the statuses that it may have; with any other, nothing happens.
        now: the time.
        beyond_quota: whatever is left of the quota; nothing is taken of it.

    Returns:
        Its status; None if it has none of `was`, or was erased.
    """
    row = connection.execute(_one(submission_id).with_for_update(key_share=True)).first()
    if row is None or Status(row.status) not in was:
        return None
    meta = without_quota(row.meta)
    mine = update(submissions).where(submissions.c.id == submission_id)
    if not beyond_quota and (reason := take_quota(connection, row.meta, now)):
        meta["suspect"] = [*meta.get("suspect", ()), reason]
        connection.execute(mine.values(meta=meta))
        return Status(row.status)
    if ASKED not in meta or CONFIRMED in meta:
        return Status.ACCEPTED if admit(connection, submission_id, was, now, meta=meta) else None
    connection.execute(mine.values(status=Status.UNCONFIRMED, meta=meta))
    _ask(connection, submission_id, now)
    return Status.UNCONFIRMED


def ask_again(database: Database, submission_id: str, now: datetime) -> None:
    """Have the mail sent once more; its link is valid from `now` on.

    Raises:
        UnknownSubmissionError: there is none with this id.
        NothingToConfirmError: it doesn't wait for a confirmation.
        DatabaseUnavailableError: nothing was changed.
    """
    with database.write() as connection:
        row = connection.execute(
            select(submissions.c.status, submissions.c.erased_at)
            .where(submissions.c.id == submission_id)
            .with_for_update(key_share=True)
        ).first()
        if row is None:
            raise UnknownSubmissionError(submission_id)
        if row.status != Status.UNCONFIRMED or row.erased_at:
            raise NothingToConfirmError(submission_id)
        _ask(connection, submission_id, now)


def note_sent(database: Database, errand: Claimed, until: datetime, now: datetime) -> None:
    """Strike the errand out and write down that the mail went, and when its link runs out.

    Raises:
        DatabaseUnavailableError: nothing was written; the mail goes once more.
    """
    said = {"until": until.isoformat(), "unsent": None}
    _end(database, errand, lambda mail: {**mail, **said, "sent_at": [*_sent(mail), _iso(now)]})


def note_unsent(database: Database, errand: Claimed, reason: str) -> None:
    """Strike the errand out and write down why no mail went.

    Raises:
        DatabaseUnavailableError: nothing was written; it is tried again.
    """
    _end(database, errand, lambda mail: {**mail, "unsent": reason})


def drop(database: Database, errand: Claimed) -> None:
    """Strike the errand out: nothing waits for a confirmation.

    Raises:
        DatabaseUnavailableError: nothing was written.
    """
    with database.write() as connection:
        end_errand(connection, errand)


def _end(database: Database, errand: Claimed, change: Any) -> None:
    submission_id = errand.submission["id"]
    with database.write() as connection:
        row = connection.execute(_one(submission_id).with_for_update(key_share=True)).first()
        end_errand(connection, errand)
        if row is not None:
            meta = {**row.meta, MAIL: change(row.meta.get(MAIL) or {})}
            mine = submissions.c.id == submission_id
            connection.execute(update(submissions).where(mine).values(meta=meta))


def _ask(connection: Connection, submission_id: str, now: datetime) -> None:
    # An earlier one that waits for the mail server gives way: there is one of each kind.
    _strike_out(connection, submission_id)
    add_errand(connection, submission_id, Job(CONFIRM), now)
    notify(connection)


def _strike_out(connection: Connection, submission_id: str) -> None:
    mine = (errands.c.submission_id == submission_id) & (errands.c.kind == CONFIRM)
    connection.execute(delete(errands).where(mine))


def _one(submission_id: str) -> Any:
    return select(submissions).where(
        submissions.c.id == submission_id, submissions.c.erased_at.is_(None)
    )


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        id=row.id,
        form=row.form,
        status=Status(row.status),
        received_at=row.received_at,
        email=(row.lead.get("email") or {}).get("address"),
        meta=row.meta,
        consents=row.consents,
    )


def _sent(mail: dict[str, Any]) -> list[str]:
    return list(mail.get("sent_at") or [])


def _iso(at: datetime) -> str:
    return at.isoformat()


def _without_query(page: str | None) -> str | None:
    """The page without what a visitor may have typed into its address: it outlives the answers."""
    if not page:
        return None
    try:
        return urlsplit(page)._replace(query="", fragment="").geturl()
    except ValueError:  # what is no address says nothing that has to stay
        return None
