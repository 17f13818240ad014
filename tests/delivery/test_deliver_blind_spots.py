"""Sequences found by killing: what Wix doesn't show yet, the ledger must know."""

from datetime import timedelta

import pytest

from formapp.delivery.claims import Intent
from tests.support.clock import NOON
from tests.support.leads import EMAIL, PHONE, lead, phone
from tests.support.world import GRACE, World


def test_a_phone_alone_finds_the_contact_that_was_just_made_with_it(world: World) -> None:
    """Neither the query nor Wix's own check sees the contact yet; the ledger knows it."""
    world.site.set(query_delay=30, duplicate_blind_window=30)
    first = world.bring(lead(phones=(phone(),)))
    second = world.bring(lead(None, phones=(phone(),), company="Barco"))
    assert second["contact_id"] == first["contact_id"]
    assert len(world.site.contacts()) == 1


def test_a_phone_stays_with_whoever_had_it_first(world: World) -> None:
    alone = world.bring(lead(None, phones=(phone(),)))
    other = world.bring(lead(EMAIL, phones=(phone(),)))
    again = world.bring(lead(None, phones=(phone(typed="020 7946 0018"),)))
    assert other["contact_id"] != alone["contact_id"]
    assert again["contact_id"] == alone["contact_id"]
    assert PHONE in {
        item["e164Phone"] for item in world.site.contacts()[0]["info"]["phones"]["items"]
    }


def test_a_contact_found_only_after_a_repeated_create_is_still_called_created(
    world: World,
) -> None:
    """The first create was applied unseen; the second one is refused, and its answer is lost."""
    world.site.set(query_delay=250)
    world.site.fault("cut_after", "createContact", times=1)
    submission_id = world.keep(lead())
    world.drain()
    world.site.fault("cut_after", "createContact", times=1)
    world.clock.turn(120)
    world.drain()
    assert world.row(submission_id)["intent"]["first_at"]
    world.clock.turn(200)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1


def test_a_create_of_unknown_outcome_stays_so_when_its_repetition_is_refused(world: World) -> None:
    """The repetition names our own contact, which then can't be read: nothing is known yet."""
    world.site.set(query_delay=250)
    world.site.fault("cut_after", "createContact", times=1)
    submission_id = world.keep(lead())
    world.drain()
    world.site.fault("status", "getContact", times=1)
    world.clock.turn(120)
    world.drain()
    assert world.row(submission_id)["intent"]["operation"] == "create"
    world.clock.turn(120)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1


def test_a_create_noted_by_a_clock_that_was_a_day_ahead_waits_out_its_grace_from_here(
    world: World,
) -> None:
    world.clock.turn(hours=24)
    world.site.fault("cut_after", "createContact", times=1)
    submission_id = world.keep(lead())
    world.drain()
    world.clock.turn(hours=-24)
    world.drain()
    assert world.row(submission_id)["outcome"] is None
    world.clock.turn(GRACE + 1)
    world.drain()
    assert world.row(submission_id)["contact_id"] == world.site.contact()["id"]


def test_a_grace_longer_than_any_wait_is_waited_out_in_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.world.GRACE", 3 * 3600.0)
    world.deliverer = world.new_deliverer()
    world.site.fault("cut_after", "createContact", times=1)
    submission_id = world.keep(lead())
    assert world.drain() == 1
    for seconds in (0, 7200, 3599):
        world.clock.turn(seconds)
        assert world.drain() <= 1
        assert world.row(submission_id)["outcome"] is None
    world.clock.turn(1)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


def test_an_intent_without_a_first_time_can_be_read() -> None:
    """As it was noted before creates had one."""
    kept = {"operation": "create", "at": NOON.isoformat(), "contact_id": None, "revision": None}
    assert Intent.from_json(kept).since == NOON
    repeated = Intent("create", NOON, first_at=NOON - timedelta(minutes=2))
    assert Intent.from_json(repeated.as_json()) == repeated
