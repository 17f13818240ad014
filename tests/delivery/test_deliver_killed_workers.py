"""Workers that died in the middle: one contact, nothing lost, the outcome right."""

from typing import Any

import pytest

from formapp.delivery import results
from formapp.delivery.claims import LEASE
from tests.support.leads import EMAIL, PHONE, items, lead, phone
from tests.support.world import World

GIVEN = lead(first_name="Ines", labels=("Lead",))
BY_PHONE = lead(None, first_name="Ines", phones=(phone(),), labels=("Lead",))
BY_NAME = lead(None, first_name="Ines", last_name="Okafor", labels=("Lead",))
PEOPLE = pytest.mark.parametrize(
    "given", [GIVEN, BY_PHONE, BY_NAME], ids=["email", "phone", "name alone"]
)


class Killed(BaseException):
    """Ends a worker on the spot, as kill -9 does: nothing catches it."""


def die(*_: object, **__: object) -> None:
    raise Killed


KILLS = {
    "before the intent": ("formapp.delivery.deliver.intend", None),
    "after the intent": ("formapp.wix.contacts.Contacts.create", None),
    "after the call": ("formapp.delivery.results.finish", None),
    "before putting back": ("formapp.delivery.results.put_back", "cut_after"),
}


@pytest.mark.parametrize("step", KILLS)
@PEOPLE
def test_a_worker_that_dies_leaves_one_contact_and_loses_nothing(
    both_worlds: World, monkeypatch: pytest.MonkeyPatch, step: str, given: Any
) -> None:
    world, (target, fault) = both_worlds, KILLS[step]
    submission_id = world.keep(given)
    if fault:
        world.site.fault(fault, "createContact", times=1)
    with monkeypatch.context() as patch:
        patch.setattr(target, die)
        with pytest.raises(Killed):
            world.deliver()
    world.deliverer = world.new_deliverer()
    assert world.drain() == 0, "the lease holds"
    world.clock.turn(LEASE.total_seconds())
    world.drain()
    row = world.row(submission_id)
    assert (row["state"], row["outcome"]) == ("delivered", "created")
    assert row["contact_id"] == world.site.contact()["id"]


def test_a_worker_that_dies_after_an_update_has_applied_it_once(
    both_worlds: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = both_worlds
    world.site.add(emails=items({"email": EMAIL}), phones=items({"phone": PHONE}))
    submission_id = world.keep(GIVEN)
    with monkeypatch.context() as patch:
        patch.setattr(results, "finish", die)
        with pytest.raises(Killed):
            world.deliver()
    world.clock.turn(LEASE.total_seconds())
    world.deliverer = world.new_deliverer()
    world.drain()
    assert world.row(submission_id)["outcome"] == "updated"
    assert world.site.contact()["revision"] == 2


def test_a_long_grace_period_is_waited_out_after_a_crash_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission_id = world.keep(GIVEN)
    with monkeypatch.context() as patch:
        patch.setattr("formapp.wix.contacts.Contacts.create", die)
        with pytest.raises(Killed):
            world.deliver()
    monkeypatch.setattr("tests.support.world.GRACE", 600.0)
    world.deliverer = world.new_deliverer()
    world.clock.turn(LEASE.total_seconds())
    assert world.deliver()
    assert world.row(submission_id)["attempts"] == 0
    assert world.drain() == 0
    world.clock.turn(600 - LEASE.total_seconds() - 1)
    assert world.drain() == 0
    world.clock.turn(1)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
