"""Wix as a side of a book, against the sandbox."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from formapp.crm.model import Book, FieldPair
from formapp.crm.system import (
    AlreadyExistsError,
    CursorRefusedError,
    GoneError,
    RefusedError,
    StaleError,
    UnauthorizedError,
    UnavailableError,
    Write,
)
from formapp.crm.systems.wix import WixRecord, WixSystem
from formapp.crm.systems.wix_calls import WixCalls, limited_client
from formapp.db.database import Database
from formapp.delivery.sites import Site
from formapp.monitoring.metrics import Metrics
from formapp.wix import Contact
from formapp.wix.parsing import Page
from tests.support.clock import TurnedClock
from tests.support.wixsite import WixSite

NAMES = (
    "name.first",
    "name.last",
    "company",
    "birthdate",
    "email",
    "emails",
    "phone",
    "phones",
    "addresses",
    "extended.Budget",
)
ADDRESS = "Rua dos Exemplos 12\n\nLisboa\n1100-148\nPT-11\nPT"

Open = Callable[..., WixSystem]


@pytest.fixture
def calls_of(
    sqlite: Database, wix_site: WixSite, turned_clock: TurnedClock
) -> Iterator[Callable[..., WixCalls]]:
    """Makes clients of the site; waiting turns the clock."""
    made = []

    def wait(seconds: float) -> bool:
        turned_clock.turn(seconds)
        return False

    def calls(*, limit: int = 10_000, patient: bool = False) -> WixCalls:
        site = Site("main", wix_site.auth, limit, base_url=wix_site.url)
        client = limited_client(site, sqlite, turned_clock, Metrics())
        made.append(WixCalls(client, clock=turned_clock, wait=wait, patient=patient))
        return made[-1]

    yield calls
    for each in made:
        each.close()


@pytest.fixture
def opened(calls_of: Callable[..., WixCalls]) -> Open:
    """Opens Wix for a book that maps these fields."""

    def open_system(*names: str, mode: Any = "two-way", **more: Any) -> WixSystem:
        pairs = tuple(FieldPair(name, name) for name in names or NAMES)
        book = Book("main", "carddav", "main", pairs, mode=mode, region="PT")
        return WixSystem(book, calls_of(**more))

    return open_system


def _add(site: WixSite, first: str = "Ines", **info: Any) -> str:
    return str(site.add(name={"first": first}, **info)["id"])


def _emails(*addresses: str) -> dict[str, Any]:
    return {"items": [{"tag": "WORK", "email": each} for each in addresses]}


def _phones(*numbers: str) -> dict[str, Any]:
    return {"items": [{"tag": "MOBILE", "phone": each} for each in numbers]}


def _get(system: WixSystem, contact_id: str) -> WixRecord:
    found = system.get(contact_id)
    assert isinstance(found, WixRecord)
    return found


def test_a_record_has_the_mapped_fields_and_what_matches_it(
    opened: Open, wix_site: WixSite
) -> None:
    label = wix_site.label("Boat owner")
    address = {"addressLine": "Rua dos Exemplos 12", "city": "Lisboa", "postalCode": "1100-148"}
    made = _add(
        wix_site,
        emails=_emails("Ines@Example.com", "ines@home.test"),
        phones=_phones("912 000 111"),
        addresses={"items": [{"address": {**address, "subdivision": "PT-11", "country": "PT"}}]},
        company="Barco",
        labelKeys={"items": [label]},
        extendedFields={"items": {wix_site.field("Budget", "NUMBER"): 8.0}},
    )
    record = _get(opened(), made)
    assert record.values == {
        "name.first": "Ines",
        "company": "Barco",
        "email": "ines@example.com",
        "emails": ("ines@example.com", "ines@home.test"),
        "phone": "+351912000111",
        "phones": ("+351912000111",),
        "addresses": (ADDRESS,),
        "extended.Budget": "8",
    }
    assert record.labels == {"Boat owner"}
    assert (record.emails, record.phones) == (
        ("ines@example.com", "ines@home.test"),
        ("+351912000111",),
    )
    assert "Ines" not in repr(record)


def test_what_is_created_can_be_found_by_its_key_and_is_whole(
    opened: Open, wix_site: WixSite
) -> None:
    system = opened()
    values: dict[str, Any] = {
        "name.first": "Ines",
        "emails": ("a@example.com", "b@example.com"),
        "phone": "912 000 111",
        "addresses": (ADDRESS,),
        "extended.Budget": "much",
        "birthdate": "1990-02-28",
    }
    made = system.create(Write(values, frozenset({"Boat owner"}), key="crm-1"))
    info = wix_site.info_of(made.id)
    assert info["name"] == {"first": "Ines"}
    assert info["phones"]["items"][0]["e164Phone"] == "+351912000111"
    assert (made.key, *made.labels) == ("crm-1", "Boat owner")
    assert made.values["emails"] == ("a@example.com", "b@example.com")
    assert [each.id for each in system.find(key="crm-1")] == [made.id]
    assert [each.id for each in system.find(email="B@example.com")] == [made.id]
    assert [each.id for each in system.find(phone="+351912000111")] == [made.id]
    assert system.find(key="crm-2") == []
    with pytest.raises(AlreadyExistsError) as caught:
        system.create(Write({"email": "a@example.com"}, key="crm-2"))
    assert caught.value.record_id == made.id


def test_an_e_mail_is_found_where_the_site_refuses_to_search_other_ones(
    opened: Open, wix_site: WixSite
) -> None:
    made = _add(wix_site, emails=_emails("ines@example.com"))
    wix_site.set(refuse_optional_filters=True)
    assert [each.id for each in opened().find(email="ines@example.com")] == [made]


def test_an_update_sends_whole_lists_and_keeps_the_rest(opened: Open, wix_site: WixSite) -> None:
    wix_site.set(extended_fields="replace")
    other = wix_site.field("Other")
    made = _add(
        wix_site,
        emails=_emails("ines@example.com", "old@example.com"),
        phones=_phones("912 000 111"),
        extendedFields={"items": {other: "stays"}},
        jobTitle="Buyer",
    )
    system = opened()
    values: dict[str, Any] = {
        "name.last": "Okafor",
        "emails": ("ines@example.com", "new@example.com"),
        "phone": "+351912000222",
        "company": None,
    }
    written = system.update(_get(system, made), Write(values, key="crm-1"))
    info = wix_site.info_of(made)
    assert info["name"] == {"first": "Ines", "last": "Okafor"}
    assert [(e["email"], e["tag"]) for e in info["emails"]["items"]] == [
        ("ines@example.com", "WORK"),
        ("new@example.com", "UNTAGGED"),
    ]
    assert [(p["phone"], p["tag"]) for p in info["phones"]["items"]] == [
        ("+351912000222", "MOBILE")
    ]
    assert info["extendedFields"]["items"][other] == "stays"
    assert info["jobTitle"] == "Buyer"
    assert (written.key, written.values["name.last"]) == ("crm-1", "Okafor")
    with pytest.raises(RefusedError):
        system.update(written, Write(key="crm-2"))


def test_a_phone_in_another_spelling_is_no_change(opened: Open, wix_site: WixSite) -> None:
    system = opened("phones")
    record = _get(system, _add(wix_site, phones=_phones("912 000 111")))
    spellings = system.normalise("phones", ("+351 912-000-111", "00351912000111"))
    assert spellings == record.values["phones"]
    system.update(record, Write({"phones": spellings}))
    assert wix_site.contacts()[0]["info"]["phones"]["items"][0]["phone"] == "912 000 111"


def test_labels_are_added_and_removed_by_their_names(opened: Open, wix_site: WixSite) -> None:
    old, other = wix_site.label("Old"), wix_site.label("Other")
    made = _add(wix_site, labelKeys={"items": [old, other]})
    system = opened()
    record = _get(system, made)
    wix_site.forget_calls()
    write = Write(add_labels=frozenset({"New"}), remove_labels=frozenset({"Old"}))
    written = system.update(record, write)
    assert written.labels == {"New", "Other"}
    assert wix_site.calls() == ["findOrCreateLabel", "labelContact", "unlabelContact"]
    assert written.revision == _get(system, made).revision


WRITES = {
    "fields": Write({"company": "Barco"}),
    "a label": Write(add_labels=frozenset({"Third"})),
    "no label": Write(remove_labels=frozenset({"First"})),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_whose_answer_has_a_label_that_can_t_be_read_may_be_in_place(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock, write: Write
) -> None:
    made, system = _add(wix_site), opened()
    wix_site.label("Third")
    _get(system, made)
    for name in ("First", "Second"):  # the second one comes too soon to be learned
        wix_site.api("POST", f"/contacts/{made}/labels", {"labelKeys": [wix_site.label(name)]})
        record = _get(system, made)
    turned_clock.turn(61)
    wix_site.fault("status", "listLabels")
    with pytest.raises(UnavailableError) as failed:
        system.update(record, write)
    assert failed.value.maybe_applied
    info = wix_site.contact()["info"]
    assert info.get("company") == write.values.get("company")
    assert len(info["labelKeys"]["items"]) == 2 + len(write.add_labels) - len(write.remove_labels)


def test_what_fails_after_a_contact_was_labelled_may_be_in_place(
    opened: Open, wix_site: WixSite
) -> None:
    made = _add(wix_site, labelKeys={"items": [wix_site.label("Old")]})
    system = opened()
    record = _get(system, made)
    wix_site.fault("status", "unlabelContact", status=429)
    with pytest.raises(UnavailableError) as failed:
        system.update(record, Write(add_labels=frozenset({"New"}), remove_labels=record.labels))
    assert failed.value.maybe_applied


def test_a_label_that_was_deleted_since_is_created_again(opened: Open, wix_site: WixSite) -> None:
    key, made = wix_site.label("News"), _add(wix_site)
    system = opened()
    record = _get(system, made)
    wix_site.api("DELETE", f"/labels/{key}")
    assert system.update(record, Write(add_labels=frozenset({"News"}))).labels == {"News"}


def test_an_edit_that_a_label_s_answer_shows_is_not_taken_for_our_own(
    opened: Open, wix_site: WixSite
) -> None:
    made = _add(wix_site)
    system = opened()
    record = _get(system, made)
    wix_site.edit(made, company="Barco")
    written = system.update(record, Write(add_labels=frozenset({"News"})))
    assert "company" not in written.values
    assert written.labels == {"News"}
    assert written.revision != _get(system, made).revision


def test_a_stale_revision_is_refused_and_nothing_written(opened: Open, wix_site: WixSite) -> None:
    made = _add(wix_site)
    system = opened()
    record = _get(system, made)
    wix_site.edit(made, company="Barco")
    with pytest.raises(StaleError):
        system.update(record, Write({"name.first": "Eva"}, frozenset({"News"})))
    with pytest.raises(StaleError):
        system.delete(record)
    assert wix_site.info_of(made)["name"] == {"first": "Ines"}
    assert not wix_site.info_of(made).get("labelKeys", {}).get("items")


def test_a_contact_that_is_gone_is_none_and_deleting_it_no_error(
    opened: Open, wix_site: WixSite
) -> None:
    made = _add(wix_site)
    system = opened()
    record = _get(system, made)
    wix_site.delete(made)
    assert system.get(made) is None
    system.delete(record)
    with pytest.raises(GoneError):
        system.update(record, Write({"company": "Barco"}))


def test_a_merged_contact_answers_as_the_one_it_was_merged_into(
    opened: Open, wix_site: WixSite
) -> None:
    source, target = _add(wix_site, "Ines"), _add(wix_site, "Eva")
    system = opened()
    merged = system.merge(_get(system, target), _get(system, source))
    assert merged.id == target
    assert _get(system, source).id == target
    assert wix_site.calls()[-2:] == ["mergeContacts", "getContact"]


def test_a_member_keeps_e_mail_and_can_be_neither_deleted_nor_merged_away(
    opened: Open, wix_site: WixSite
) -> None:
    made, other = _add(wix_site, emails=_emails("ines@example.com")), _add(wix_site, "Eva")
    wix_site.make_member(made)
    system = opened()
    record = _get(system, made)
    for write in (
        lambda: system.update(record, Write({"email": "eva@example.com"})),
        lambda: system.delete(record),
        lambda: system.merge(_get(system, other), record),
    ):
        with pytest.raises(RefusedError) as caught:
            write()
        assert "example.com" not in str(caught.value)


def test_another_contact_s_e_mail_holds_the_update(opened: Open, wix_site: WixSite) -> None:
    _add(wix_site, emails=_emails("eva@example.com"))
    system = opened()
    record = _get(system, _add(wix_site))
    with pytest.raises(RefusedError):
        system.update(record, Write({"email": "eva@example.com"}))


def test_changes_name_revisions_and_go_on_from_the_newest_that_wix_has(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock
) -> None:
    system = opened()
    (start,) = system.changes(None)
    made = _add(wix_site)
    (first,) = system.changes(start.cursor)
    assert first.changed == {made: _get(system, made).revision}
    turned_clock.turn(3600)
    written = system.update(_get(system, made), Write({"company": "Barco"}))
    (own,) = system.changes(first.cursor)
    assert own.changed == {made: written.revision}
    assert own.cursor > first.cursor
    with pytest.raises(CursorRefusedError):
        next(system.changes("7"))


def test_a_change_that_is_older_than_the_newest_one_read_is_still_found(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock
) -> None:
    late = _add(wix_site)
    newest = turned_clock() + timedelta(minutes=9)
    (found,) = opened().changes(newest.isoformat())
    assert [*found.changed] == [late]
    assert found.cursor == newest.isoformat()


def test_new_contacts_are_read_in_full_since_a_time(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock
) -> None:
    _add(wix_site, "Old")
    turned_clock.turn(60)
    since = turned_clock()
    made = _add(wix_site, "New")
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
    made = [_add(wix_site, f"P{number}") for number in range(3)]
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
    made = _add(wix_site)
    system = opened(limit=16)
    _get(system, made)  # with labels and fields: three calls
    for _ in range(8):
        _get(system, made)
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
    made, before = _add(wix_site), turned_clock()
    system = opened(limit=16, patient=True)
    for _ in range(30):
        _get(system, made)
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
