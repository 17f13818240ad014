"""Double opt-in: confirming a submission, and asking for the confirmation again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from formapp.confirmation.store import CONFIRMED, REQUEST, cancel_mail, schedule_mail
from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.leads import audit
from formapp.leads.accept import Status
from formapp.leads.errors import NothingToConfirmError, UnknownSubmissionError
from formapp.leads.held import accept_held, lock_submission
from formapp.mail.limit import MailLimit, MailLimitError


@dataclass(frozen=True, slots=True, repr=False)
class Confirmation:
    """A submission whose sender is asked to confirm it, or has. Its repr shows no answer.

    The mail goes to `email`, if the lead has one; `consents` are those that were ticked.
    """

    id: str
    form: str
    status: Status
    email: str | None
    consents: list[dict[str, Any]]

    @property
    def is_confirmed(self) -> bool:
        return self.status is Status.ACCEPTED


def find_confirmation(database: Database, submission_id: str) -> Confirmation | None:
    """Return the confirmation of a submission; None if it is erased or needs no confirmation."""
    kept = (submissions.c.id == submission_id) & submissions.c.erased_at.is_(None)
    with database.read() as connection:
        row = connection.execute(select(submissions).where(kept)).first()
    if row is None or REQUEST not in row.meta:
        return None
    email = (row.lead.get("email") or {}).get("address")
    return Confirmation(row.id, row.form, Status(row.status), email, row.consents)


def confirm(database: Database, submission_id: str, now: datetime) -> bool:
    """Accept a submission that its sender confirms; False if it doesn't wait (any more).

    The time and the page of the confirmation are stored with each consent, too, since consents
    outlive the answers.
    """
    with database.write() as connection:
        row = lock_submission(connection, submission_id)
        if row is None or REQUEST not in row.meta:
            return False  # `meta` is empty once it is erased
        page, at = _without_query(row.meta.get("page")), now.isoformat()
        is_accepted = accept_held(
            connection,
            submission_id,
            {Status.UNCONFIRMED},
            now,
            meta={**row.meta, CONFIRMED: {"at": at, "page": page}},
            consents=[{**each, "page": page, "confirmed_at": at} for each in row.consents],
        )
        if is_accepted:
            cancel_mail(connection, submission_id)
        return is_accepted


def resend_mail(
    database: Database,
    submission_id: str,
    now: datetime,
    limit: MailLimit | None = None,
    *,
    by: str = audit.COMMAND_LINE,
) -> None:
    """Make the mail due again; its link is valid from `now` on.

    Raises LeadError if nothing waits for a confirmation, MailLimitError if it is too early.
    """
    found = find_confirmation(database, submission_id)
    if limit and found and found.status is Status.UNCONFIRMED and found.email:
        reason = limit.refusal(found.form, found.email, now)
        if reason:
            raise MailLimitError(reason)
    with database.write() as connection:
        row = lock_submission(connection, submission_id)
        if row is None:
            raise UnknownSubmissionError(submission_id)
        if row.status != Status.UNCONFIRMED or row.erased_at:
            raise NothingToConfirmError(submission_id)
        schedule_mail(connection, submission_id, now)
        audit.record(connection, by, "resend", [submission_id], now)


def _without_query(page: str | None) -> str | None:
    """Return the page's URL without its query, which may hold answers: it outlives them."""
    if not page:
        return None
    try:
        return urlsplit(page)._replace(query="", fragment="").geturl()
    except ValueError:
        return None
