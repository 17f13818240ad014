"""What every system promises, whatever is behind it: the contract suite."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from formapp.crm.model import Book, FieldPair
from formapp.crm.system import (
    AlreadyExistsError,
    CursorRefusedError,
    GoneError,
    StaleError,
    System,
    Write,
)
from formapp.crm.systems.carddav import CardDavSystem
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.hubspot import HubSpotSystem
from formapp.sandbox import SandboxServer
from tests.crm import davservers, trytonserver
from tests.crm.davservers import AddressBook, DavServer
from tests.crm.hubspot_standin import HubSpot
from tests.crm.memory import MemorySystem
from tests.crm.tryton import Party, TrytonSystem
from tests.support.clock import TurnedClock

FIRST, LAST, EMAIL, PHONE = "first", "last", "email", "phone"
ADA = {FIRST: "Ada", LAST: "Lovelace", EMAIL: "ada@example.com", PHONE: "+442079460018"}
KEY = "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"


@dataclass
class Side:
    """A system under test, empty, and a person who uses the same data in another way.

    Attributes:
        names: the system's names of the fields that the promises speak of.
        edit: changes the first name of a record.
        remove: deletes a record.
        unknown_cursor: one that the system doesn't know; None if it can't tell.
        makes_no_doubles: whether a second create with the same key is noticed.
        settle: waits until an index has everything, and what is older counts as old.
    """

    system: System
    edit: Callable[[str, str], None]
    remove: Callable[[str], None]
    names: Mapping[str, str] = field(default_factory=dict)
    unknown_cursor: str | None = None
    makes_no_doubles: bool = True
    settle: Callable[[], None] = lambda: None

    def write(
        self, *, add: str = "", remove: str = "", key: str | None = None, **values: str | None
    ) -> Write:
        named = {self.names.get(name, name): value for name, value in values.items()}
        added, removed = (frozenset(filter(None, [text])) for text in (add, remove))
        return Write(named, added, removed, key)

    def value(self, values: Mapping[str, object], name: str) -> object:
        return values.get(self.names.get(name, name))

    def listed(self) -> dict[str, str]:
        return {id_: etag for page in self.system.sweep() for id_, etag in page.items()}


# Each system, empty


def _memory(_: pytest.FixtureRequest) -> Side:
    system = MemorySystem("m", TurnedClock())
    return Side(
        system,
        lambda id_, first: system.edit(id_, **{FIRST: first}),
        system.remove,
        unknown_cursor="1",
        makes_no_doubles=False,
    )


DAV_NAMES = {FIRST: "given_name", LAST: "family_name", EMAIL: "email", PHONE: "phone"}


def dav_system(book: AddressBook, *more: str) -> CardDavSystem:
    """An adapter for an address book, with the fields of the promises and more."""
    pairs = tuple(FieldPair(name, name) for name in (*DAV_NAMES.values(), *more))
    auth = (davservers.USER, davservers.PASSWORD) if book.auth else None
    return CardDavSystem(
        Book("book", "carddav", "main", pairs, url=book.url, region="GB"), HttpCalls(auth=auth)
    )


def _dav(name: str, cursor: str) -> Callable[[pytest.FixtureRequest], Side]:
    def make(request: pytest.FixtureRequest) -> Side:
        server: DavServer = request.getfixturevalue(name)
        book = server.address_book()

        def edit(id_: str, first: str) -> None:
            lines = book.read(id_).splitlines()
            changed = [
                f"N:Lovelace;{first};;;" if line.startswith("N:") else line for line in lines
            ]
            book.put(id_, "\r\n".join(changed) + "\r\n")

        return Side(dav_system(book), edit, book.remove, DAV_NAMES, cursor)

    return make


HUBSPOT_NAMES = {FIRST: "firstname", LAST: "lastname", EMAIL: "email", PHONE: "phone"}


def hubspot_system(url: str, clock: TurnedClock, waited: list[float]) -> HubSpotSystem:
    """An adapter for the stand-in at this address."""
    pairs = tuple(FieldPair(name, name) for name in HUBSPOT_NAMES.values())
    book = Book("book", "hubspot", "main", pairs, url=url, region="GB")
    return HubSpotSystem(book, HttpCalls(token="pat-key"), clock, waited.append)


def _hubspot(request: pytest.FixtureRequest) -> Side:
    clock = TurnedClock()
    account = HubSpot(clock)
    server = SandboxServer(account.app).start()
    request.addfinalizer(server.stop)
    return Side(
        hubspot_system(server.url, clock, []),
        lambda id_, first: account.edit(id_, firstname=first),
        account.remove,
        HUBSPOT_NAMES,
        unknown_cursor="yesterday",
        settle=lambda: clock.turn(hours=1),
    )


TRYTON_NAMES = {FIRST: "name", LAST: "other", EMAIL: "email", PHONE: "phone"}


def tryton_system(url: str) -> TrytonSystem:
    """An adapter for an empty Tryton."""
    pairs = tuple(FieldPair(name, name) for name in TRYTON_NAMES.values())
    book = Book("book", "tryton", "main", pairs, url=url, region="GB")
    system = TrytonSystem(book, HttpCalls(), trytonserver.USER, trytonserver.PASSWORD)
    known = system.rpc("model.party.party.search", [["active", "in", [True, False]]], 0, None, None)
    for party in known:
        system.rpc("model.party.party.delete", [party])
    return system


def _tryton(request: pytest.FixtureRequest) -> Side:
    system = tryton_system(request.getfixturevalue("tryton"))
    party = "model.party.party"
    return Side(
        system,
        lambda id_, first: system.rpc(f"{party}.write", [int(id_)], {"name": first}),
        lambda id_: system.rpc(f"{party}.delete", [int(id_)]),
        TRYTON_NAMES,
        unknown_cursor="yesterday",
    )


SIDES: dict[str, Callable[[pytest.FixtureRequest], Side]] = {
    "memory": _memory,
    "radicale": _dav("radicale", "http://radicale.org/ns/sync/" + "0" * 64),
    "xandikos": _dav("xandikos", "0" * 40),
    "hubspot": _hubspot,
    "tryton": _tryton,
}


@pytest.fixture
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """The system that the test is parametrized with."""
    side = SIDES[request.param](request)
    yield side
    side.system.close()


# What they promise


def promise_that_a_system_that_is_set_up_has_no_fault(side: Side) -> None:
    assert side.system.check() == []


def promise_that_a_created_record_is_read_as_the_answer_said(side: Side) -> None:
    made = side.system.create(side.write(add="VIP", key=KEY, **ADA))
    assert {name: side.value(made.values, name) for name in ADA} == ADA
    assert made.key == KEY
    assert made.labels == ({"VIP"} if side.system.capabilities.labels else set())
    assert (made.emails, made.phones) == ((ADA[EMAIL],), (ADA[PHONE],))
    read = side.system.get(made.id)
    assert read is not None
    assert (read.id, read.values, read.labels, read.key) == (
        made.id,
        made.values,
        made.labels,
        KEY,
    )
    assert made.revision in ("", read.revision)


def promise_that_a_second_create_with_a_key_makes_no_double(side: Side) -> None:
    first = side.system.create(side.write(key=KEY, **ADA))
    again = side.system.create(side.write(key=KEY, **ADA))
    assert again.id == first.id
    with pytest.raises(AlreadyExistsError) as refused:
        side.system.create(side.write(key=KEY, **ADA | {FIRST: "Eva"}))
    assert refused.value.record_id == first.id
    assert list(side.listed()) == [first.id]


def promise_that_what_is_gone_is_none_and_can_be_deleted_again(side: Side) -> None:
    made = side.system.create(side.write(key=KEY, **ADA))
    side.system.delete(made)
    assert side.system.get(made.id) is None
    side.system.delete(made)
    assert side.system.find(key=KEY) == []
    with pytest.raises(GoneError):
        side.system.update(made, side.write(first="Eva"))


def promise_that_a_record_is_found_by_key_email_and_phone(side: Side) -> None:
    made = side.system.create(side.write(key=KEY, **ADA))
    side.system.create(
        side.write(key="other", first="Eva", email="eva@example.com", phone="+442079460028")
    )
    side.settle()
    for by in ({"key": KEY}, {"email": "ada@example.com"}, {"phone": ADA[PHONE]}):
        assert [found.id for found in side.system.find(**by)] == [made.id], by
    for by in ({"key": "none"}, {"email": "no@example.com"}, {"phone": "+442079460019"}):
        assert side.system.find(**by) == [], by


def promise_that_an_update_changes_what_it_names_alone(side: Side) -> None:
    made = side.system.create(side.write(add="VIP", key=KEY, **ADA))
    answer = side.system.update(made, side.write(last="King", email=None, add="News"))
    assert side.value(answer.values, LAST) == "King"
    assert side.value(answer.values, EMAIL) is None
    assert side.value(answer.values, FIRST) == "Ada"
    assert answer.key == KEY
    if side.system.capabilities.labels:
        assert answer.labels == {"VIP", "News"}
    read = side.system.get(made.id)
    assert read is not None
    assert (read.values, read.labels) == (answer.values, answer.labels)
    assert answer.revision in ("", read.revision)


def promise_that_labels_are_added_and_removed_one_by_one(side: Side) -> None:
    made = side.system.create(side.write(add="VIP, gold", key=KEY, **ADA))
    answer = side.system.update(made, side.write(add="News", remove="none such"))
    assert answer.labels == {"VIP, gold", "News"}
    answer = side.system.update(side.system.get(made.id) or made, side.write(remove="VIP, gold"))
    assert answer.labels == {"News"}


def promise_that_a_stale_write_is_refused_and_changes_nothing(side: Side) -> None:
    made = side.system.create(side.write(key=KEY, **ADA))
    side.edit(made.id, "Eva")
    with pytest.raises(StaleError):
        side.system.update(made, side.write(first="Augusta"))
    with pytest.raises(StaleError):
        side.system.delete(made)
    read = side.system.get(made.id)
    assert read is not None
    assert side.value(read.values, FIRST) == "Eva"


def promise_that_changes_since_a_cursor_are_listed(side: Side) -> None:
    kept = side.system.create(side.write(key="kept", **ADA))
    edited = side.system.create(side.write(key=KEY, first="Eva"))
    gone = side.system.create(side.write(key="gone", first="Iris"))
    side.settle()
    *_, now = side.system.changes(None)
    side.edit(edited.id, "Augusta")
    side.remove(gone.id)
    side.settle()
    pages = list(side.system.changes(now.cursor))
    changed = {id_: revision for page in pages for id_, revision in page.changed.items()}
    assert edited.id in changed
    assert kept.id not in changed
    assert gone.id in {id_ for page in pages for id_ in page.gone} or gone.id not in side.listed()
    read = side.system.get(edited.id)
    assert read is not None
    assert changed[edited.id] in ("", read.revision)
    for page in side.system.changes(pages[-1].cursor):
        assert page.changed.items() <= changed.items(), "what is listed again has its revision"
        assert not page.gone


def promise_that_an_unknown_cursor_is_refused(side: Side) -> None:
    if isinstance(side.system, MemorySystem):
        side.system.refuses_cursors = True
    assert side.unknown_cursor is not None
    with pytest.raises(CursorRefusedError):
        list(side.system.changes(side.unknown_cursor))


def promise_that_a_sweep_lists_each_record_once_with_its_revision(side: Side) -> None:
    made = [side.system.create(side.write(key=f"k{n}", first=f"Name {n}")) for n in range(5)]
    ids = [id_ for page in side.system.sweep() for id_ in page]
    assert sorted(ids) == sorted(one.id for one in made)
    records = side.system.get_many([*ids, "none.vcf"])
    assert records.keys() == set(ids)
    for id_, revision in side.listed().items():
        assert revision in ("", records[id_].revision)


def promise_that_normalising_is_what_writing_does(side: Side) -> None:
    odd = ADA | {FIRST: " Ada ", EMAIL: " ada@example.com "}
    made = side.system.create(side.write(key=KEY, **odd))
    for name, value in odd.items():
        own = side.names.get(name, name)
        expected = side.system.normalise(own, value)
        assert expected is not None
        assert made.values[own] == expected
        assert side.system.normalise(own, expected) == expected


def promise_that_nothing_shows_data(side: Side) -> None:
    made = side.system.create(side.write(key=KEY, **ADA))
    write = side.write(**ADA | {FIRST: "Eva"})
    side.remove(made.id)
    with pytest.raises(GoneError) as gone:
        side.system.update(made, write)
    for text in (repr(made), repr(write), str(gone.value)):
        assert "Ada" not in text
        assert "example.com" not in text


PROMISES = {
    name.removeprefix("promise_that_"): found
    for name, found in list(globals().items())
    if name.startswith("promise_that_")
}


CANNOT = {
    ("memory", "a_second_create_with_a_key_makes_no_double"),
    ("hubspot", "labels_are_added_and_removed_one_by_one"),
    ("hubspot", "a_stale_write_is_refused_and_changes_nothing"),
}
"""What a system says that it can't do; `test_hubspot.py` tests what HubSpot does instead."""

