"""What every system promises, whatever is behind it: the contract suite."""

from collections.abc import Iterator

import pytest

from formapp.crm.system import (
    AlreadyExistsError,
    CrmError,
    CursorRefusedError,
    GoneError,
    RefusedError,
    StaleError,
    Write,
)
from tests.crm.memory import MemorySystem
from tests.crm.sides import ADA, EMAIL, FIRST, KEY, LAST, PHONE, SIDES, Side, tryton_system
from tests.crm.tryton import Party, TrytonSystem


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
    assert KEY in (made.key, made.id)
    assert made.labels == ({"VIP"} if side.system.capabilities.labels else set())
    assert (made.emails, made.phones) == ((ADA[EMAIL],), (ADA[PHONE],))
    read = side.read(made.id)
    assert read is not None
    assert (read.id, read.values, read.labels) == (made.id, made.values, made.labels)
    assert KEY in (read.key, read.id)
    assert made.revision in ("", read.revision)


def promise_that_a_second_create_with_a_key_makes_no_double(side: Side) -> None:
    first = side.system.create(side.write(key=KEY, **ADA))
    for name in ("Ada", "Eva"):
        try:
            again = side.system.create(side.write(key=KEY, **ADA | {FIRST: name})).id
        except AlreadyExistsError as refused:
            again = refused.record_id or ""
        assert again == first.id
        assert side.everybody() == [first.id]
    if side.can_be_read:
        read = side.read(first.id)
        assert read is not None
        assert side.value(read.values, FIRST) == "Ada", "what is there already stays as it is"


def promise_that_what_is_gone_is_none_and_can_be_deleted_again(side: Side) -> None:
    made = side.system.create(side.write(key=KEY, **ADA))
    side.system.delete(made)
    assert side.read(made.id) is None
    side.system.delete(made)
    assert not side.system.find(key=KEY)
    assert side.everybody() == []


def promise_that_an_update_of_what_is_gone_is_no_success(side: Side) -> None:
    made = side.system.create(side.write(key=KEY, **ADA))
    side.remove(made.id)
    assert side.system.get(made.id) is None
    with pytest.raises(GoneError if side.can_be_read else RefusedError):
        side.update(made, first="Eva")


def promise_that_what_a_person_changes_is_read(side: Side) -> None:
    made = side.system.create(side.write(key=KEY, **ADA))
    side.edit(made.id, "Augusta")
    read = side.system.get(made.id)
    assert read is not None
    assert side.value(read.values, FIRST) == "Augusta"
    # A field that a system that can't be read didn't post is unchanged.
    assert side.value(read.values, LAST) == ("Lovelace" if side.can_be_read else None)


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
    answer = side.update(made, last="King", email=None, add="News")
    assert side.value(answer.values, LAST) == "King"
    assert side.value(answer.values, EMAIL) is None
    assert side.value(answer.values, FIRST) == "Ada"
    assert KEY in (answer.key, answer.id)
    if side.system.capabilities.labels:
        assert answer.labels == {"VIP", "News"}
    read = side.read(made.id)
    assert read is not None
    assert (read.values, read.labels) == (answer.values, answer.labels)
    assert answer.revision in ("", read.revision)


def promise_that_labels_are_added_and_removed_one_by_one(side: Side) -> None:
    made = side.system.create(side.write(add="VIP, gold", key=KEY, **ADA))
    answer = side.update(made, add="News", remove="none such")
    assert answer.labels == {"VIP, gold", "News"}
    answer = side.update(side.read(made.id) or made, remove="VIP, gold")
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
    odd = ADA | {FIRST: " Ada ", EMAIL: side.odd_email}
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
    with pytest.raises(CrmError) as gone:
        side.system.update(made, write)
    for text in (repr(made), repr(write), str(gone.value)):
        assert "Ada" not in text
        assert "example.com" not in text


PROMISES = {
    name.removeprefix("promise_that_"): found
    for name, found in list(globals().items())
    if name.startswith("promise_that_")
}


_READING = {
    "a_record_is_found_by_key_email_and_phone",
    "changes_since_a_cursor_are_listed",
    "an_unknown_cursor_is_refused",
    "a_sweep_lists_each_record_once_with_its_revision",
}
_NO_PRECONDITIONS = "a_stale_write_is_refused_and_changes_nothing"

CANNOT = {
    ("memory", "a_second_create_with_a_key_makes_no_double"),
    ("hubspot", "labels_are_added_and_removed_one_by_one"),
    ("hubspot", _NO_PRECONDITIONS),
    ("webhook", _NO_PRECONDITIONS),
    *(("webhook", promise) for promise in _READING),
}
"""What a system says that it can't do: `systems/test_hubspot.py` and `systems/test_webhook.py` test
what these do instead."""

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
    assert can.preconditions == (_NO_PRECONDITIONS not in missing)
    assert can.lists == missing.isdisjoint(_READING)
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
