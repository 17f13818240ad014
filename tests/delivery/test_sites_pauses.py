"""A site's lane: what pauses it, what that costs, and how it opens again."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from formapp.delivery.claims import release
from formapp.delivery.sites import Pauses
from tests.support.claiming import claim_next
from tests.support.clock import NOON
from tests.support.leads import SITE, lead
from tests.support.world import World

LIMITED: dict[str, Any] = {"kind": "status", "status": 429}
REFUSALS = pytest.mark.parametrize("credentials", ["unauthenticated", "forbidden"])


def two(world: World) -> tuple[str, str]:
    return world.keep(lead("one@example.com")), world.keep(lead("two@example.com"))


@pytest.mark.parametrize("operation", ["queryContacts", "createContact"])
def test_a_429_pauses_the_site_as_long_as_it_says_and_spends_no_attempt(
    both_worlds: World, operation: str
) -> None:
    world = both_worlds
    first, second = two(world)
    world.site.fault(**LIMITED, operation=operation, times=1, retry_after=17)
    assert world.drain() == 1
    assert world.pause()["paused_until"] == world.clock() + timedelta(seconds=17)
    row = world.row(first)
    assert (row["state"], row["attempts"], row["intent"]) == ("pending", 0, None)
    assert world.attempts(first)[0]["result"] == "paused"
    assert world.attempts(second) == []
    world.clock.turn(16.9)
    assert world.drain() == 0
    world.clock.turn(0.1)
    assert world.drain() == 2
    assert world.row(first)["attempts"] == 1
    assert (world.pause()["failures"], world.pause()["paused_until"]) == (0, None)


def test_behind_a_paused_lane_no_worker_takes_the_lock_that_posts_need(world: World) -> None:
    world.keep(lead())
    world.site.fault(**LIMITED, times=1, retry_after=17)
    assert world.drain() == 1
    with world.database.write():
        assert not world.deliver()
    world.clock.turn(17)
    assert world.deliver()


def test_a_pause_that_a_wrong_clock_noted_holds_nothing_up(both_worlds: World) -> None:
    world = both_worlds
    submission_id = world.keep(lead())
    Pauses(world.database).pause(SITE, world.clock() + timedelta(days=1), "a clock was ahead")
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


def test_429s_in_a_row_pause_longer_and_longer_and_nothing_fails(world: World) -> None:
    submission_id = world.keep(lead())
    world.site.fault(**LIMITED)
    for pause in (1, 2, 4, 8, 16, 32, 60, 60, 60):
        assert world.drain() == 1
        assert world.pause()["paused_until"] - world.clock() == timedelta(seconds=pause)
        world.clock.turn(pause)
    assert (world.row(submission_id)["state"], world.row(submission_id)["attempts"]) == (
        "pending",
        0,
    )
    world.site.mend()
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


@REFUSALS
def test_refused_credentials_pause_the_site_and_the_owner_is_told(
    world: World, credentials: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = two(world)
    world.site.set(credentials=credentials)
    for _ in range(24):
        world.drain()
        world.clock.turn(hours=8)
    for submission_id in (first, second):
        assert (world.row(submission_id)["state"], world.row(submission_id)["attempts"]) == (
            "pending",
            0,
        )
    told = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert told
    assert f"site {SITE} is paused" in told[0].getMessage()
    world.site.set(credentials="accepted")
    caplog.set_level(logging.WARNING)
    world.clock.turn(300)
    world.drain()
    assert {world.row(submission_id)["state"] for submission_id in (first, second)} == {"delivered"}
    assert f"site {SITE} takes leads again" in caplog.text


def test_weeks_behind_a_paused_lane_use_up_no_patience(world: World) -> None:
    """A lead that waited for the owner has a right to 72 hours of tries, like any other."""
    submission_id = world.keep(lead())
    world.site.set(credentials="unauthenticated")
    world.drain()
    world.clock.turn(hours=24 * 14)
    world.site.set(credentials="accepted")
    world.site.fault("status", status=503, times=1)
    world.drain()
    assert (world.row(submission_id)["state"], world.row(submission_id)["attempts"]) == (
        "pending",
        1,
    )
    world.clock.turn(60)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


def test_one_sites_pause_is_not_anothers(world: World) -> None:
    pauses = Pauses(world.database)
    pauses.pause("another", NOON + timedelta(hours=1), "why")
    world.bring(lead())
    assert len(world.site.contacts()) == 1
    assert pauses.paused(NOON) == {"another": (NOON + timedelta(hours=1), "why")}


def test_a_shorter_pause_does_not_end_a_longer_one(world: World) -> None:
    pauses = Pauses(world.database)
    pauses.pause(SITE, NOON + timedelta(seconds=120), "long")
    pauses.pause(SITE, NOON + timedelta(seconds=2), "short")
    assert pauses.paused(NOON) == {SITE: (NOON + timedelta(seconds=120), "long")}
    assert pauses.failures(SITE) == 2
    pauses.pause(SITE, NOON + timedelta(seconds=180), "longer", failure=False)
    assert pauses.paused(NOON) == {SITE: (NOON + timedelta(seconds=180), "longer")}
    assert pauses.failures(SITE) == 2


def test_what_was_under_way_before_a_pause_does_not_end_it(world: World) -> None:
    """It proves nothing of what Wix takes since."""
    submission_id = world.keep(lead())
    until = world.clock() + timedelta(seconds=60)
    world.once("createContact", lambda: Pauses(world.database).pause(SITE, until, "429 elsewhere"))
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert world.pause()["paused_until"] == until
    assert world.pause()["failures"] == 1


@pytest.mark.parametrize("hours", [24, -24])
def test_a_clock_that_was_wrong_by_a_day_and_is_put_right_stops_nothing(
    both_worlds: World, hours: float
) -> None:
    world = both_worlds
    world.clock.turn(hours=hours)
    waiting, tried, held = (world.keep(lead(f"{name}@example.com")) for name in "wth")
    world.change(tried, due_at=world.clock() + timedelta(minutes=30), attempts=3)
    world.change(held, lease_until=world.clock() + timedelta(seconds=90))
    Pauses(world.database).pause(SITE, world.clock() + timedelta(minutes=5), "429")
    world.clock.turn(hours=-hours)
    assert world.drain() == 3
    states = {world.row(submission_id)["state"] for submission_id in (waiting, tried, held)}
    assert states == {"delivered"}
    Pauses(world.database).pause(SITE, world.clock() + timedelta(minutes=5), "429")
    assert claim_next(world.database, [SITE], world.clock()) is None


def test_a_claim_that_is_let_go_is_due_at_once(both_worlds: World) -> None:
    both_worlds.keep(lead())
    claim: Any = claim_next(both_worlds.database, [SITE], both_worlds.clock())
    release(both_worlds.database, [claim])
    again = claim_next(both_worlds.database, [SITE], both_worlds.clock())
    assert again is not None
    assert again.fence == claim.fence + 1
