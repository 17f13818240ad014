"""Sending the mail that asks for a confirmation: the job of the kind `confirm`.

It is sent at least once: a worker that dies after the mail server has accepted the mail causes a
second one, with the same Message-ID.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from formapp.confirmation.links import Link, LinkSigner, address_hash
from formapp.confirmation.message import write_message
from formapp.confirmation.store import (
    REQUEST,
    UNCONFIRMED,
    discard,
    record_sent,
    record_unsent,
)
from formapp.db.database import Database
from formapp.jobs.queue import Claimed
from formapp.jobs.runner import NotYetError
from formapp.mail.limit import MailLimit, MailLimitError, Reservation
from formapp.mail.message import Message
from formapp.mail.smtp import MailError, MailRejectedError, MailUncertainError, SmtpMailer

_log = logging.getLogger(__name__)

Count = Callable[[str, str], None]
"""Counts a mail by form and outcome, such as `Metrics.mail`."""


@dataclass(frozen=True, repr=False)
class MailTools:
    """What sending takes.

    Attributes:
        mailer: sends the mail.
        links: signs its link.
        limit: of mails to one mailbox and of one form.
        sender: From address, if the form has none of its own.
        base_url: of the links, without a slash at the end.
    """

    mailer: SmtpMailer
    links: LinkSigner
    limit: MailLimit
    sender: str | None
    base_url: str


class ConfirmationSender:
    """Runs the jobs.

    Args:
        database: holds jobs and submissions.
        tools: what sending takes.
        clock: the time, aware.
        answers_expire_at: from a submission's id to when its answers are erased, which no link may
            outlive; None: they are erased.
        count: counts the mails.
    """

    def __init__(
        self,
        database: Database,
        tools: MailTools,
        *,
        clock: Callable[[], datetime],
        answers_expire_at: Callable[[str], datetime | None],
        count: Count = lambda _form, _outcome: None,
    ) -> None:
        self._database = database
        self._tools = tools
        self._clock = clock
        self._answers_expire_at = answers_expire_at
        self._count = count

    def __call__(self, job: Claimed) -> None:
        """Send the mail, or record why it is not sent.

        Raises:
            NotYetError: try again later.
        """
        submission = job.submission
        request = submission["meta"].get(REQUEST)
        waits = request is not None and submission["status"] == UNCONFIRMED
        answers_end = self._answers_expire_at(submission["id"]) if waits else None
        if answers_end is None:
            discard(self._database, job)
            return
        until = min(job.since + timedelta(days=request["days"]), answers_end)
        address = (submission["lead"].get("email") or {}).get("address")
        sender = request["sender"] or self._tools.sender
        if not address:
            self._give_up(job, "there is no address to send it to")
        elif self._clock() >= until:
            self._give_up(job, "no mail could be sent before its link would have expired")
        elif sender is None:
            raise NotYetError("it can't be sent without a sender")
        else:
            reservation = self._reserve(job, address)
            message = self._message(job, request, sender, address, until)
            self._send(job, message, until, reservation)

    def _reserve(self, job: Claimed, address: str) -> Reservation:
        """Reserve a slot within the limits.

        Raises:
            NotYetError: none is free. The mail waits and is never dropped: otherwise anyone could
                keep a lead from being confirmed by typing its address into the form.
        """
        form = job.submission["form"]
        try:
            return self._tools.limit.reserve(form, address, self._clock())
        except MailLimitError as reason:
            if job.attempt == 1:
                self._count(form, "withheld")
            raise NotYetError(str(reason)) from None

    def _message(
        self, job: Claimed, request: dict[str, Any], sender: str, address: str, until: datetime
    ) -> Message:
        submission_id, form = job.submission["id"], job.submission["form"]
        token = self._tools.links.issue(Link(submission_id, address_hash(address), until))
        query = urlencode({"t": token, **request["query"]})
        return write_message(
            request,
            sender=sender,
            to=address,
            link=f"{self._tools.base_url}/f/{form}/confirm?{query}",
            until=until,
            unique_id=f"{submission_id}.{int(job.since.timestamp())}",
        )

    def _send(
        self, job: Claimed, message: Message, until: datetime, reservation: Reservation
    ) -> None:
        form = job.submission["form"]
        try:
            self._tools.mailer.send(message)
        except (MailError, ValueError) as error:
            # A mail that may have been sent keeps its slot.
            if not isinstance(error, MailUncertainError):
                self._tools.limit.cancel(reservation)
            if isinstance(error, MailRejectedError | ValueError):
                self._give_up(job, str(error), getattr(error, "reply", ""))
                return
            self._count(form, "failed")
            raise NotYetError(str(error)) from None
        record_sent(self._database, job, until, self._clock())
        self._count(form, "sent")

    def _give_up(self, job: Claimed, reason: str, reply: str = "") -> None:
        """Record the reason, with the mail server's reply: the owner sees the answers, too."""
        record_unsent(self._database, job, f"{reason}; it said: {reply}" if reply else reason)
        self._count(job.submission["form"], "failed")
        _log.warning("no confirmation mail for %s: %s", job.submission["id"], reason)
