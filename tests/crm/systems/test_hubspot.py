"""HubSpot's own: history in place of preconditions, merges, a lagging search, limits, rules."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import responses
from flask import abort, make_response

from formapp.crm.system import (
    AlreadyExistsError,
    CrmError,
    CursorRefusedError,
    RefusedError,
    StaleError,
    UnauthorizedError,
    UnavailableError,
    Write,
)
from formapp.crm.systems import hubspot
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.hubspot import HubSpotRecord, HubSpotSystem
from formapp.sandbox import SandboxServer
from tests.crm.hubspot_standin import HubSpot
from tests.crm.sides import hubspot_system
from tests.support.clock import TurnedClock

FIRST = "firstname"
ADA = Write({"firstname": "Ada", "email": "ada@example.com"}, key="w1")


@dataclass
class World:
    clock: TurnedClock
    account: HubSpot
    system: HubSpotSystem
    waited: list[float]

    def ada(self) -> HubSpotRecord:
        """A contact as it was read."""
        record = self.system.get(self.system.create(ADA).id)
        assert isinstance(record, HubSpotRecord)
        return record

    def calls(self) -> list[tuple[str, str]]:
        """What was called since the last look."""
        found, self.account.calls = self.account.calls, []
        return found


@pytest.fixture
def world() -> Iterator[World]:
    clock = TurnedClock()
    account, waited = HubSpot(clock), list[float]()
    with SandboxServer(account.app) as server:
        system = hubspot_system(server.url, clock, waited)
        yield World(clock, account, system, waited)
        system.close()


def test_a_value_that_came_between_reading_and_writing_is_put_back(world: World) -> None:
    ada = world.ada()

    def edit_between(method: str, _path: str) -> None:
        if method == "PATCH":
            world.account.before = lambda _method, _path: None
            world.account.edit(ada.id, firstname="Augusta")

    world.account.before = edit_between
    with pytest.raises(StaleError):
        world.system.update(ada, Write({"firstname": "Eva", "lastname": "King"}))
    contact = world.account.contacts[ada.id]
    assert (contact.get("firstname"), contact.get("lastname")) == ("Augusta", "King")


def _spoil(world: World, call: tuple[str, int], answer: tuple[str, int], **edit: str) -> None:
    """Answer a call (method and number) so; `edit` is a person's, before the first PATCH."""
    seen = Counter[str]()
    (contact_id,) = world.account.contacts

    def before(method: str, _path: str) -> None:
        if method == "PATCH" and not seen[method]:
            world.account.edit(contact_id, **edit)
        seen[method] += 1
        if (method, seen[method]) == call:
            abort(make_response(answer))

    world.account.before = before


_SHAPES: list[Any] = [[], {"propertiesWithHistory": [1]}, {"propertiesWithHistory": {FIRST: [1]}}]
BAD_HISTORIES: list[tuple[str, int]] = [
    *(("{}", status) for status in (400, 401, 429, 500)),
    *((json.dumps(shape), 200) for shape in _SHAPES),
]


@pytest.mark.parametrize("answer", BAD_HISTORIES, ids=str)
def test_an_update_whose_history_can_t_be_read_may_be_in_place(
    world: World, answer: tuple[str, int]
) -> None:
    ada = world.ada()
    _spoil(world, ("GET", 1), answer)
    with pytest.raises(CrmError) as failed:
        world.system.update(ada, Write({FIRST: "Eva"}))
    assert failed.value.maybe_applied
    assert world.account.contacts[ada.id].get(FIRST) == "Eva"


@pytest.mark.parametrize(
    ("status", "error", "lost"),
    [
        (400, StaleError, {FIRST: "Augusta"}),
        (409, StaleError, {FIRST: "Augusta"}),
        (429, UnavailableError, {FIRST: "Augusta"}),
        (500, UnavailableError, {FIRST: "Augusta"}),
        (404, StaleError, {}),
        (200, StaleError, {}),
    ],
)
def test_an_update_names_the_values_that_it_could_not_put_back(
    world: World, status: int, error: type[CrmError], lost: dict[str, str]
) -> None:
    ada = world.ada()
    _spoil(world, ("PATCH", 2), ("{}", status), firstname="Augusta")
    with pytest.raises(error) as failed:
        world.system.update(ada, Write({FIRST: "Eva"}))
    assert failed.value.maybe_applied
    assert failed.value.overwritten == lost


