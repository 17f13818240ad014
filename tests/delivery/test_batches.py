"""Leads that wait together: one search finds the contacts of all, each is written by itself."""

from collections import Counter
from typing import Any

import pytest

from formapp.db.database import DatabaseUnavailableError
from formapp.delivery import find
from formapp.lead import FILES_OF, Merge
from formapp.leads.statistics import overview
from formapp.wix import duplicates
from tests.support.leads import EMAIL, PHONE, email, field, items, lead, phone
from tests.support.world import World


def keep_many(world: World, count: int, **more: Any) -> list[str]:
    return [world.keep(lead(f"person{number}@example.com", **more)) for number in range(count)]


def held(world: World) -> list[str]:
    """The submissions whose deliveries a worker holds."""
    return [each for each in world.idents if world.row(each)["lease_until"]]


def states(world: World) -> Counter[str]:
    return Counter(world.row(each)["state"] for each in world.idents)


def test_fifty_new_people_cost_fifty_one_calls(both_worlds: World) -> None:
    world = both_worlds
    keep_many(world, 50)
    assert world.deliver() == 50
    assert Counter(world.site.calls()) == {"queryContacts": 1, "createContact": 50}
    assert len(world.site.contacts()) == 50
    assert held(world) == []
    # The search is in the record of the lead that was the first.
    first, *others = (
        [call["operation"] for call in world.attempts(each)[0]["calls"]] for each in world.idents
    )
    assert first == ["queryContacts", "createContact"]
    assert others == [["createContact"]] * 49


def test_a_batch_has_at_most_fifty(world: World) -> None:
    keep_many(world, 53)
    assert [world.deliver(), world.deliver(), world.deliver()] == [50, 3, 0]
    assert Counter(world.site.calls()) == {"queryContacts": 2, "createContact": 53}


def test_one_search_finds_contacts_as_each_leads_own_would(world: World) -> None:
    site = world.site
    upper = site.add(emails=items({"email": "Upper@Example.com"}))
    typed = site.add(emails=items({"email": "plain@example.com"}), company="Old")
    by_phone = site.add(phones=items({"phone": PHONE}))
    shared = site.add(phones=items({"phone": "+442079460020"}))
    nothing_new = site.add(emails=items({"email": EMAIL}))
    expected = {
        # As typed, since Wix's search is exact.
        world.keep(lead(None, email=email("upper@example.com", "Upper@Example.com"))): (
            "unchanged",
            upper["id"],
        ),
        world.keep(lead("plain@example.com", company="New", first_name="Ines")): (
            "updated",
            typed["id"],
        ),
        world.keep(lead(None, phones=(phone(PHONE),), labels=("Call",))): (
            "updated",
            by_phone["id"],
        ),
        world.keep(lead()): ("unchanged", nothing_new["id"]),
    }
    beside = site.add(emails=items({"email": "two@example.com"}))
    flagged = world.keep(lead("two@example.com", phones=(phone("+442079460020"),)))
    new = world.keep(lead("new@example.com"))
    site.forget_calls()
    assert world.deliver() == 6
    for submission_id, outcome in expected.items():
        row = world.row(submission_id)
        assert (row["outcome"], row["contact_id"]) == outcome
    assert world.row(new)["outcome"] == "created"
    row = world.row(flagged)
    assert row["contact_id"] == beside["id"]
    assert row["flags"] == [f"other contacts have this e-mail or phone, too: {shared['id']}"]
    assert site.info_of(typed["id"])["company"] == "Old"
    assert Counter(site.calls())["queryContacts"] == 1


def test_a_name_alone_and_a_write_of_unknown_outcome_are_looked_into_by_themselves(
    world: World,
) -> None:
    world.site.fault("cut_after", "createContact", times=1)
    unknown = world.keep(lead(None, first_name="Grace", phones=(phone(),)))
    world.drain()
    assert world.row(unknown)["intent"]["operation"] == "create"
    world.clock.turn(hours=1)
    world.site.forget_calls()
    name = world.keep(lead(None, first_name="Ines"))
    keep_many(world, 2)
    assert world.deliver() == 4
    assert world.row(unknown)["outcome"] == "created"
    assert world.row(name)["outcome"] == "created"
    # One search for the two others, one for the unknown one.
    assert Counter(world.site.calls()) == {"queryContacts": 2, "createContact": 3}
    assert len(world.site.contacts()) == 4


def test_a_contact_of_an_earlier_lead_is_found_by_its_id(both_worlds: World) -> None:
    world = both_worlds
    keep_many(world, 3)
    world.drain()
    # Its address at Wix is another one now; its second one is still the person's.
    changed = world.row(world.idents[0])["contact_id"]
    both = [{"email": "new@example.com", "primary": True}, {"email": "person0@example.com"}]
    world.site.edit(changed, emails=items(*both))
    world.site.forget_calls()
    again = keep_many(world, 3, company="Northwind")
    world.drain()
    assert {world.row(each)["outcome"] for each in again} == {"updated"}
    assert Counter(world.site.calls()) == {"queryContacts": 1, "updateContact": 3}
    assert len(world.site.contacts()) == 3


