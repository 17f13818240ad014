"""How much mail one mailbox gets, and one form sends, over all processes of the installation.

Anybody can type anybody's address into a form: without a limit, a form would be a means to fill
somebody's mailbox. Each mail takes one of a few places that a mailbox has, and one of those that
the form has; a mailbox's is free again after a day. The places are counted under keyed hashes, so
that they name nobody.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, text, update

from formapp.db.counters import SKEW, count_up
from formapp.db.database import Database, upsert
from formapp.db.tables import counts
from formapp.keyring import Keyring

PLACES = 3
"""Mails to one mailbox in any 24 hours."""

MAILS_OF_A_FORM = 300
"""Mails that one form sends within a day, which begins with the first."""

DAY = timedelta(days=1)
APART = timedelta(minutes=10)
"""The least time between two confirmations that one form asks of one mailbox."""

TOO_MANY = f"{PLACES} mails went to this address within a day, which is the most"
TOO_SOON = (
    f"this form asked this address for a confirmation within {APART.seconds // 60} minutes before"
)
FORM_FULL = f"this form sent {MAILS_OF_A_FORM} mails within a day, which is the most"

_LOCK = 0x6D61696C  # "mail"
_log = logging.getLogger(__name__)


class MailLimitError(Exception):
    """No mail may go to this mailbox for now; the text says why and names nobody."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one mail has taken, as hashes: of the mailbox, of the form, of both together."""

    mailbox: str
    form: str
    both: str


class MailLimit:
    """The places of all mailboxes and forms. Its text form shows no key."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def take(self, form: str, address: str, now: datetime) -> Place:
        """Take a place for one mail of this form.

        Raises:
            MailLimitError: there is none; nothing was taken.
            DatabaseUnavailableError: the same.
        """
        with self._database.write() as connection:
            self._lock(connection)
            free, reason = self._look(connection, form, address, now)
            tells = reason == FORM_FULL and self._begins_to_be_full(connection, form, now)
            if free and reason is None:
                place = Place(
                    mailbox=self._take(connection, free, now + DAY),
                    form=self._sign(f"of {form}"),
                    both=self._take(connection, f"{mailbox(address)} in {form}", now + APART),
                )
                count_up(connection, place.form, now + DAY, now)
                return place
        if tells:
            _log.error("the form %s: %s; its other mails wait", form, FORM_FULL)
        raise MailLimitError(reason)

    def give_back(self, place: Place) -> None:
        """The mail didn't go.

        Raises:
            DatabaseUnavailableError: the place stays taken.
        """
        taken = counts.c.hash.in_([place.mailbox, place.both])
        of_form = (counts.c.hash == place.form) & (counts.c.count > 0)
        with self._database.write() as connection:
            self._lock(connection)
            connection.execute(delete(counts).where(taken))
            connection.execute(update(counts).where(of_form).values(count=counts.c.count - 1))

    def refusal(self, form: str, address: str, now: datetime) -> str | None:
        """Why no mail would go to this address; None if one would. Takes nothing.

        Raises:
            DatabaseUnavailableError: it can't be read.
        """
        with self._database.read() as connection:
            return self._look(connection, form, address, now)[1]

    def _look(
        self, connection: Connection, form: str, address: str, now: datetime
    ) -> tuple[str | None, str | None]:
        """The name of a place that is free, and why no mail may go."""
        box = mailbox(address)
        if self._count(connection, f"{box} in {form}", APART, now):
            return None, TOO_SOON
        names = (f"{box} {number}" for number in range(PLACES))
        free = next((name for name in names if not self._count(connection, name, DAY, now)), None)
        if free is None:
            return None, TOO_MANY
        is_full = self._count(connection, f"of {form}", DAY, now) >= MAILS_OF_A_FORM
        return free, FORM_FULL if is_full else None

    def _begins_to_be_full(self, connection: Connection, form: str, now: datetime) -> bool:
        """Whether nobody has been told yet today; somebody is from here on."""
        name = f"told of {form}"
        if self._count(connection, name, DAY, now):
            return False
        self._take(connection, name, now + DAY)
        return True

    def _lock(self, connection: Connection) -> None:
        """Let two workers not take the same place (SQLite has one writer anyhow)."""
        if not self._database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

    def _count(self, connection: Connection, name: str, window: timedelta, now: datetime) -> int:
        """What is taken under this name by every key, so that changing the keys frees nothing.

        What ends later than anything that is taken at this moment was taken by a wrong clock.
        """
        known = self._keyring.hashes(f"mail: {name}")
        taken = (
            counts.c.hash.in_(known)
            & (counts.c.expires_at > now)
            & (counts.c.expires_at <= now + window + SKEW)
        )
        found = connection.execute(select(func.sum(counts.c.count)).where(taken)).scalar()
        return int(found or 0)

    def _take(self, connection: Connection, name: str, until: datetime) -> str:
        place = self._sign(name)
        upsert(connection, counts, {"hash": place}, {"count": 1, "expires_at": until})
        return place

    def _sign(self, name: str) -> str:
        return self._keyring.sign(f"mail: {name}")


def mailbox(address: str) -> str:
    """The address that stands for all that lead to the same mailbox.

    Many servers take what follows a `+` for a note of its owner's (RFC 5233), and none that is in
    use tells capitals apart.
    """
    local, at, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
