"""Calls whose answer never came: one contact, the outcome right."""

from typing import Any

import pytest

from tests.support.leads import EMAIL, field, items, lead, phone
from tests.support.world import GRACE, World

GIVEN = lead(first_name="Ines", labels=("Lead",), extended_fields=(field("Budget", "small"),))
BY_PHONE = lead(None, first_name="Ines", phones=(phone(),), labels=("Lead",))
BY_NAME = lead(None, first_name="Ines", last_name="Okafor", labels=("Lead",))
PEOPLE = pytest.mark.parametrize(
    "given", [GIVEN, BY_PHONE, BY_NAME], ids=["email", "phone", "name alone"]
)
UNAPPLIED: list[dict[str, Any]] = [
    {"kind": "cut_before"},
    {"kind": "status", "status": 500, "empty_body": True},
    {"kind": "status", "status": 503},
    {"kind": "bad_gateway_html"},
]
APPLIED: list[dict[str, Any]] = [
    {"kind": "cut_after"},
    {"kind": "truncate"},
    {"kind": "stall", "seconds": 5},
    {"kind": "status", "status": 500, "applied": True},
    {"kind": "bad_gateway_html", "applied": True},
]


def faults(kinds: list[dict[str, Any]]) -> pytest.MarkDecorator:
    ids = ["-".join(str(value) for value in kind.values()) for kind in kinds]
    return pytest.mark.parametrize("fault", kinds, ids=ids)


def try_once(world: World, fault: dict[str, Any], operation: str) -> None:
    """One attempt under a fault; a stalled answer is waited for a moment only."""
    world.site.fault(operation=operation, times=1, **fault)
    patience = 1.5 if fault["kind"] == "stall" else 5.0
    world.deliverer = world.new_deliverer(timeouts=(5.0, patience))
    assert world.deliver()


@faults(APPLIED)
@PEOPLE
def test_a_create_that_was_applied_without_an_answer_is_not_repeated(
    world: World, fault: dict[str, Any], given: Any
) -> None:
    submission_id = world.keep(given)
    try_once(world, fault, "createContact")
    row = world.row(submission_id)
    assert (row["state"], row["attempts"]) == ("pending", 1)
    assert row["intent"]["operation"] == "create"
    made = world.site.contact()
    world.clock.turn(GRACE)
    world.drain()
    row = world.row(submission_id)
    assert (row["outcome"], row["contact_id"]) == ("created", made["id"])
    assert world.site.contact() == made
    assert (row["flags"], row["intent"]) == ([], None)


@faults(UNAPPLIED)
@PEOPLE
def test_a_create_that_was_not_applied_is_repeated_after_the_grace_period(
    world: World, fault: dict[str, Any], given: Any
) -> None:
    submission_id = world.keep(given)
    try_once(world, fault, "createContact")
    assert world.site.contacts() == []
    world.clock.turn(GRACE - 1)
    assert world.drain() == 0
    world.clock.turn(1)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1


@faults(APPLIED)
def test_an_update_that_was_applied_without_an_answer_is_not_repeated(
    world: World, fault: dict[str, Any]
) -> None:
    world.site.add(emails=items({"email": EMAIL}))
    submission_id = world.keep(GIVEN)
    try_once(world, fault, "updateContact")
    assert world.row(submission_id)["intent"]["operation"] == "update"
    changed = world.site.contact()
    assert changed["revision"] == 2
    world.clock.turn(5)
    world.drain()
    assert (world.row(submission_id)["outcome"], world.row(submission_id)["intent"]) == (
        "updated",
        None,
    )
    assert world.site.contact() == changed


@faults(UNAPPLIED)
def test_an_update_that_was_not_applied_is_repeated(world: World, fault: dict[str, Any]) -> None:
    world.site.add(emails=items({"email": EMAIL}))
    submission_id = world.keep(GIVEN)
    try_once(world, fault, "updateContact")
    assert world.site.contact()["revision"] == 1
    world.clock.turn(5)
    world.drain()
    assert world.row(submission_id)["outcome"] == "updated"
    assert world.site.contact()["revision"] == 2


