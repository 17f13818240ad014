"""Sending the mail that asks for a confirmation: the job of the kind `confirm`.

It is sent at least once: a worker that dies after the mail server has accepted the mail causes a
second one, with the same Message-ID.
"""

import html
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from formapp.confirmation.links import Link, LinkSigner, address_hash
from formapp.confirmation.store import REQUEST, UNCONFIRMED, postpone_alike, record_mail
from formapp.db.database import Database
from formapp.jobs.backoff import LONGEST
from formapp.jobs.queue import ClaimedJob, RetryLaterError, finish_job
from formapp.mail.limit import (
    APART,
    FORM_FULL,
    MAILBOX_FULL,
    TOO_SOON,
    MailLimit,
    MailLimitError,
    Reservation,
)
from formapp.mail.message import Message, domain_of
from formapp.mail.smtp import MailError, MailRejectedError, MailUncertainError, SmtpMailer

_BUTTON = (
    "display:inline-block;padding:12px 24px;border-radius:6px;"
    "background:#0b6274;color:#ffffff;font-weight:bold;text-decoration:none"
)
_BODY = "font:16px/1.5 system-ui,sans-serif;color:#1c2125;max-width:36em;margin:0 auto;padding:24px"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False, kw_only=True)
class ConfirmationSender:
    """Runs the jobs.

    Attributes:
        sender: From address, if the form has none of its own.
        base_url: of the links, without a slash at the end.
        answers_expire_at: from a submission's id to when its answers are erased, which no link may
            outlive; None: they are erased.
        count: counts a mail by form and outcome, as `Metrics.mail` does.
    """

    database: Database
    mailer: SmtpMailer
    links: LinkSigner
    limit: MailLimit
    sender: str | None
    base_url: str
    clock: Callable[[], datetime]
    answers_expire_at: Callable[[str], datetime | None]
    count: Callable[[str, str], None]
    _withheld: dict[tuple[str, str], tuple[datetime, int]] = field(default_factory=dict)

    def __call__(self, job: ClaimedJob) -> None:
        """Send the mail, record why it is not sent, or raise RetryLaterError."""
        submission = job.submission
        request = submission["meta"].get(REQUEST)
        waits = request is not None and submission["status"] == UNCONFIRMED
        answers_end = self.answers_expire_at(submission["id"]) if waits else None
        if answers_end is None:
            with self.database.write() as connection:
                finish_job(connection, job)
            return
        until = min(job.since + timedelta(days=request["days"]), answers_end)
        address = (submission["lead"].get("email") or {}).get("address")
        sender = request["sender"] or self.sender
        if not address:
            self._give_up(job, "there is no address to send it to")
        elif self.clock() >= until:
            self._give_up(job, "no mail could be sent before its link would have expired")
        elif sender is None:
            raise RetryLaterError("it can't be sent without a sender")
        else:
            reservation = self._reserve(job, address)
            message = self._message(job, request, sender, address, until)
            self._send(job, message, until, reservation)

    def _reserve(self, job: ClaimedJob, address: str) -> Reservation:
        """Reserve a slot within the limits, or raise RetryLaterError.

        If the mail were dropped, anyone could block a confirmation by typing its address into the
        form.
        """
        form = job.submission["form"]
        try:
            return self.limit.reserve(form, address, self.clock())
        except MailLimitError as error:
            if job.attempt == 1:
                self.count(form, "withheld")
            raise self._withhold(form, address, str(error)) from None

    def _withhold(self, form: str, address: str, reason: str) -> RetryLaterError:
        """Postpone all mails that meet the same limit; log the first, then a summary an hour."""
        now, wait = self.clock(), APART if reason == TOO_SOON else LONGEST
        alike = postpone_alike(
            self.database,
            now,
            now + wait,
            reason,
            form=None if reason == MAILBOX_FULL else form,
            address=None if reason == FORM_FULL else address,
        )
        since, mails = self._withheld.get((form, reason), (now - LONGEST, 0))
        mails += 1 + alike
        if now - since >= LONGEST:
            _log.warning("form %s: mails wait, %d of them now: %s", form, mails, reason)
            since, mails = now, 0
        self._withheld[form, reason] = since, mails
        return RetryLaterError(reason, wait)

    def _message(
        self, job: ClaimedJob, request: dict[str, Any], sender: str, address: str, until: datetime
    ) -> Message:
        submission_id, form = job.submission["id"], job.submission["form"]
        token = self.links.issue(Link(submission_id, address_hash(address), until))
        query = urlencode({"t": token, **request["query"]})
        return write_message(
            request,
            sender=sender,
            to=address,
            link=f"{self.base_url}/f/{form}/confirm?{query}",
            until=until,
            unique_id=f"{submission_id}.{int(job.since.timestamp())}",
        )

    def _send(
        self, job: ClaimedJob, message: Message, until: datetime, reservation: Reservation
    ) -> None:
        form = job.submission["form"]
        try:
            self.mailer.send(message)
        except (MailError, ValueError) as error:
            # A mail that may have been sent keeps its slot.
            if not isinstance(error, MailUncertainError):
                self.limit.cancel(reservation)
            if isinstance(error, MailRejectedError | ValueError):
                self._give_up(job, str(error), getattr(error, "reply", ""))
                return
            self.count(form, "failed")
            raise RetryLaterError(str(error)) from None
        record_mail(self.database, job, sent_at=self.clock(), until=until.isoformat(), unsent=None)
        self.count(form, "sent")

    def _give_up(self, job: ClaimedJob, reason: str, reply: str = "") -> None:
        """Record the reason, with the mail server's reply: the owner sees the answers, too."""
        known = f"{reason}; its reply: {reply}" if reply else reason
        record_mail(self.database, job, unsent=known)
        self.count(job.submission["form"], "failed")
        _log.warning("no confirmation mail for %s: %s", job.submission["id"], reason)


def write_message(  # noqa: PLR0913 - the parts of a mail, by keyword
    request: Mapping[str, Any], *, sender: str, to: str, link: str, until: datetime, unique_id: str
) -> Message:
    """Return the mail for a request as of `make_request`: its texts and the link, and no answer.

    `unique_id` is the local part of the Message-ID; a mail that is sent again keeps it.
    """
    valid = request["valid"].replace("%(until)s", f"{until:%Y-%m-%d %H:%M} UTC")
    button = f"{request['button']}:\n{link}"
    return Message(
        sender=sender,
        to=(to,),
        subject=request["subject"],
        text=f"{request['text']}\n\n{button}\n\n{valid}\n{request['otherwise']}\n",
        html=_html(request, link, valid),
        message_id=f"<{unique_id}@{domain_of(sender)}>",
    )


def _html(request: Mapping[str, Any], link: str, valid: str) -> str:
    button = html.escape(request["button"])
    paragraphs = [_lines(part) for part in request["text"].split("\n\n") if part.strip()]
    paragraphs += [
        f'<a href="{html.escape(link)}" style="{_BUTTON}">{button}</a>',
        f"<small>{_lines(valid)}<br>{_lines(request['otherwise'])}</small>",
    ]
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    # `dir`: mail programs don't derive the direction from the language.
    return (
        f'<!doctype html>\n<html lang="{html.escape(request["language"])}" dir="auto">\n'
        f'<head><meta charset="utf-8"><title>{html.escape(request["subject"])}</title></head>\n'
        f'<body dir="auto" style="{_BODY}">\n{body}\n</body>\n</html>\n'
    )


def _lines(text: str) -> str:
    return html.escape(text.strip()).replace("\n", "<br>\n")
