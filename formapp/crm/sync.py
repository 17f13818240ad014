"""Keeping a book's two sides equal: the entry points of the command line and the worker.

A `Session` is one book with both systems open, for one thread. Everything here may raise
`CrmError`s only where it says so: a link's own failure is stored in its row and retried.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from formapp.crm.model import Book, Plan, Side
from formapp.crm.system import System
from formapp.db.database import Database
from formapp.signing import Keyring

Progress = Callable[[int, int], None]
"""Receives how many contacts are done, and how many there are."""


@dataclass
class Session:
    """One book with both of its systems, for one thread.

    Attributes:
        keyring: of the purpose `formapp.crm.digests.PURPOSE`; keys the digests of values.
        grace: how long a create of unknown outcome waits before it is looked for and repeated.
    """

    book: Book
    wix: System
    crm: System
    database: Database
    keyring: Keyring
    clock: Callable[[], datetime]
    grace: timedelta = field(default=timedelta(seconds=60))


class PlanNeededError(Exception):
    """There is no plan of the last day."""


def plan(session: Session, progress: Progress = lambda _done, _total: None) -> Plan:
    """Read both sides and say what `load` would do; writes nothing but that a plan was made."""
    raise NotImplementedError


def load(
    session: Session, record: Side = "wix", progress: Progress = lambda _done, _total: None
) -> None:
    """Do the first load, or go on with it; then the book is running.

    `record` is the system of record: its values stay where both sides hold one. PlanNeededError:
    there is no plan of the last day. In copy mode `record` is ignored and no plan is needed.
    """
    raise NotImplementedError


def pass_once(session: Session) -> bool:
    """Do the next thing that is due in a running book; False if there is none. For the worker.

    Asks both sides for changes every `book.every` (sooner where an event came), works off one due
    link at a time. Failures of a side postpone the book, refused credentials pause it.
    """
    raise NotImplementedError


def sync_once(session: Session) -> int:
    """Look at both sides now, sweep included, and do all that is due; returns the failures."""
    raise NotImplementedError
