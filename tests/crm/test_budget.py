"""What a book costs at Wix, counted by the sandbox and in the metrics."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from formapp.crm.initial import load, plan
from formapp.crm.model import Book, FieldPair
from formapp.crm.sync import sync_once
from formapp.db.database import Database
from formapp.monitoring.metrics import Metrics
from tests.crm.memory import MemorySystem
from tests.crm.sessions import open_session
from tests.support.clock import TurnedClock
from tests.support.wixsite import WixSite

FIELDS = (
    FieldPair("name.first", "first"),
    FieldPair("emails", "email"),
    FieldPair("phones", "phone"),
)
MOST = 4


class Sides:
    """A running book between the sandbox and a system in memory, with one person on both."""

    def __init__(self, database: Database, site: WixSite, clock: TurnedClock) -> None:
        self.site, self.clock, self.metrics = site, clock, Metrics()
        book = Book("main", "memory", "main", FIELDS, deletes="delete", region="GB")
        self.crm = MemorySystem("c", clock)
        self.reports: list[tuple[str, int]] = []
        self.session = open_session(
            book,
            self.crm,
            database,
            url=site.url,
            auth=site.auth,
            clock=clock,
            metrics=self.metrics,
            sleep=clock.turn,
            report=self._report,
        )
        self.wix_id = self.add("Ada")
        plan(self.session)
        load(self.session)
        (self.crm_id,) = self.crm.rows
        self.label("First", self.wix_id)
        self.sync()

    def _report(self, work: str, calls: int) -> None:
        self.reports.append((work, calls))
        self.metrics.book_calls("main", work, calls)

    def add(self, first: str) -> str:
        emails = {"items": [{"email": f"{first.lower()}@example.com"}]}
        return str(self.site.add(name={"first": first}, emails=emails)["id"])

    def label(self, name: str, wix_id: str) -> None:
        keys = [self.site.label(name)]
        self.site.api("POST", f"/contacts/{wix_id}/labels", {"labelKeys": keys})

    def sync(self) -> list[tuple[str, int]]:
        """What each piece of work took, and all together is what the sandbox has counted."""
        self.clock.turn(120)
        self.site.forget_calls()
        self.reports.clear()
        assert sync_once(self.session) == 0
        assert sum(calls for _, calls in self.reports) == len(self.site.calls())
        return self.reports


@pytest.fixture
def sides(sqlite: Database, wix_site: WixSite, turned_clock: TurnedClock) -> Iterator[Sides]:
    sides = Sides(sqlite, wix_site, turned_clock)
    yield sides
    sides.session.wix.close()


def _edit_both(sides: Sides) -> None:
    sides.crm.edit(sides.crm_id, phone=("+442079460018",), add=["New"], remove=["First"])
    sides.site.edit(sides.wix_id, name={"first": "Augusta"})


CHANGES: dict[str, Callable[[Sides], Any]] = {
    "an edit at Wix": lambda s: s.site.edit(s.wix_id, name={"first": "Augusta"}),
    "an edit in the CRM": lambda s: s.crm.edit(s.crm_id, first="Augusta"),
    "a label at Wix": lambda s: s.label("New", s.wix_id),
    "another label in the CRM": lambda s: s.crm.edit(s.crm_id, add=["First"], remove=["New"]),
    "all at once on both sides": _edit_both,
    "a new one at Wix": lambda s: s.add("Bob"),
    "a new one in the CRM": lambda s: s.crm.put(first="Bob", email=("bob@example.com",)),
    "a deletion at Wix": lambda s: s.site.delete(s.wix_id),
    "a deletion in the CRM": lambda s: s.crm.remove(s.crm_id),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_contact_costs_at_most_four_calls(sides: Sides, change: str) -> None:
    sides.label("New", sides.add("Cleo"))
    sides.sync()
    CHANGES[change](sides)
    found = [calls for work, calls in sides.sync() if work == "contact"]
    assert found
    assert max(found) <= MOST, found
    again = [work for work, _ in sides.sync()]
    assert "contact" not in again, "a second look finds nothing to do"
    text = sides.metrics.text().decode()
    assert 'formapp_crm_wix_calls_count{book="main",work="contact"}' in text


@pytest.mark.slow
def test_a_sweep_costs_one_call_for_a_thousand_contacts(sides: Sides) -> None:
    for number in range(60):
        sides.add(f"P{number}")
    sides.sync()
    sides.clock.turn(hours=25)
    found = dict(sides.sync())
    assert found == {"look at wix": 1, "sweep of wix": 1, "look at crm": 0, "sweep of crm": 0}
    assert sides.site.calls() == ["queryContacts", "listContacts"]
