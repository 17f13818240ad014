"""Wix as a side of a book, against the sandbox: changes, pages, calls and checks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from formapp.crm.system import (
    CursorRefusedError,
    UnauthorizedError,
    UnavailableError,
    Write,
)
from formapp.crm.systems.wix_calls import WixCalls
from formapp.wix import Contact
from formapp.wix.parsing import Page
from tests.crm.wix_book import Open, add_contact, get_wix
from tests.support.clock import TurnedClock
from tests.support.wixsite import WixSite


def test_changes_name_revisions_and_go_on_from_the_newest_that_wix_has(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock
) -> None:
    system = opened()
    (start,) = system.changes(None)
    made = add_contact(wix_site)
    (first,) = system.changes(start.cursor)
    assert first.changed == {made: get_wix(system, made).revision}
    turned_clock.turn(3600)
    written = system.update(get_wix(system, made), Write({"company": "Barco"}))
    (own,) = system.changes(first.cursor)
    assert own.changed == {made: written.revision}
    assert own.cursor > first.cursor
    with pytest.raises(CursorRefusedError):
        next(system.changes("7"))


def test_a_change_that_is_older_than_the_newest_one_read_is_still_found(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock
) -> None:
    late = add_contact(wix_site)
    newest = turned_clock() + timedelta(minutes=9)
    (found,) = opened().changes(newest.isoformat())
    assert [*found.changed] == [late]
    assert found.cursor == newest.isoformat()


def test_new_contacts_are_read_in_full_since_a_time(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock
) -> None:
    add_contact(wix_site, "Old")
    turned_clock.turn(60)
    since = turned_clock()
    made = add_contact(wix_site, "New")
    (page,) = opened().created_since(since)
    assert [(each.id, each.created_at) for each in page.records] == [(made, since)]
    system = opened()
    everything = next(iter(system.list_all()))
    assert [each.values["name.first"] for each in everything.records] == ["Old", "New"]
    assert (everything.offset, everything.total) == (2, 2)
    assert [*system.list_all(2)] == []
    assert wix_site.calls().count("listContacts") == 1


def test_a_sweep_costs_a_call_a_page_and_returns_what_it_read(
    opened: Open, wix_site: WixSite
) -> None:
    made = [add_contact(wix_site, f"P{number}") for number in range(3)]
    system = opened()
    system.get(made[0])
    wix_site.forget_calls()
    (page,) = system.sweep()
    records = system.get_many([*page])
    assert {each: record.revision for each, record in records.items()} == page
    assert wix_site.calls() == ["listContacts"]
    assert {*opened().get_many([*made, "unknown"])} == {*made}


@pytest.mark.parametrize(
    ("rows", "deletions", "calls"),
    [
        (28, {}, 3),
        (30, {}, 3),
        (31, {}, 4),
        (28, {0: [0]}, 6),
        (30, {0: [3], 1: [4]}, 7),
        (45, {0: [0, 1, 2, 3, 4, 5, 6], 2: [20]}, 10),
    ],
)
def test_pages_miss_no_contact_that_stays(
    calls_of: Callable[..., WixCalls],
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    deletions: dict[int, list[int]],
    calls: int,
) -> None:
    """`deletions`: which contacts are deleted after which page."""
    monkeypatch.setattr("formapp.crm.systems.wix_calls.MAX_PAGE", 10)
    monkeypatch.setattr("formapp.crm.systems.wix_calls._STEP_BACK", 4)
    there = [Contact(str(number), 1) for number in range(rows)]
    asked = []

    def read(offset: int) -> Page[Contact]:
        asked.append(offset)
        return Page(tuple(there[offset : offset + 10]), len(there))

    found: list[str] = []
    for number, page in enumerate(calls_of().pages(read)):
        found += [row.id for row in page.contacts]
        gone = {str(each) for each in deletions.get(number, [])}
        there = [row for row in there if row.id not in gone]
    assert {row.id for row in there} <= {*found}
    assert len(found) == len({*found})
    assert len(asked) <= calls


def test_leads_go_first_by_a_quarter_of_the_budget(opened: Open, wix_site: WixSite) -> None:
    made = add_contact(wix_site)
    system = opened(limit=16)
    get_wix(system, made)  # with labels and fields: three calls
    for _ in range(8):
        get_wix(system, made)
    with pytest.raises(UnavailableError) as caught:
        system.get(made)
    assert caught.value.wait
    assert timedelta(0) < caught.value.wait <= timedelta(seconds=61)
    # A page waits for room instead.
    assert [len(page) for page in system.sweep()] == [1]


def test_room_for_a_write_is_waited_for_before_its_intent(
    calls_of: Callable[..., WixCalls], turned_clock: TurnedClock
) -> None:
    patient, hasty = calls_of(limit=4, patient=True), calls_of(limit=4)
    before = turned_clock()
    patient.make_room()
    assert turned_clock() == before, "there is room at once"
    for _ in range(2):
        patient.once(patient.wix.contacts.list)
    with pytest.raises(UnavailableError) as raised:
        hasty.make_room()
    assert raised.value.wait
    patient.make_room()
    assert turned_clock() - before >= timedelta(seconds=59)


def test_a_patient_one_waits_for_every_call(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock
) -> None:
    made, before = add_contact(wix_site), turned_clock()
    system = opened(limit=16, patient=True)
    for _ in range(30):
        get_wix(system, made)
    assert turned_clock() - before >= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("unauthenticated", UnauthorizedError), ("forbidden", UnauthorizedError)],
)
def test_refused_credentials_are_named(
    opened: Open, wix_site: WixSite, fault: str, error: type[Exception]
) -> None:
    wix_site.set(credentials=fault)
    with pytest.raises(error):
        opened().get("7c2d1f6e-0000-4000-8000-000000000000")
    (problem,) = opened().check()
    assert problem.startswith("Wix: ")


def test_a_check_compares_the_book_with_the_site_s_own_fields(
    opened: Open, wix_site: WixSite
) -> None:
    assert opened("name.first").check() == []
    (own,) = opened("extended.Membership status").check()
    assert "to_crm" in own
    wix_site.field("externalCrmId", "NUMBER")
    (wrong,) = opened("name.first").check()
    assert "externalCrmId" in wrong


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("email", " Ines@Example.COM", "ines@example.com"),
        ("email", "no address", None),
        ("phone", "912 000 111 ext. 7", "+351912000111 ext. 7"),
        ("phone", "none", None),
        ("birthdate", "19900228", "1990-02-28"),
        ("birthdate", "--02-28", None),
        ("company", "x" * 1001, None),
        ("addresses", "Rua 1\n\nLisboa\n\n\nPortugal", ("Rua 1\n\nLisboa\n\n\nPT",)),
        ("emails", (" B@x.test", "a@x.test", "b@x.test"), ("a@x.test", "b@x.test")),
        ("name.first", ("Ines", "Eva"), "Ines"),
        ("labels", ("b", "a "), ("a", "b")),
    ],
)
def test_values_are_compared_as_wix_would_store_them(
    opened: Open, name: str, value: Any, stored: Any
) -> None:
    system = opened("name.first")
    assert system.normalise(name, value) == stored
    if stored:
        assert system.normalise(name, stored) == stored
