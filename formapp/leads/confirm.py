"""Double opt-in: confirming a submission, asking again, and releasing what has to be confirmed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, select, update

from formapp.confirmation.store import CONFIRMED, REQUEST, cancel_mail, schedule_mail
from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.leads.accept import Status
from formapp.leads.accept_held import accept_held
from formapp.leads.errors import NothingToConfirmError, UnknownSubmissionError
from formapp.leads.quota import take_quota, without_quota
from formapp.mail.limit import MailLimit, MailLimitError


@dataclass(frozen=True, slots=True, repr=False)
class Confirmation:
    """A submission whose sender is asked to confirm it, or has. Its repr shows no answer.

    Attributes:
        email: the address that the mail is sent to; None if the lead has none.
        consents: those that were ticked.
    """

    id: str
    form: str
    status: Status
    email: str | None
    consents: list[dict[str, Any]]

    @property
    def is_confirmed(self) -> bool:
        """Whether the submission is accepted."""
        return self.status is Status.ACCEPTED


def find_confirmation(database: Database, submission_id: str) -> Confirmation | None:
    """Return the confirmation of a submission; None if it is erased or needs no confirmation."""
    with database.read() as connection:
        row = connection.execute(_by_id(submission_id)).first()
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
        row = _locked(connection, submission_id)
        if row is None or REQUEST not in row.meta:
            return False
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


def release_held(
    connection: Connection,
    submission_id: str,
    was: Collection[Status],
    now: datetime,
    *,
    ignore_quota: bool = False,
) -> Status | None:
    """Release a quarantined submission, in the caller's transaction.

    It is accepted, or its sender is asked to confirm it first. If the form's quota is used up, it
    stays in quarantine, with the reason.

    Args:
        connection: of the caller's transaction.
        submission_id: the submission.
        was: the statuses from which it is released.
        now: the time.
        ignore_quota: release it without taking from the quota.

    Returns:
        Its new status; None if it has none of `was`, or is erased.
    """
    row = _locked(connection, submission_id)
    if row is None or Status(row.status) not in was:
        return None
    meta = without_quota(row.meta)
    this = update(submissions).where(submissions.c.id == submission_id)
    if not ignore_quota and (reason := take_quota(connection, row.meta, now)):
        meta["suspect"] = [*meta.get("suspect", ()), reason]
        connection.execute(this.values(meta=meta))
        return Status(row.status)
    if REQUEST not in meta or CONFIRMED in meta:
        return (
            Status.ACCEPTED if accept_held(connection, submission_id, was, now, meta=meta) else None
        )
    connection.execute(this.values(status=Status.UNCONFIRMED, meta=meta))
    schedule_mail(connection, submission_id, now)
    return Status.UNCONFIRMED


def resend_mail(
    database: Database, submission_id: str, now: datetime, limit: MailLimit | None = None
) -> None:
    """Make the mail due again; its link is valid from `now` on.

    Raises:
        UnknownSubmissionError: there is no such submission.
        NothingToConfirmError: it doesn't wait for a confirmation.
        MailLimitError: the limit lets no mail go to this address yet.
    """
    found = find_confirmation(database, submission_id)
    if limit and found and found.status is Status.UNCONFIRMED and found.email:
        reason = limit.refusal(found.form, found.email, now)
        if reason:
            raise MailLimitError(reason)
    query = select(submissions.c.status, submissions.c.erased_at).where(
        submissions.c.id == submission_id
    )
    with database.write() as connection:
        row = connection.execute(query.with_for_update(key_share=True)).first()
        if row is None:
            raise UnknownSubmissionError(submission_id)
        if row.status != Status.UNCONFIRMED or row.erased_at:
            raise NothingToConfirmError(submission_id)
        schedule_mail(connection, submission_id, now)


def _by_id(submission_id: str) -> Any:
    return select(submissions).where(
        submissions.c.id == submission_id, submissions.c.erased_at.is_(None)
    )


def _locked(connection: Connection, submission_id: str) -> Row[Any] | None:
    query = _by_id(submission_id).with_for_update(key_share=True)
    return connection.execute(query).first()


def _without_query(page: str | None) -> str | None:
    """Return the page's URL without its query, which may hold answers: it outlives them."""
    if not page:
        return None
    try:
        return urlsplit(page)._replace(query="", fragment="").geturl()
    except ValueError:
        return None