CASES = [(name, promise) for name in SIDES for promise in PROMISES]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("side", "promise"), [case for case in CASES if case not in CANNOT], indirect=["side"]
)
def test_every_system_keeps_the_promise(side: Side, promise: str) -> None:
    PROMISES[promise](side)


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES, indirect=True)
def test_a_system_says_what_it_cannot_do(side: Side, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["side"]
    can = side.system.capabilities
    missing = {promise for each, promise in CANNOT if each == name}
    assert can.labels == ("labels_are_added_and_removed_one_by_one" not in missing)
    assert can.preconditions == ("a_stale_write_is_refused_and_changes_nothing" not in missing)
    assert side.makes_no_doubles == ("a_second_create_with_a_key_makes_no_double" not in missing)


def _tryton_person(system: TrytonSystem, first: str, email: str) -> str:
    made = system.create(Write({"name": first, "email": email}, key=f"key of {first}"))
    return made.id


def test_a_merge_in_tryton_is_seen_and_one_from_wix_is_made_there(tryton: str) -> None:
    system = tryton_system(tryton)
    ada, bob = (_tryton_person(system, name, f"{name}@example.com") for name in ("Ada", "Bob"))
    survivor, source = system.get(ada), system.get(bob)
    assert survivor
    assert source
    merged = system.merge(survivor, source)
    assert merged.id == ada
    found = system.get(bob)
    assert found
    assert found.id == ada, "the merged one answers with the survivor"
    assert {"Ada@example.com", "Bob@example.com"} >= set(map(str.capitalize, found.emails))
    assert bob not in {id_ for page in system.sweep() for id_ in page}
    system.close()


def test_a_phone_that_was_changed_since_is_not_overwritten_in_tryton(tryton: str) -> None:
    system = tryton_system(tryton)
    made = system.create(Write({"name": "Eva", "phone": "+442079460018"}, key="Eva's"))
    read = system.get(made.id)
    assert isinstance(read, Party)
    # By the mechanism itself, which leaves the party's own time alone.
    (mechanism,) = read.row["contact_mechanisms."]
    system.rpc("model.party.contact_mechanism.write", [mechanism["id"]], {"value": "+442079460028"})
    with pytest.raises(StaleError):
        system.update(read, Write({"phone": "+442079460038"}))
    assert system.rpc("model.party.contact_mechanism.read", [mechanism["id"]], ["value"]) == [
        {"id": mechanism["id"], "value": "+44 20 7946 0028"}
    ], "in Tryton's own spelling"
    system.close()