@pytest.mark.parametrize("status", [200, 400])
def test_a_value_is_not_put_back_over_a_newer_one(world: World, status: int) -> None:
    ada = world.ada()
    _spoil(world, ("PATCH", 2), ("{}", status), firstname="Augusta", lastname="Byron")
    spoil = world.account.before

    def edit_after_it(method: str, path: str) -> None:
        spoil(method, path)
        if method == "GET":
            world.account.edit(ada.id, firstname="Ada A.")

    world.account.before = edit_after_it
    with pytest.raises(StaleError) as failed:
        world.system.update(ada, Write({FIRST: "Eva", "lastname": "King"}))
    not_put_back = {} if status == 200 else {"lastname": "Byron"}
    assert failed.value.overwritten == {FIRST: "Augusta", **not_put_back}
    assert world.account.contacts[ada.id].get(FIRST) == "Ada A."
    assert [method for method, _ in world.calls()].count("PATCH") == 2


@pytest.mark.parametrize("answer", ["{", "[]", "{}", '{"id": null, "properties": {}}'])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_write_whose_answer_can_t_be_read_may_be_in_place(
    world: World, method: str, answer: str
) -> None:
    ada = world.ada()
    _spoil(world, (method, 1), (answer, 200))
    writing: dict[str, Callable[[], object]] = {
        "POST": lambda: world.system.create(Write({FIRST: "Eva"}, key="w2")),
        "PATCH": lambda: world.system.update(ada, Write({FIRST: "Eva"})),
    }
    with pytest.raises(UnavailableError, match="can't be read") as failed:
        writing[method]()
    assert failed.value.maybe_applied


def test_a_merge_whose_result_can_t_be_read_may_be_in_place(world: World) -> None:
    ada = world.ada()
    eva = world.system.create(Write({FIRST: "Eva"}, key="w2"))
    world.account.before = lambda method, _path: abort(500) if method == "GET" else None
    with pytest.raises(UnavailableError) as failed:
        world.system.merge(ada, eva)
    assert failed.value.maybe_applied


def test_an_edit_after_our_write_is_no_conflict_and_not_in_the_answer(world: World) -> None:
    ada = world.ada()

    def edit_after(method: str, path: str) -> None:
        if method == "GET" and path == f"/{ada.id}":
            world.account.before = lambda _method, _path: None
            world.account.edit(ada.id, firstname="Augusta")

    world.account.before = edit_after
    answer = world.system.update(ada, Write({"firstname": "Eva"}))
    assert answer.values["firstname"] == "Eva"
    assert world.account.contacts[ada.id].get("firstname") == "Augusta"


def test_an_update_costs_two_calls_and_an_empty_one_none(world: World) -> None:
    ada = world.ada()
    world.calls()
    world.system.update(ada, Write({"firstname": "Eva", "email": None}))
    assert world.calls() == [("PATCH", f"/{ada.id}"), ("GET", f"/{ada.id}")]
    assert world.account.contacts[ada.id].get("email") == ""
    assert world.system.update(ada, Write()) is ada
    assert world.calls() == []


def test_a_merge_has_a_new_id_that_both_old_ones_lead_to(world: World) -> None:
    ada = world.ada()
    eva = world.system.create(Write({"firstname": "Eva", "lastname": "King"}, key="w2"))
    merged = world.system.merge(ada, eva)
    assert merged.id not in (ada.id, eva.id)
    assert merged.values["lastname"] == "King"
    for old in (ada, eva):
        found = world.system.get(old.id)
        assert found is not None
        assert found.id == merged.id
    assert world.system.get_many([ada.id, merged.id]).keys() == {merged.id}


def test_search_lags_so_changes_overlap(world: World) -> None:
    world.clock.turn(hours=1)
    *_, start = world.system.changes(None)
    ada = world.ada()
    assert world.system.find(email="Ada@example.com")
    *_, first = world.system.changes(start.cursor)
    assert first.changed == {}
    world.clock.turn(31)
    *_, second = world.system.changes(first.cursor)
    assert second.changed.keys() == {ada.id}


def test_more_contacts_of_one_moment_than_a_page_end(world: World) -> None:
    world.account.lag = timedelta(0)
    *_, start = world.system.changes(None)
    for number in range(401):
        world.system.create(Write({"firstname": f"Number {number}"}, key=f"k{number}"))
    world.clock.turn(1)
    world.calls()
    pages = list(world.system.changes(start.cursor))
    assert [len(page.changed) for page in pages] == [200, 200, 1]
    assert pages[0].cursor == start.cursor, "a page that isn't the last moves nothing"
    assert world.calls() == [("POST", "/search")] * 3
    assert sum(len(page) for page in world.system.sweep()) == 401
    assert len(world.calls()) == 5


def test_the_limit_is_waited_for_before_it_is_passed(world: World) -> None:
    world.account.limit = 1
    world.system.find(key="none")
    assert world.waited == [10.0]
    with pytest.raises(UnavailableError) as refused:
        world.system.create(ADA)
    assert refused.value.wait == timedelta(seconds=10)
    assert not refused.value.maybe_applied


