"""Sending the mail of a confirmation: the errand of the kind `confirm`.

It is sent at least once. A worker that dies between the mail server's yes and its own note has it
sent again, with the same Message-ID; none is forgotten.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from formapp.confirmation.links import Link, LinkSigner, address_hash
from formapp.confirmation.message import write_letter
from formapp.confirmation.store import ASKED, drop, note_sent, note_unsent
from formapp.db.database import Database
from formapp.jobs.queue import Claimed
from formapp.jobs.runner import NotYetError
from formapp.leads.accept import Status
from formapp.leads.expire import hidden_until
from formapp.mail.limit import MailLimit, MailLimitError, Reservation
from formapp.mail.message import Message
from formapp.mail.smtp import MailError, MailRejectedError, MailUncertainError, SmtpMailer
from formapp.monitoring.metrics import Metrics

_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Means:
    """What it takes to send.

    Attributes:
        office: the mail server.
        links: signs the links.
        limit: how much one address gets.
        sender: who the mail is from where the form doesn't say.
        base_url: what links begin with, without a slash at the end.
    """

    office: SmtpMailer
    links: LinkSigner
    limit: MailLimit
    sender: str | None
    base_url: str


class Confirmer:
    """Runs errands of the kind `confirm`.

    Args:
        database: where they are written down.
        means: None where a setting is missing.
        keep_days: how long answers are kept where the form doesn't say: no link outlives them.
        missing: the names of those settings.
        clock: the time, aware.
        metrics: counts what was sent and what was not.
    """

    def __init__(  # noqa: PLR0913 - all that it takes, by keyword
        self,
        database: Database,
        means: Means | None,
        *,
        clock: Callable[[], datetime],
        keep_days: int,
        missing: str = "",
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._means = means
        self._missing = missing
        self._clock = clock
        self._keep_days = keep_days
        self._measures = metrics or Metrics()

    def __call__(self, errand: Claimed) -> None:
        """Send the mail, or write down why not.

        Raises:
            NotYetError: it is to be tried again.
            DatabaseUnavailableError: the same.
        """
        asked = errand.submission["meta"].get(ASKED)
        if asked is None or errand.submission["status"] != Status.UNCONFIRMED:
            drop(self._database, errand)
            return
        kept_until = hidden_until(self._database, errand.submission["id"], self._keep_days)
        if kept_until is None:  # erased a moment ago
            drop(self._database, errand)
            return
        until = min(errand.since + timedelta(days=asked["days"]), kept_until)
        address = (errand.submission["lead"].get("email") or {}).get("address")
        sender = asked["sender"] or (self._means.sender if self._means else None)
        if not address:
            self._unsent(errand, "there is no address to send it to")
        elif self._clock() >= until:
            reason = "no mail could go before its link would have run out"
            self._unsent(errand, reason)
        elif self._means is None or sender is None:
            raise NotYetError(f"it can't be sent without {self._missing or 'a sender'}")
        else:
            place = self._place(self._means, errand, address)
            letter = _letter(self._means, errand, asked, sender, address, until)
            self._send(self._means, errand, letter, until, place)

    def _place(self, means: Means, errand: Claimed, address: str) -> Reservation:
        """A place within the limit.

        Raises:
            NotYetError: there is none. The mail waits: only its own link confirms the lead, and whoever
                else fills in the form with this address may not cost it its mail.
        """
        try:
            return means.limit.reserve(errand.submission["form"], address, self._clock())
        except MailLimitError as reason:
            if errand.attempt == 1:
                self._count(errand, "withheld")
            raise NotYetError(str(reason)) from None

    def _send(
        self, means: Means, errand: Claimed, letter: Message, until: datetime, place: Reservation
    ) -> None:
        try:
            means.office.send(letter)
        except MailUncertainError as error:
            # Its place stays taken: it counts as a mail that went.
            self._count(errand, "failed")
            raise NotYetError(str(error)) from None
        except (MailError, ValueError) as error:
            means.limit.cancel(place)
            if isinstance(error, MailRejectedError | ValueError):
                self._unsent(errand, _told(error))
                return
            self._count(errand, "failed")
            raise NotYetError(str(error)) from None
        note_sent(self._database, errand, until, self._clock())
        self._count(errand, "sent")

    def _unsent(self, errand: Claimed, reason: str) -> None:
        note_unsent(self._database, errand, reason)
        self._count(errand, "failed")
        submission_id = errand.submission["id"]
        _log.warning(
            "no confirmation goes out for %s: %s", submission_id, reason.partition("; ")[0]
        )

    def _count(self, errand: Claimed, outcome: str) -> None:
        self._measures.mail(errand.submission["form"], outcome)


def _letter(  # noqa: PLR0913, PLR0917 - all that a letter is made of
    means: Means,
    errand: Claimed,
    asked: dict[str, Any],
    sender: str,
    address: str,
    until: datetime,
) -> Message:
    submission = errand.submission
    token = means.links.issue(Link(submission["id"], address_hash(address), until))
    query = urlencode({"t": token, **asked["query"]})
    return write_letter(
        asked,
        sender=sender,
        to=address,
        link=f"{means.base_url}/f/{submission['form']}/confirm?{query}",
        until=until,
        submission_id=f"{submission['id']}.{int(errand.since.timestamp())}",
    )


def _told(error: Exception) -> str:
    """The reason with the mail server's words after it: for the owner, who sees the answers too."""
    words = error.reply if isinstance(error, MailError) else ""
    return f"{error}; it said: {words}" if words else str(error)
