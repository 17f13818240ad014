"""A book with both of its systems open."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from formapp.crm.decide import Decider, View
from formapp.crm.digests import Digests
from formapp.crm.model import Book, FieldPair, Side
from formapp.crm.store import Link
from formapp.crm.system import Record, System, Value
from formapp.db.database import Database
from formapp.forms.reading.contact import read_email

NAMES: dict[Side, str] = {"wix": "Wix", "crm": "CRM"}


class HeldError(Exception):
    """A link needs a person; the text says why, without anybody's data."""


@dataclass
class Session:
    """One book with both of its systems, for one thread.

    Attributes:
        grace: how long a create of unknown outcome waits before it is looked for and repeated.
        record: the system of record, which wins where two records are first compared.
        sleep: waits for so many seconds, where a first load has to.
        make_room: waits until Wix's rate budget has room for a write, or raises UnavailableError:
            called before an intent, since a write that waits behind its intent could outlast the
            grace, and be repeated by another process.
        calls: how many calls to Wix were made so far.
        report: receives how many a piece of work took: a "contact", or a "look at wix" for changes.
    """

    book: Book
    wix: System
    crm: System
    database: Database
    digests: Digests
    clock: Callable[[], datetime]
    grace: timedelta = timedelta(seconds=60)
    record: Side | None = None
    sleep: Callable[[float], None] = time.sleep
    make_room: Callable[[], None] = lambda: None
    calls: Callable[[], int] = lambda: 0
    report: Callable[[str, int], None] = lambda _work, _calls: None

    def system(self, side: Side) -> System:
        return self.wix if side == "wix" else self.crm

    @contextmanager
    def measured(self, work: str) -> Iterator[None]:
        """Report how many calls to Wix the block takes."""
        before = self.calls()
        try:
            yield
        finally:
            self.report(work, self.calls() - before)

    def decider(self) -> Decider:
        return Decider(self.book, self.digests, self.canon, self.record)

    def canon(self, pair: FieldPair, value: Value) -> Value | None:
        """One spelling for both sides."""
        made = self.wix.normalise(pair.wix, value)
        return made if made is None else self.crm.normalise(pair.crm, made)

    def view(self, link: Link, side: Side, record: Record) -> View:
        return View(record, link.base(side), blind=self.is_blind(side))

    def is_blind(self, side: Side) -> bool:
        """Whether that side's records can't be read."""
        return not self.system(side).capabilities.lists

    def persons(self, records: Iterable[Record]) -> list[str]:
        """The digests of the persons' e-mails and phones."""
        return self.digests.persons({each for record in records for each in identities(record)})


def identities(record: Record) -> set[str]:
    """A person's e-mails and phones, normalised where they can be read."""
    return {read_email(each) or each.lower() for each in record.emails} | {*record.phones}