def test_a_contact_that_the_search_shows_as_it_was_before_our_write_is_read(
    both_worlds: World,
) -> None:
    """Else a lead that sets a field back would seem to have nothing new."""
    world = both_worlds

    def set_to(budget: str) -> None:
        given = field("Budget", budget, merge=Merge.OVERWRITE)
        keep_many(world, 2, extended_fields=(given,))
        world.drain()

    set_to("small")
    world.clock.turn(120)
    world.site.set(query_delay=60)
    set_to("big")
    world.site.forget_calls()
    set_to("small")
    assert Counter(world.site.calls()) == {
        "queryContacts": 1,
        "getContact": 2,
        "updateContact": 2,
    }
    key = "custom.budget"
    shown = [each["info"]["extendedFields"]["items"][key] for each in world.site.contacts()]
    assert shown == ["small", "small"]


def test_a_contact_that_the_search_does_not_show_yet_is_read(world: World) -> None:
    world.site.set(query_delay=60)
    keep_many(world, 2)
    world.drain()
    world.site.forget_calls()
    keep_many(world, 2)
    world.drain()
    assert Counter(world.site.calls()) == {"queryContacts": 1, "getContact": 2}
    assert len(world.site.contacts()) == 2


def test_a_contact_that_is_gone_or_somebody_elses_is_forgotten_and_found_anew(
    world: World,
) -> None:
    keep_many(world, 3)
    world.drain()
    gone, moved, _ = (world.row(each)["contact_id"] for each in world.idents)
    world.site.delete(gone)
    world.site.edit(moved, emails=items({"email": "moved@example.com"}))
    again = keep_many(world, 3)
    world.drain()
    assert [world.row(each)["outcome"] for each in again] == ["created", "created", "unchanged"]


def test_who_is_not_on_a_full_page_is_searched_for_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MAX_PAGE", 2)
    for number in range(3):
        world.site.add(emails=items({"email": f"person{number}@example.com"}))
    keep_many(world, 4)
    world.site.forget_calls()
    world.drain()
    outcomes = [world.row(each)["outcome"] for each in world.idents]
    assert outcomes == ["unchanged"] * 3 + ["created"]
    assert Counter(world.site.calls()) == {"queryContacts": 3, "createContact": 1}


def test_leads_of_one_person_are_never_in_one_batch_and_keep_their_order(
    both_worlds: World,
) -> None:
    world = both_worlds
    for title in ("first", "second", "third"):
        for number in range(3):
            given = field("Title", f"{title} of {number}", merge=Merge.OVERWRITE)
            world.keep(lead(f"person{number}@example.com", extended_fields=(given,)))
    assert [world.deliver() for _ in range(4)] == [3, 3, 3, 0]
    shown = {
        each["info"]["extendedFields"]["items"]["custom.title"] for each in world.site.contacts()
    }
    assert shown == {f"third of {number}" for number in range(3)}


# Leads and searches that fail


@pytest.mark.parametrize("status", [400, 500])
def test_a_lead_that_wix_refuses_holds_up_none_of_the_others(world: World, status: int) -> None:
    poison = world.keep(lead("poison@example.com"))
    others = keep_many(world, 4)
    world.site.fault("status", "createContact", status=status, times=1)
    assert world.drain() == 5
    row = world.row(poison)
    assert row["state"] == ("failed" if status == 400 else "pending")
    assert {world.row(each)["outcome"] for each in others} == {"created"}


@pytest.mark.parametrize("status", [400, 500, None])
def test_a_search_that_fails_is_made_for_each_lead(world: World, status: int | None) -> None:
    more = {"status": status} if status else {}
    world.site.fault("status" if status else "truncate", "queryContacts", times=1, **more)
    keep_many(world, 3)
    assert world.deliver() == 3
    assert states(world) == {"delivered": 3}
    assert Counter(world.site.calls())["queryContacts"] == 4


def test_a_defect_in_the_search_leaves_each_lead_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError("canary")

    monkeypatch.setattr(find, "_among", wrong)
    keep_many(world, 3)
    assert world.deliver() == 3
    assert states(world) == {"delivered": 3}
    assert "ZeroDivisionError" in caplog.text
    assert "canary" not in caplog.text


def test_a_defect_in_the_links_to_files_holds_up_none_of_the_others(world: World) -> None:
    poison = world.keep(lead(extended_fields=(field("Files", f"{FILES_OF}photos"),)))
    others = keep_many(world, 4)

    def wrong(*_: object) -> None:
        raise ZeroDivisionError("canary")

    world.deliverer._file_link = wrong
    assert world.deliver() == 5
    assert world.row(poison)["reason"] == "a defect of formapp: ZeroDivisionError"
    assert {world.row(each)["outcome"] for each in others} == {"created"}


def test_a_filter_that_wix_refuses_makes_smaller_batches_for_a_while(world: World) -> None:
    keep_many(world, 50 + 25 + 26 + 2)
    world.site.fault("status", "queryContacts", status=400, times=1)
    assert [world.deliver() for _ in range(4)] == [50, 25, 26, 2]
    assert states(world) == {"delivered": 103}


# What ends a batch: all that is held is given back


