"""What an owner can do with a book, by the database alone; the worker does the rest."""

from collections.abc import Sequence
from datetime import datetime

from formapp.crm.model import Conflict, Side, Status
from formapp.db.database import Database


def status(database: Database, book: str, now: datetime) -> Status:
    """A book's figures; one that was never started is new."""
    raise NotImplementedError


def conflicts(database: Database, book: str) -> Sequence[Conflict]:
    """All kept conflicts of a book, oldest first."""
    raise NotImplementedError


def resolve(database: Database, conflict_id: int, keep: Side, now: datetime) -> bool:
    """Have that side's value written to both at the link's next pass; False: no such conflict."""
    raise NotImplementedError


def pause(database: Database, book: str, reason: str, now: datetime) -> None:
    """Stop working for a book until `resume`."""
    raise NotImplementedError


def resume(database: Database, book: str, now: datetime, *, allow_deletes: int = 0) -> bool:
    """Go on; so many deletions pass the brake. False: the book isn't paused."""
    raise NotImplementedError


def unlink(database: Database, book: str, contact_id: str) -> bool:
    """Forget the link of a Wix contact: both records stay, and neither is matched again.

    False: there is none.
    """
    raise NotImplementedError
