"""Limits on outgoing mail: for each mailbox, and for each form, over all processes.

Anyone can type any address into a form; without a limit, a form could be used to flood a mailbox.
Each mail reserves one of a few slots of its mailbox, which is free again after a day, and counts
towards the daily limit of its form. Counters are stored under keyed hashes, not under addresses.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from formapp.db.counters import SKEW, count_up
from formapp.db.database import Database, is_over, lock_for_transaction, upsert
from formapp.db.tables import counts
from formapp.signing import Keyring

MAILBOX_SLOTS = 3
"""Mails to one mailbox in any 24 hours."""

FORM_LIMIT = 300
"""Mails of one form in one day; the day begins with the first mail."""

DAY = timedelta(days=1)
APART = timedelta(minutes=10)
"""Minimum time between two mails of one form to one mailbox."""

MAILBOX_FULL = f"the limit of {MAILBOX_SLOTS} mails a day to this address is reached"
TOO_SOON = f"no second mail of this form to this address within {APART.seconds // 60} minutes"
FORM_FULL = f"the form's limit of {FORM_LIMIT} mails a day is reached"

_LOCK = 0x6D61696C  # "mail"
_log = logging.getLogger(__name__)


class MailLimitError(Exception):
    """A limit is reached; the text names it and contains no address."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The counters that one mail has taken, by their hashes."""

    mailbox: str
    form: str
    both: str


class MailLimit:
    """The slots of all mailboxes and forms."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def reserve(self, form: str, address: str, now: datetime) -> Reservation:
        """Reserve a slot for one mail of this form, or raise MailLimitError."""
        with self._database.write() as connection:
            # So that two workers don't reserve one slot.
            lock_for_transaction(connection, _LOCK)
            free, reason = self._find_slot(connection, form, address, now)
            if free and reason is None:
                reservation = Reservation(
                    mailbox=self._take(connection, free, now + DAY),
                    form=self._hash(f"of {form}"),
                    both=self._take(connection, f"{mailbox(address)} in {form}", now + APART),
                )
                count_up(connection, reservation.form, now + DAY, now)
                return reservation
            report = f"report of {form}"
            # The log reports it once a day.
            is_news = reason == FORM_FULL and not self._count(connection, report, DAY, now)
            if is_news:
                self._take(connection, report, now + DAY)
        if is_news:
            _log.error("form %s: %s; its other mails wait", form, FORM_FULL)
        raise MailLimitError(reason)

    def cancel(self, reservation: Reservation) -> None:
        """Free a slot whose mail was not sent."""
        slots = counts.c.hash.in_([reservation.mailbox, reservation.both])
        of_form = (counts.c.hash == reservation.form) & (counts.c.count > 0)
        with self._database.write() as connection:
            lock_for_transaction(connection, _LOCK)
            connection.execute(delete(counts).where(slots))
            connection.execute(update(counts).where(of_form).values(count=counts.c.count - 1))

    def refusal(self, form: str, address: str, now: datetime) -> str | None:
        """Return why no mail can be sent to this address now, or None; reserves nothing."""
        with self._database.read() as connection:
            return self._find_slot(connection, form, address, now)[1]

    def _find_slot(
        self, connection: Connection, form: str, address: str, now: datetime
    ) -> tuple[str | None, str | None]:
        """Return the name of a free slot of the mailbox, and the reason not to use it."""
        box = mailbox(address)
        if self._count(connection, f"{box} in {form}", APART, now):
            return None, TOO_SOON
        names = (f"{box} {number}" for number in range(MAILBOX_SLOTS))
        free = next((name for name in names if not self._count(connection, name, DAY, now)), None)
        if free is None:
            return None, MAILBOX_FULL
        is_full = self._count(connection, f"of {form}", DAY, now) >= FORM_LIMIT
        return free, FORM_FULL if is_full else None

    def _count(self, connection: Connection, name: str, window: timedelta, now: datetime) -> int:
        """Count under the hashes of all keys, so that a rotation of keys frees no slot."""
        known = counts.c.hash.in_(self._keyring.hashes(f"mail: {name}"))
        taken = known & ~is_over(counts.c.expires_at, now, window + SKEW)
        return int(connection.scalar(select(func.sum(counts.c.count)).where(taken)) or 0)

    def _take(self, connection: Connection, name: str, until: datetime) -> str:
        key = self._hash(name)
        upsert(connection, counts, {"hash": key}, {"count": 1, "expires_at": until})
        return key

    def _hash(self, name: str) -> str:
        return self._keyring.sign(f"mail: {name}")


def mailbox(address: str) -> str:
    """Return one address for all addresses of the same mailbox.

    Many servers ignore what follows a `+` (RFC 5233), and none in use minds upper or lower case.
    Gmail ignores dots (https://support.google.com/mail/answer/7436150).
    """
    local, at, domain = address.casefold().rpartition("@")
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local.partition('+')[0] or local}{at}{domain}"