@pytest.mark.parametrize("operation", ["queryContacts", "createContact"])
@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_of_all_calls_gives_the_whole_batch_back(
    both_worlds: World, status: int, operation: str
) -> None:
    world = both_worlds
    keep_many(world, 5)
    world.site.fault("status", operation, status=status)
    assert world.deliver() == 1
    assert states(world) == {"pending": 5}
    assert held(world) == []
    assert sum(world.row(each)["attempts"] for each in world.idents) == 0
    assert world.pause()["paused_until"] > world.clock()
    assert world.deliver() == 0
    # No search in vain after the refused one.
    assert Counter(world.site.calls())["queryContacts"] == 1


@pytest.mark.parametrize("fault", [("status", {"status": 503}), ("cut_before", {})])
def test_an_outage_gives_the_others_back_and_spends_no_attempt_of_theirs(
    both_worlds: World, fault: tuple[str, dict[str, Any]]
) -> None:
    world, (kind, more) = both_worlds, fault
    keep_many(world, 5)
    world.site.fault(kind, "createContact", times=1, **more)
    assert world.deliver() == 1
    assert held(world) == []
    assert sorted(world.row(each)["attempts"] for each in world.idents) == [0, 0, 0, 0, 1]
    assert world.drain() == 4


@pytest.mark.parametrize("operation", ["queryContacts", "createContact"])
def test_a_worker_that_is_to_end_gives_its_batch_back(both_worlds: World, operation: str) -> None:
    world = both_worlds
    keep_many(world, 5)
    world.once(operation, world.deliverer.interrupt)
    assert world.deliver() == 1
    assert held(world) == []
    assert states(world)["pending"] == (5 if operation == "queryContacts" else 4)
    world.deliverer = world.new_deliverer()
    world.drain()
    assert states(world) == {"delivered": 5}


def test_a_spent_budget_gives_the_batch_back(both_worlds: World) -> None:
    world = both_worlds
    world.deliverer = world.new_deliverer(limit=6)
    keep_many(world, 9)
    assert world.deliver() == 5
    assert world.deliver() == 1
    assert held(world) == []
    assert states(world) == {"delivered": 5, "pending": 4}
    assert len(world.site.calls()) == 6
    world.clock.turn(61)
    world.drain()
    assert states(world) == {"delivered": 9}
    assert len(world.site.calls()) == 11


def fill_window(world: World) -> None:
    """Use up a budget of 20 calls within 6 seconds, and keep leads 5 seconds before it is free."""
    world.deliverer = world.new_deliverer(limit=20)
    world.before["createContact"] = lambda: world.clock.turn(0.3)
    keep_many(world, 19)
    assert world.deliver() == 19
    world.clock.turn(56 - 19 * 0.3)
    for number in range(15):
        world.keep(lead(f"later{number}@example.com"))
    world.site.forget_calls()


def test_a_batch_waits_a_moment_for_room(world: World) -> None:
    """The window frees call by call: given back each time, a batch would be searched for anew."""
    fill_window(world)
    assert world.deliver() == 15
    assert states(world) == {"delivered": 34}
    assert Counter(world.site.calls()) == {"queryContacts": 1, "createContact": 15}


def test_a_worker_that_is_to_end_does_not_wait_for_room(world: World) -> None:
    fill_window(world)
    deliverer = world.deliverer
    vars(deliverer)["_wait"] = lambda *_: deliverer.interrupt()
    assert world.deliver() == 1
    assert world.site.calls() == held(world) == []
    assert states(world) == {"delivered": 19, "pending": 15}


def test_a_slow_batch_gives_the_rest_back_and_the_next_one_is_smaller(world: World) -> None:
    sizes: list[int] = []
    world.before["queryContacts"] = lambda: sizes.append(len(held(world)))
    world.before["createContact"] = lambda: world.clock.turn(6)
    keep_many(world, 60)
    assert world.deliver() == 4
    assert held(world) == []
    assert world.deliver() == 4
    del world.before["createContact"]
    world.drain()
    assert states(world) == {"delivered": 60}
    assert sizes == [50, 25, 12, 13, 14, 13]


@pytest.mark.parametrize("step", ["deliver.intend", "results.finish"])
def test_a_database_that_goes_away_keeps_no_lead_of_the_batch_waiting_for_its_lease(
    both_worlds: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    world = both_worlds
    keep_many(world, 4)

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("refused")

    with monkeypatch.context() as patch:
        patch.setattr(f"formapp.delivery.{step}", away)
        with pytest.raises(DatabaseUnavailableError):
            world.deliver()
    assert len(held(world)) == 4
    world.drain()
    assert held(world) == []
    # A create that was sent waits out its grace period.
    assert states(world)["delivered"] == (4 if step == "deliver.intend" else 3)
    world.clock.turn(61)
    world.drain()
    assert states(world) == {"delivered": 4}
    assert len(world.site.contacts()) == 4


def test_calls_per_lead_count_a_search_once(world: World) -> None:
    keep_many(world, 10)
    world.drain()
    world.clock.turn(1)
    found = overview(world.database, None, world.clock())
    assert found.calls_per_lead == pytest.approx(1.1)
