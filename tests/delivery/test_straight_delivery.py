"""A delivery passes few modules, so that a reader can follow it."""

import sys
from types import FrameType

import pytest

from formapp.jobs.worker import Worker
from tests.support.leads import EMAIL, field, items, lead
from tests.support.world import World

MOST = 18
GIVEN = {"labels": ("Lead",), "extended_fields": (field("Budget", "small"),)}


def modules_of(worker: Worker, leads: int = 1) -> set[str]:
    """The modules of formapp whose functions run while the worker delivers so many leads."""
    seen: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.startswith("formapp.") and "sandbox" not in name:
            seen.add(name)

    sys.setprofile(note)
    try:
        assert worker.drain() == leads
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize("known", [False, True])
def test_a_delivery_passes_at_most_18_modules(world: World, *, known: bool) -> None:
    world.bring(lead("first@example.com", **GIVEN))
    if known:
        world.site.add(emails=items({"email": EMAIL}))
    submission_id = world.keep(lead(company="Northwind", **GIVEN))
    modules = modules_of(Worker(world.deliverer.deliver_next))
    assert world.row(submission_id)["outcome"] == ("updated" if known else "created")
    assert len(modules) <= MOST, sorted(modules)


def test_so_does_a_batch(world: World) -> None:
    world.bring(lead("first@example.com", **GIVEN))
    for number in range(3):
        world.keep(lead(f"{number}@example.com", **GIVEN))
    modules = modules_of(Worker(world.deliverer.deliver_next), 3)
    assert world.site.calls()[-4:] == ["queryContacts", *["createContact"] * 3]
    assert len(modules) <= MOST, sorted(modules)
