"""Time-outs, 5xx and defects: tried for 72 hours, then the owner is told."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from formapp.delivery import deliver
from formapp.delivery.decide import decide
from tests.support.leads import lead
from tests.support.world import World

DOWN: list[dict[str, Any]] = [
    {"kind": "status", "status": 500, "empty_body": True},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 503},
    {"kind": "bad_gateway_html"},
    {"kind": "cut_before"},
    {"kind": "truncate"},
]


@pytest.mark.parametrize("fault", DOWN, ids=[str(kind) for kind in DOWN])
def test_backoff_doubles_and_the_lead_gets_through_in_the_end(
    world: World, fault: dict[str, Any]
) -> None:
    submission_id = world.keep(lead())
    world.site.fault(operation="queryContacts", times=4, **fault)
    for attempts, wait in enumerate((5, 10, 20, 40), 1):
        assert world.drain() == 1
        row = world.row(submission_id)
        assert (row["state"], row["attempts"]) == ("pending", attempts)
        assert row["due_at"] == world.clock() + timedelta(seconds=wait)
        assert row["reason"]
        world.clock.turn(wait - 1)
        assert world.drain() == 0
        world.clock.turn(1)
    world.drain()
    row = world.row(submission_id)
    assert (row["outcome"], row["attempts"], row["reason"]) == ("created", 5, None)
    results = [attempt["result"] for attempt in world.attempts(submission_id)]
    assert results == ["retry"] * 4 + ["delivered"]


def test_a_server_that_cannot_be_reached_is_tried_again(world: World) -> None:
    submission_id = world.keep(lead())
    address, world.site.url = world.site.url, "http://127.0.0.1:9"
    world.deliverer = world.new_deliverer()
    world.deliver()
    assert world.row(submission_id)["state"] == "pending"
    world.site.url = address
    world.deliverer = world.new_deliverer()
    world.clock.turn(5)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


@pytest.mark.slow
def test_after_72_hours_it_fails_and_the_owner_is_told_with_the_reason(
    both_worlds: World, caplog: pytest.LogCaptureFixture
) -> None:
    world = both_worlds
    submission_id = world.keep(lead())
    # Days in the queue before the first try don't count.
    world.clock.turn(hours=100)
    started = world.clock()
    world.site.fault("status", status=503)
    while world.row(submission_id)["state"] == "pending":
        assert world.drain() <= 1
        world.clock.turn(1200)
    row = world.row(submission_id)
    assert row["state"] == "failed"
    waited = row["finished_at"] - started
    assert timedelta(hours=72) <= waited <= timedelta(hours=73, minutes=20)
    assert "503" in row["reason"]
    assert world.attempts(submission_id)[-1]["result"] == "failed"
    assert f"delivery {row['id']} failed, its lead is kept" in caplog.text


def test_a_lead_of_the_same_person_goes_on_once_the_earlier_one_has_failed(world: World) -> None:
    world.site.fault("status", "createContact", status=400, times=1)
    first, second = world.keep(lead()), world.keep(lead(first_name="Ines"))
    world.drain()
    assert world.row(first)["state"] == "failed"
    assert world.row(second)["outcome"] == "created"


def test_a_later_lead_of_another_person_overtakes_one_that_waits(world: World) -> None:
    # The search for both, and the one for the first.
    world.site.fault("status", status=503, times=2)
    first, second = world.keep(lead()), world.keep(lead("two@example.com"))
    world.drain()
    assert world.row(first)["state"] == "pending"
    assert world.row(second)["outcome"] == "created"


def test_a_defect_stops_nobody_else_and_gives_its_text_to_nobody(
    both_worlds: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = both_worlds

    def wrong(given: Any, *rest: Any, **more: Any) -> Any:
        if given.company:
            raise ZeroDivisionError(f"canary {given.company.value}")
        return decide(given, *rest, **more)

    monkeypatch.setattr(deliver, "decide", wrong)
    caplog.set_level(logging.DEBUG, "formapp")
    bad, good = world.keep(lead(company="canary")), world.keep(lead("two@example.com"))
    world.drain()
    assert world.row(good)["outcome"] == "created"
    row = world.row(bad)
    assert (row["state"], row["attempts"]) == ("pending", 1)
    assert row["reason"] == "a defect of formapp: ZeroDivisionError"
    assert world.attempts(bad)[0]["code"] == "ZeroDivisionError"
    assert "canary" not in caplog.text
    monkeypatch.setattr(deliver, "decide", decide)
    world.clock.turn(5)
    world.drain()
    assert world.row(bad)["outcome"] == "created"


def test_a_defect_that_stays_fails_after_72_hours_and_is_not_tried_forever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(deliver, "decide", wrong)
    submission_id = world.keep(lead())
    for _ in range(80):
        world.drain()
        world.clock.turn(hours=1)
    assert world.row(submission_id)["state"] == "failed"
    assert "ZeroDivisionError" in world.row(submission_id)["reason"]


def test_a_defect_keeps_what_is_unknown_of_a_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come after the call: the contact is looked for, not made again."""
    submission_id = world.keep(lead(None, first_name="Ines"))

    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(deliver, "Result", wrong)
        world.deliver()
    assert world.row(submission_id)["intent"]["operation"] == "create"
    world.clock.turn(60)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1
