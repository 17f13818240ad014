"""The intent is in the database before the call is sent, and gone once its outcome is known."""

from datetime import timedelta
from typing import Any

import pytest

from formapp.delivery.claims import LEASE, Intent
from tests.support.claiming import claim_next
from tests.support.leads import EMAIL, SITE, items, lead
from tests.support.world import World


def seen_before(world: World, operation: str, submission_id: str) -> list[dict[str, Any]]:
    """The delivery as it is in the database when the call goes out."""
    rows: list[dict[str, Any]] = []
    world.before[operation] = lambda: rows.append(world.row(submission_id))
    return rows


def test_a_create_is_noted_before_it_is_sent(both_worlds: World) -> None:
    world = both_worlds
    submission_id = world.keep(lead())
    rows = seen_before(world, "createContact", submission_id)
    asked = seen_before(world, "queryContacts", submission_id)
    world.drain()
    assert asked[0]["intent"] is None
    assert Intent.from_json(rows[0]["intent"]) == Intent("create", world.clock())
    assert world.row(submission_id)["intent"] is None


def test_an_update_is_noted_with_its_target_and_revision(both_worlds: World) -> None:
    world = both_worlds
    held = world.site.add(emails=items({"email": EMAIL}))
    submission_id = world.keep(lead(company="Barco"))
    rows = seen_before(world, "updateContact", submission_id)
    world.drain()
    noted = Intent.from_json(rows[0]["intent"])
    assert noted == Intent("update", world.clock(), held["id"], held["revision"])
    assert Intent.from_json(noted.as_json()) == noted
    assert world.row(submission_id)["intent"] is None


def test_each_round_notes_the_revision_that_it_sends(world: World) -> None:
    held = world.site.add(emails=items({"email": EMAIL}))
    submission_id = world.keep(lead(company="Barco"))
    revisions: list[int] = []

    def note() -> None:
        revisions.append(world.row(submission_id)["intent"]["revision"])
        if len(revisions) < 3:
            world.site.edit(held["id"], jobTitle=f"edit {len(revisions)}")

    world.before["updateContact"] = note
    world.drain()
    assert revisions == [1, 2, 3]


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_a_call_that_was_refused_leaves_no_intent(world: World, status: int) -> None:
    submission_id = world.keep(lead())
    world.site.fault("status", "createContact", status=status, times=1)
    world.deliver()
    assert world.row(submission_id)["intent"] is None


def test_an_intent_stays_through_attempts_that_learn_nothing(world: World) -> None:
    submission_id = world.keep(lead())
    world.site.fault("cut_after", "createContact", times=1)
    world.deliver()
    noted = world.row(submission_id)["intent"]
    world.site.fault("status", "queryContacts", status=500, times=1)
    world.clock.turn(60)
    world.deliver()
    assert world.row(submission_id)["intent"] == noted
    world.clock.turn(60)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


def test_an_intent_renews_the_lease(world: World) -> None:
    submission_id = world.keep(lead())
    rows = seen_before(world, "createContact", submission_id)
    world.once("queryContacts", lambda: world.clock.turn(60))
    world.drain()
    assert rows[0]["lease_until"] == world.clock() + LEASE


def test_a_worker_whose_lease_has_ended_sends_nothing(both_worlds: World) -> None:
    """Somebody may work for the same person by then, with another delivery."""
    world = both_worlds
    submission_id = world.keep(lead())
    world.once("queryContacts", lambda: world.clock.turn(LEASE.total_seconds()))
    assert world.deliver()
    assert world.site.calls() == ["queryContacts"]
    row = world.row(submission_id)
    assert (row["state"], row["attempts"], row["intent"]) == ("pending", 0, None)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


def test_a_worker_that_was_overtaken_sends_nothing_and_writes_nothing(both_worlds: World) -> None:
    world = both_worlds
    submission_id = world.keep(lead())
    later = world.clock() + LEASE + timedelta(seconds=1)
    world.once("queryContacts", lambda: claim_next(world.database, [SITE], later))
    assert world.deliver()
    assert world.site.calls() == ["queryContacts"]
    row = world.row(submission_id)
    assert (row["fence"], row["attempts"], row["state"]) == (2, 0, "pending")
    assert world.attempts(submission_id) == []


def test_a_worker_that_was_overtaken_during_the_call_leaves_the_outcome_to_the_other(
    both_worlds: World,
) -> None:
    world = both_worlds
    submission_id = world.keep(lead())
    later = world.clock() + 2 * LEASE
    world.once("createContact", lambda: claim_next(world.database, [SITE], later))
    assert world.deliver()
    assert len(world.site.contacts()) == 1
    row = world.row(submission_id)
    assert (row["state"], row["fence"]) == ("pending", 2)
    assert row["intent"]["operation"] == "create"
    world.clock.turn(3 * LEASE.total_seconds())
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1
