"""Two systems in memory and a book between them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from formapp.crm import owner
from formapp.crm.digests import PURPOSE, Digests
from formapp.crm.initial import load, plan
from formapp.crm.model import Book, Conflict, FieldPair, Side
from formapp.crm.session import Session
from formapp.crm.store import LEASE
from formapp.crm.sync import sync_once
from formapp.crm.system import Capabilities
from formapp.db.database import Database
from formapp.signing import Keyring
from tests.crm.memory import MemorySystem
from tests.support.clock import TurnedClock

FIELDS = (
    FieldPair("first", "given"),
    FieldPair("company", "org", wins="crm"),
    FieldPair("title", "role", wins="ask", clear="propagate"),
    FieldPair("email", "email"),
    FieldPair("phone", "phone"),
    FieldPair("emails", "mails"),
)


def spell(name: str, text: str) -> str:
    """Phones without blanks and e-mails in lower case, as CRMs make of them."""
    if name == "phone":
        return text.replace(" ", "")
    return text.lower() if name in {"email", "emails", "mails"} else text


class Pairing:
    """A book between two systems in memory, on a turned clock."""

    def __init__(self, database: Database, **book: Any) -> None:
        self.database = database
        self.clock = TurnedClock()
        self.wix = MemorySystem("w", self.clock)
        self.crm = MemorySystem("c", self.clock, normaliser=spell)
        self.sides: dict[Side, MemorySystem] = {"wix": self.wix, "crm": self.crm}
        given = {"fields": FIELDS, **book}
        self.book = Book("main", "memory", "main", **given)

    def session(self) -> Session:
        """A new session, as after a start of the process."""
        digests = Digests(Keyring(["the secret of this installation"], PURPOSE))
        return Session(
            self.book,
            self.wix,
            self.crm,
            self.database,
            digests,
            self.clock,
            sleep=self.clock.turn,
        )

    def start(self, record: Side = "wix") -> None:
        """Plan and load."""
        plan(self.session())
        load(self.session(), record)

    def sync(self) -> int:
        """All that is due, a minute later; returns the failures."""
        self.clock.turn(LEASE.total_seconds() + 60)
        return sync_once(self.session())

    def linked(self, **values: Any) -> tuple[str, str]:
        """A person on both sides; the book is running."""
        wix_id = self.wix.put(**values)
        self.start()
        (crm_id,) = self.crm.rows
        self.wix.calls.clear()
        self.crm.calls.clear()
        return wix_id, crm_id

    def conflicts(self) -> Sequence[Conflict]:
        """All kept conflicts."""
        return owner.conflicts(self.database, "main")

    @property
    def writes(self) -> list[str]:
        """The writing calls of both sides."""
        kinds = {"create", "update", "delete", "archive", "merge"}
        return [each for each in (*self.wix.calls, *self.crm.calls) if each in kinds]

    def forget_calls(self) -> None:
        """Count from here."""
        self.wix.calls.clear()
        self.crm.calls.clear()


NO_REVISIONS = Capabilities(preconditions=False)
LAGGING = Capabilities(preconditions=True, merge=True, index_lag=timedelta(seconds=30))
