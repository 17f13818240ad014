"""How much mail one address gets, over all forms and processes of the installation.

Anybody can type anybody's address into a form: without a limit, a form would be a means to fill
somebody's mailbox. Each mail takes one of a few places that an address has; a place is free again
after a day. The places are counted under keyed hashes, so that they name nobody.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, text

from formapp.submissions.database import Database
from formapp.submissions.keyring import Keyring
from formapp.submissions.schema import counts
from formapp.submissions.upsert import upsert

PLACES = 3
"""Mails to one address in any 24 hours."""

DAY = timedelta(days=1)
APART = timedelta(minutes=10)
"""The least time between two confirmations that one form asks of one address."""

_LOCK = 0x6D61696C  # "mail"


class MailLimit:
    """The places of all addresses. Its text form shows no key."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def take(self, address: str, now: datetime) -> str | None:
        """Take a place for one mail; returns what gives it back, None if there is none.

        Raises:
            DatabaseUnavailable: none was taken.
        """
        with self._database.write() as connection:
            self._lock(connection)
            for number in range(PLACES):
                name = f"{address} {number}"
                if not self._is_taken(connection, name, now):
                    return self._take(connection, name, now + DAY)
        return None

    def give_back(self, place: str) -> None:
        """The mail didn't go.

        Raises:
            DatabaseUnavailable: the place stays taken.
        """
        with self._database.write() as connection:
            connection.execute(delete(counts).where(counts.c.hash == place))

    def begin(self, form: str, address: str, now: datetime) -> bool:
        """Begin a confirmation of this form; False if one was begun a few minutes ago.

        Raises:
            DatabaseUnavailable: none was begun.
        """
        name = f"{address} {form}"
        with self._database.write() as connection:
            self._lock(connection)
            if self._is_taken(connection, name, now):
                return False
            self._take(connection, name, now + APART)
            return True

    def refusal(self, form: str, address: str, now: datetime) -> str | None:
        """Why no mail would go to this address; None if one would. Takes nothing.

        Raises:
            DatabaseUnavailable: it can't be read.
        """
        with self._database.read() as connection:
            if self._is_taken(connection, f"{address} {form}", now):
                return TOO_SOON
            places = (f"{address} {number}" for number in range(PLACES))
            full = all(self._is_taken(connection, place, now) for place in places)
            return TOO_MANY if full else None

    def _lock(self, connection: Connection) -> None:
        """Let two workers not take the same place (SQLite has one writer anyhow)."""
        if not self._database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

    def _is_taken(self, connection: Connection, name: str, now: datetime) -> bool:
        # By every key, so that changing the keys frees nothing.
        known = self._keyring.hashes(f"mail: {name}")
        taken = (counts.c.hash.in_(known)) & (counts.c.expires_at > now)
        return connection.execute(select(counts.c.hash).where(taken)).first() is not None

    def _take(self, connection: Connection, name: str, until: datetime) -> str:
        place = self._keyring.sign(f"mail: {name}")
        upsert(connection, counts, {"hash": place}, {"count": 1, "expires_at": until})
        return place


TOO_MANY = f"{PLACES} mails went to this address within a day, which is the most"
TOO_SOON = (
    f"this form asked this address for a confirmation within {APART.seconds // 60} minutes before"
)