@PEOPLE
def test_the_grace_period_covers_a_query_that_lags_and_a_duplicate_check_that_is_blind(
    world: World, given: Any
) -> None:
    world.site.set(query_delay=GRACE - 5, duplicate_blind_window=GRACE - 5)
    submission_id = world.keep(given)
    try_once(world, {"kind": "cut_after"}, "createContact")
    for _ in range(int(GRACE)):
        world.drain()
        world.clock.turn(1)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1


def test_the_grace_period_begins_when_the_outcome_became_unknown(world: World) -> None:
    """A call may hang for long before it is cut, and be applied at its very end."""
    world.site.set(query_delay=GRACE - 5, duplicate_blind_window=GRACE - 5)
    submission_id = world.keep(GIVEN)
    # The clock goes on while the call is under way.
    world.once("createContact", lambda: world.clock.turn(30))
    try_once(world, {"kind": "cut_after"}, "createContact")
    world.clock.turn(GRACE - 1)
    assert world.drain() == 0
    world.clock.turn(1)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1


def test_later_leads_of_the_person_wait_until_the_outcome_is_known(world: World) -> None:
    world.site.set(query_delay=GRACE - 5, duplicate_blind_window=GRACE - 5)
    world.keep(GIVEN)
    try_once(world, {"kind": "cut_after"}, "createContact")
    world.clock.turn(1)
    second = world.keep(lead(company="Barco", phones=(phone(),)))
    third = world.keep(lead(None, phones=(phone(),), labels=("Called",)))
    assert world.drain() == 0
    world.clock.turn(GRACE)
    world.drain()
    assert len(world.site.contacts()) == 1
    assert world.row(second)["outcome"] == "updated"
    assert world.row(third)["contact_id"] == world.site.contact()["id"]


def test_an_older_lead_that_is_replayed_waits_for_a_write_that_is_unknown(world: World) -> None:
    """It comes first by its age, but a second write now could make a second contact."""
    world.site.set(query_delay=GRACE - 5, duplicate_blind_window=GRACE - 5)
    older = world.keep(lead(company="Barco"))
    world.change(older, state="failed")
    younger = world.keep(GIVEN)
    try_once(world, {"kind": "cut_after"}, "createContact")
    world.change(older, state="pending")
    assert world.drain() == 0
    world.clock.turn(GRACE)
    world.drain()
    assert (world.row(younger)["outcome"], world.row(older)["outcome"]) == ("created", "updated")
    assert len(world.site.contacts()) == 1


def test_two_with_a_name_alone_of_which_one_is_unknown_become_two_contacts(world: World) -> None:
    first = world.keep(BY_NAME)
    try_once(world, {"kind": "cut_before"}, "createContact")
    second = world.keep(BY_NAME)
    world.drain()
    world.clock.turn(GRACE)
    world.drain()
    ids = {world.row(each)["contact_id"] for each in (first, second)}
    assert ids == {contact["id"] for contact in world.site.contacts()}
    assert len(ids) == 2


def test_a_contact_that_others_made_in_the_meantime_is_not_called_ours(world: World) -> None:
    submission_id = world.keep(GIVEN)
    try_once(world, {"kind": "cut_before"}, "createContact")
    theirs = world.site.add(emails=items({"email": EMAIL}), company="Theirs")
    world.clock.turn(GRACE)
    world.drain()
    assert (world.row(submission_id)["outcome"], world.row(submission_id)["contact_id"]) == (
        "updated",
        theirs["id"],
    )
    assert world.site.info()["company"] == "Theirs"


def test_a_give_up_with_an_unknown_create_is_looked_for_by_the_replay(world: World) -> None:
    submission_id = world.keep(BY_NAME)
    world.jitter = 0.0
    try_once(world, {"kind": "status", "status": 503}, "createContact")
    world.clock.turn(hours=72)
    try_once(world, {"kind": "cut_after"}, "createContact")
    row = world.row(submission_id)
    assert (row["state"], row["intent"]["operation"]) == ("failed", "create")
    world.clock.turn(hours=1)
    world.change(submission_id, state="pending", due_at=world.clock())
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1
