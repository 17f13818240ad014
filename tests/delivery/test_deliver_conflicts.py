"""Somebody else edits the contact between our reading and our writing."""

import itertools

import pytest

from formapp.delivery.deliver import ROUNDS
from formapp.lead import Merge
from tests.support.leads import EMAIL, items, lead, phone, text
from tests.support.world import World


def test_an_edit_in_between_is_kept_and_the_lead_is_applied_to_it(world: World) -> None:
    held = world.site.add(emails=items({"email": EMAIL}))
    world.once("updateContact", lambda: world.site.edit(held["id"], company="Theirs"))
    row = world.bring(lead(company="Ours", job_title="Buyer"))
    assert world.site.calls() == ["queryContacts", "updateContact", "getContact", "updateContact"]
    assert (row["outcome"], row["attempts"]) == ("updated", 1)
    info = world.site.info()
    assert (info["company"], info["jobTitle"]) == ("Theirs", "Buyer")


def test_an_edit_in_between_that_leaves_nothing_to_do_ends_unchanged(world: World) -> None:
    held = world.site.add(emails=items({"email": EMAIL}))
    world.once("updateContact", lambda: world.site.edit(held["id"], company="Theirs"))
    row = world.bring(lead(company="Ours"))
    assert world.site.calls() == ["queryContacts", "updateContact", "getContact"]
    assert row["outcome"] == "unchanged"
    assert world.site.contact()["revision"] == 2


def test_phones_labels_and_fields_that_others_added_in_between_are_kept(world: World) -> None:
    theirs, note = world.site.label("Theirs"), world.site.field("Note")
    held = world.site.add(emails=items({"email": EMAIL}), phones=items({"phone": "111 111"}))
    edits = {
        "phones": items({"phone": "111 111"}, {"phone": "222 222"}),
        "labelKeys": items(theirs),
        "extendedFields": {"items": {note: "theirs"}},
    }
    world.once("updateContact", lambda: world.site.edit(held["id"], **edits))
    world.bring(lead(phones=(phone(merge=Merge.APPEND),), labels=("Ours",)))
    info = world.site.info()
    assert [each["phone"] for each in info["phones"]["items"]] == [
        "111 111",
        "222 222",
        "+442079460018",
    ]
    assert info["labelKeys"]["items"] == [theirs, "custom.ours"]
    assert info["extendedFields"]["items"][note] == "theirs"


def test_after_five_lost_rounds_the_delivery_is_put_back_and_an_attempt_is_spent(
    world: World,
) -> None:
    held = world.site.add(emails=items({"email": EMAIL}))
    count = itertools.count()
    world.before["updateContact"] = lambda: world.site.edit(
        held["id"], jobTitle=f"edit {next(count)}"
    )
    submission_id = world.keep(lead(company="Ours"))
    world.deliver()
    row = world.row(submission_id)
    assert (row["state"], row["attempts"], row["intent"]) == ("pending", 1, None)
    assert world.site.calls().count("updateContact") == ROUNDS == 5
    assert world.attempts(submission_id)[0]["code"] == "CONTACT_ALREADY_CHANGED"
    assert world.drain() == 0
    del world.before["updateContact"]
    world.clock.turn(1)
    world.drain()
    assert world.row(submission_id)["outcome"] == "updated"
    info = world.site.info()
    assert (info["company"], info["jobTitle"]) == ("Ours", "edit 4")


@pytest.mark.parametrize("merge", list(Merge))
def test_a_name_that_others_set_in_between_stays_unless_the_field_overwrites(
    world: World, merge: Merge
) -> None:
    held = world.site.add(emails=items({"email": EMAIL}))
    theirs = {"first": "Theirs", "last": "Name"}
    world.once("updateContact", lambda: world.site.edit(held["id"], name=theirs))
    world.bring(lead(first_name=text("Ours", merge)))
    name = world.site.info()["name"]
    assert name == (theirs | {"first": "Ours"} if merge is Merge.OVERWRITE else theirs)


def test_a_contact_that_joins_the_site_in_between_keeps_its_personal_fields(world: World) -> None:
    held = world.site.add(emails=items({"email": EMAIL}))

    def join() -> None:
        world.site.make_member(held["id"])
        world.site.edit(held["id"], locale="en")

    world.once("updateContact", join)
    world.bring(lead(company="Ours", labels=("Lead",)))
    info = world.site.info()
    assert "company" not in info
    assert info["labelKeys"]["items"] == ["custom.lead"]
