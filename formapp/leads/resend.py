"""Sending the mail that asks for a confirmation once more."""

from datetime import datetime

from formapp.db.database import Database
from formapp.leads.accept import Status
from formapp.leads.confirm import find_confirmation, resend_mail
from formapp.mail.limit import MailLimit, MailLimitError


def resend_confirmation(
    database: Database, submission_id: str, *, limit: MailLimit, now: datetime
) -> None:
    """Make the mail due at once; its link is valid from now on.

    Raises:
        UnknownSubmissionError: no submission has this id.
        NothingToConfirmError: it doesn't wait for a confirmation.
        MailLimitError: the worker would send no mail to this address yet.
    """
    waiting = find_confirmation(database, submission_id)
    if waiting and waiting.status is Status.UNCONFIRMED and waiting.email:
        reason = limit.refusal(waiting.form, waiting.email, now)
        if reason:
            raise MailLimitError(reason)
    resend_mail(database, submission_id, now)