def test_a_contact_with_this_email_is_named(world: World) -> None:
    world.account.edit(world.system.create(Write({"email": "ada@example.com"}, key="w9")).id)
    with pytest.raises(AlreadyExistsError) as refused:
        world.system.create(ADA)
    assert refused.value.record_id == "101"
    other = world.system.create(Write({"firstname": "Eva"}, key="w2"))
    with pytest.raises(RefusedError, match="another contact has it"):
        world.system.update(other, Write({"email": "ada@example.com"}))


def test_a_rule_of_the_account_names_the_property_and_no_value(world: World) -> None:
    world.account.refuses = "firstname"
    with pytest.raises(RefusedError) as refused:
        world.system.create(ADA)
    assert str(refused.value) == "HubSpot refuses the values (400) of firstname"


def test_a_contact_that_changed_is_not_archived(world: World) -> None:
    ada = world.ada()
    world.account.edit(ada.id, firstname="Eva")
    with pytest.raises(StaleError):
        world.system.delete(ada)
    read = world.system.get(ada.id)
    assert read is not None
    world.system.archive(read)
    assert list(world.account.archived) == [ada.id]


def test_missing_properties_and_a_wrong_key_are_faults(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.crm.hubspot_standin.PROPERTIES", ("email", "lastname", "phone"))
    faults = world.system.check()
    assert faults[0] == 'HubSpot has no property "firstname"'
    assert hubspot.KEY in faults[1]
    world.system._calls = HttpCalls(token="wrong")
    (refused,) = world.system.check()
    assert refused.startswith("127.0.0.1:")
    assert refused.endswith(" refuses the credentials (401)")
    with pytest.raises(UnauthorizedError):
        world.system.get("1")


def test_all_emails_and_phones_count_for_matching(world: World) -> None:
    ada = world.ada()
    world.account.edit(
        ada.id, hs_additional_emails="A@x.example;b@x.example", mobilephone="07700 900123"
    )
    read = world.system.get(ada.id)
    assert read is not None
    assert read.emails == ("ada@example.com", "a@x.example", "b@x.example")
    assert read.phones == ("+447700900123",)


SHAPES: list[Any] = [
    *([], None, {}, {"results": None}, {"results": {"id": "1"}}, {"results": [7]}),
    *({"results": 7}, {"results": [{}]}, {"results": [{"id": None}]}, {"results": [{"id": "x"}]}),
    *({"results": [{"id": "1" * 21}]}, {"results": [{"id": "\u0663"}]}),
]
READING: dict[str, Callable[[HubSpotSystem], object]] = {
    "changes": lambda system: list(system.changes("2026-11-01T00:00:00+00:00")),
    "sweep": lambda system: list(system.sweep()),
    "get_many": lambda system: system.get_many(["1"]),
    "find": lambda system: system.find(phone="+1 202 555 0100"),
}


@responses.activate
@pytest.mark.parametrize("shape", SHAPES, ids=json.dumps)
@pytest.mark.parametrize("reading", READING.values(), ids=READING)
def test_an_answer_of_another_shape_is_tried_again_later(
    shape: Any, reading: Callable[[HubSpotSystem], object]
) -> None:
    every = re.compile("http://hubspot.example/.*")
    for method in ("GET", "POST"):
        responses.add(method, every, json=shape)
    system = hubspot_system("http://hubspot.example", TurnedClock(), [])
    with pytest.raises(UnavailableError, match="can't be read"):
        reading(system)
    assert system.check() == ["HubSpot's answer can't be read"]
    system.close()


PAGINGS: list[Any] = [[1], 7, {"next": "x"}, {"next": [1]}]


@responses.activate
@pytest.mark.parametrize("paging", PAGINGS, ids=json.dumps)
def test_a_page_whose_end_can_t_be_read_is_tried_again_later(paging: Any) -> None:
    every = re.compile("http://hubspot.example/.*")
    responses.add("GET", every, json={"results": [{"id": "1"}], "paging": paging})
    system = hubspot_system("http://hubspot.example", TurnedClock(), [])
    with pytest.raises(UnavailableError, match="can't be read"):
        list(system.sweep())
    system.close()


@responses.activate
@pytest.mark.parametrize("id_", [None, "", "x", "1" * 21, "\u0663"])
def test_a_contact_without_an_id_is_no_contact(id_: Any) -> None:
    every = re.compile("http://hubspot.example/.*")
    responses.add("GET", every, json={"id": id_, "properties": {}})
    system = hubspot_system("http://hubspot.example", TurnedClock(), [])
    with pytest.raises(UnavailableError, match="can't be read"):
        system.get("1")
    system.close()


@pytest.mark.parametrize("cursor", ["yesterday", "2026-11-01", "2026-11-01T00:00:00", "20261101"])
def test_a_cursor_that_is_no_time_with_an_offset_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(CursorRefusedError):
        list(world.system.changes(cursor))
    assert world.calls() == []
