"""The rate budget: never more than the limit in a minute, nobody starved, nothing spent."""

from datetime import datetime

import pytest

from formapp.delivery.deliver import Deliverer
from tests.support.leads import EMAIL, field, items, lead
from tests.support.world import World


def busiest_minute(world: World) -> int:
    """The most calls of any window of 60 seconds, by the sandbox's own log."""
    times = [datetime.fromisoformat(call["time"]) for call in world.site.call_log()]
    return max(sum(0 <= (later - first).total_seconds() < 60 for later in times) for first in times)


def run(world: World, *deliverers: Deliverer, step: float = 0.3, most: int = 400) -> None:
    """Let the deliverers take turns while time goes by, until nothing is pending."""
    for _ in range(most):
        busy = [deliverer.deliver_next() for deliverer in deliverers]
        world.clock.turn(step)
        if any(busy):
            continue
        if all(world.row(submission_id)["state"] != "pending" for submission_id in world.idents):
            return
        paused = (world.pause()["paused_until"] - world.clock()).total_seconds()
        world.clock.turn(max(step, paused))
    raise AssertionError("it never ended")


@pytest.mark.parametrize("workers", [1, 3])
def test_the_budget_is_never_exceeded_and_everything_is_delivered(
    both_worlds: World, workers: int
) -> None:
    world, limit = both_worlds, 20
    given = {"labels": ("Lead",), "extended_fields": (field("Budget", "small"),)}
    for number in range(40):
        world.keep(lead(f"person{number}@example.com", **given))
    run(world, *(world.new_deliverer(limit=limit) for _ in range(workers)))
    assert len(world.site.contacts()) == 40
    assert busiest_minute(world) == limit
    assert {world.row(submission_id)["attempts"] for submission_id in world.idents} == {1}


def test_the_budget_is_used_to_95_percent(world: World) -> None:
    for number in range(100):
        world.keep(lead(f"person{number}@example.com"))
    start = world.clock()
    run(world, world.new_deliverer(limit=20), step=0.1)
    minutes = (world.clock() - start).total_seconds() / 60
    # The last calls end within a window that isn't used up.
    assert len(world.site.call_log()) >= 0.95 * 20 * (minutes - 1)


@pytest.mark.parametrize("seconds", [2.5, 20])
def test_calls_that_reach_wix_late_take_room_from_when_they_did(
    both_worlds: World, seconds: float
) -> None:
    """Two workers at once, whose look-ups wait for the network after they were counted."""
    world, limit = both_worlds, 4
    first, second = (world.new_deliverer(limit=limit) for _ in range(2))
    for number in range(8):
        world.keep(lead(f"person{number}@example.com"))

    def meanwhile() -> None:
        world.once("queryContacts", lambda: world.clock.turn(seconds))
        assert second.deliver_next()

    world.once("queryContacts", meanwhile)
    run(world, first, second)
    assert len(world.site.contacts()) == 8
    assert busiest_minute(world) == limit


def test_a_call_that_ends_without_an_answer_takes_room_from_its_end(world: World) -> None:
    world.site.fault("cut_after", "queryContacts", times=1)
    world.once("queryContacts", lambda: world.clock.turn(20))
    world.deliverer = world.new_deliverer(limit=2)
    submission_id = world.keep(lead())
    run(world, world.deliverer, step=5)
    assert world.row(submission_id)["attempts"] == 2
    assert busiest_minute(world) == 2


def test_a_lead_without_room_for_a_whole_one_is_not_begun(world: World) -> None:
    world.deliverer = world.new_deliverer(limit=3)
    world.bring(lead())
    world.site.forget_calls()
    second = world.keep(lead("two@example.com"))
    assert world.drain() == 1
    assert world.site.calls() == []
    assert world.row(second)["attempts"] == 0
    assert world.pause()["failures"] == 0
    world.clock.turn(61)
    world.drain()
    assert world.row(second)["outcome"] == "created"


def test_a_lead_that_needs_more_calls_than_most_is_not_begun_forever(world: World) -> None:
    """Two calls are free again and again, but this one takes four, and stands first."""
    held = world.site.add(emails=items({"email": EMAIL.upper()}))
    world.deliverer = world.new_deliverer(limit=6)
    # The window is full, and frees one call every ten seconds.
    for number in range(3):
        world.bring(lead(f"person{number}@example.com"))
        world.clock.turn(20)
    submission_id = world.keep(lead(company="Barco"))
    others = [world.keep(lead(f"later{number}@example.com")) for number in range(5)]
    run(world, world.deliverer, step=5, most=200)
    assert world.row(submission_id)["contact_id"] == held["id"]
    assert all(world.row(other)["outcome"] == "created" for other in others)


def test_a_budget_that_ends_between_find_and_create_leaves_no_intent(world: World) -> None:
    world.deliverer = world.new_deliverer(limit=2)
    submission_id = world.keep(lead(labels=("Lead",)))
    assert world.deliver()
    row = world.row(submission_id)
    assert (row["state"], row["attempts"], row["intent"]) == ("pending", 0, None)
    assert world.site.calls() == ["findOrCreateLabel", "queryContacts"]
    run(world, world.deliverer, step=5)
    assert world.row(submission_id)["outcome"] == "created"


def test_forms_of_one_site_are_served_in_turn_of_their_leads(world: World) -> None:
    world.deliverer = world.new_deliverer(limit=2)
    order = [
        world.keep(lead(f"{form}{number}@example.com", form=form))
        for number in range(2)
        for form in ("contact", "quote")
    ]
    run(world, world.deliverer, step=5)
    finished = [world.row(submission_id)["finished_at"] for submission_id in order]
    assert finished == sorted(finished)


def test_room_that_a_wrong_clock_took_is_free(world: World) -> None:
    world.deliverer = world.new_deliverer(limit=2)
    world.clock.turn(hours=24)
    world.bring(lead())
    world.clock.turn(hours=-24)
    assert world.bring(lead("two@example.com"))["outcome"] == "created"
