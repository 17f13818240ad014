"""Sequences in which a second contact could arise, or the wrong one be changed."""

from typing import Any

import pytest
from sqlalchemy import delete

from formapp.db.tables import contacts
from formapp.delivery.deliver import MATCHED_BY_PHONE
from formapp.lead import Lead, Merge
from tests.support.leads import EMAIL, PHONE, email, field, items, lead, phone, text
from tests.support.world import World

CONFLICT = {"status": 409, "code": "DUPLICATE_CONTACT_EXISTS"}


def test_a_contact_that_the_query_cannot_see_yet_is_not_made_again(world: World) -> None:
    world.site.set(query_delay=30)
    held = world.site.add(emails=items({"email": EMAIL}))
    row = world.bring(lead(first_name="Ines"))
    assert world.site.calls() == ["queryContacts", "createContact", "getContact", "updateContact"]
    assert (row["outcome"], row["contact_id"]) == ("updated", held["id"])
    assert world.site.info()["name"] == {"first": "Ines"}


@pytest.mark.parametrize("stored", ["INES.Okafor@Example.COM", "Ines.okafor@example.com"])
def test_an_email_in_another_spelling_is_the_same_person(world: World, stored: str) -> None:
    held = world.site.add(emails=items({"email": stored}))
    row = world.bring(lead(company="Barco"))
    assert (row["outcome"], row["contact_id"]) == ("updated", held["id"])
    assert world.site.info()["emails"]["items"][0]["email"] == stored
    world.site.forget_calls()
    assert world.bring(lead())["outcome"] == "unchanged"
    assert world.site.calls() == ["getContact"]


def test_an_email_is_found_as_it_was_typed(world: World) -> None:
    world.site.add(emails=items({"email": "INES.Okafor@example.com"}))
    typed = email(EMAIL, typed="INES.Okafor@example.com")
    assert world.bring(lead(email=typed))["outcome"] == "unchanged"
    assert world.site.calls() == ["queryContacts"]


def test_a_contact_that_wix_names_counts_though_we_would_tell_the_two_apart(world: World) -> None:
    """Wix's word is the authority: its comparison may be looser than ours (11.3, 7)."""
    held = world.site.add(emails=items({"email": "strasse@example.com"}))
    world.once("updateContact", lambda: world.site.edit(held["id"], company="Theirs"))
    row = world.bring(lead("stra\u00dfe@example.com", company="Ours", job_title="Buyer"))
    assert (row["outcome"], row["contact_id"]) == ("updated", held["id"])
    info = world.site.info()
    assert (info["company"], info["jobTitle"]) == ("Theirs", "Buyer")
    assert world.bring(lead("stra\u00dfe@example.com"))["outcome"] == "unchanged"


PHONES: list[dict[str, Any]] = [
    {"phone": PHONE},
    {"phone": "020 7946 0018", "countryCode": "GB"},
    {"phone": "(020) 7946-0018", "countryCode": "GB"},
    {"phone": "+44 (20) 7946 0018"},
]


@pytest.mark.parametrize("stored", PHONES)
def test_a_phone_in_another_spelling_is_the_same_person_but_a_weak_match(
    world: World, stored: dict[str, Any]
) -> None:
    held = world.site.add(phones=items(stored))
    given = lead(
        None,
        first_name=text("Bob", Merge.OVERWRITE),
        phones=(phone(typed="020 7946 0018"),),
        labels=("Lead",),
        extended_fields=(field("Budget", "small"),),
    )
    for outcome in ("updated", "unchanged"):
        row = world.bring(given)
        assert (row["outcome"], row["contact_id"]) == (outcome, held["id"])
        assert row["flags"] == [MATCHED_BY_PHONE]
    info = world.site.info()
    assert "name" not in info
    assert info["labelKeys"]["items"] == ["custom.lead"]
    assert info["extendedFields"]["items"]["custom.budget"] == "small"


def _at_the_switchboard(extension: str, **parts: Any) -> Lead:
    typed = f"020 7946 0018 x{extension}" if extension else "020 7946 0018"
    given = phone(typed=typed, extension=extension)
    return lead(None, phones=(given,), **parts)


def test_two_people_at_one_switchboard_stay_two(world: World) -> None:
    people = {"11": "Ann", "12": "Bob", "": "Cy"}
    ids = {}
    for extension, name in people.items():
        row = world.bring(_at_the_switchboard(extension, first_name=name))
        assert row["outcome"] == "created"
        ids[extension] = row["contact_id"]
    for forget in (False, True):
        for extension in people:
            if forget:
                with world.database.write() as connection:
                    connection.execute(delete(contacts))
            row = world.bring(_at_the_switchboard(extension))
            assert (row["outcome"], row["contact_id"]) == ("unchanged", ids[extension])
    numbers = {}
    for contact in world.site.contacts():
        [item] = contact["info"]["phones"]["items"]
        numbers[contact["info"]["name"]["first"]] = (item["phone"], item.get("e164Phone"))
    assert numbers == {
        "Ann": (f"{PHONE} ext. 11", None),
        "Bob": (f"{PHONE} ext. 12", None),
        "Cy": (PHONE, PHONE),
    }


@pytest.mark.parametrize(
    "stored", [{"phone": "020 7946 0018 x11"}, {"phone": "+44 (20) 7946 0018 ext 11"}]
)
def test_an_extension_is_found_in_another_spelling(world: World, stored: dict[str, Any]) -> None:
    held = world.site.add(phones=items(stored))
    row = world.bring(_at_the_switchboard("11"))
    assert row["contact_id"] == held["id"]
    assert world.bring(_at_the_switchboard("12"))["outcome"] == "created"


def test_a_new_phone_makes_a_contact_with_all_personal_fields(world: World) -> None:
    row = world.bring(lead(None, first_name="Bob", phones=(phone(),)))
    assert (row["outcome"], row["flags"]) == ("created", [])
    assert world.site.info()["name"] == {"first": "Bob"}


def test_email_and_phone_of_two_contacts_go_to_the_emails_and_are_flagged(world: World) -> None:
    mine = world.site.add(emails=items({"email": EMAIL}))
    other = world.site.add(phones=items({"phone": PHONE}))
    row = world.bring(lead(first_name="Ines", phones=(phone(),)))
    assert (row["outcome"], row["contact_id"]) == ("updated", mine["id"])
    assert len(row["flags"]) == 1
    assert other["id"] in row["flags"][0]
    contacts = {contact["id"]: contact for contact in world.site.contacts()}
    assert contacts[other["id"]] == other


def test_a_shared_phone_never_attaches_an_email_to_somebody_else(world: World) -> None:
    other = world.site.add(name={"first": "Bob"}, phones=items({"phone": PHONE}))
    row = world.bring(lead(first_name="Ines", phones=(phone(),)))
    assert row["outcome"] == "created"
    assert other in world.site.contacts()


def test_of_several_contacts_with_the_email_the_oldest_is_taken_and_the_rest_named(
    world: World,
) -> None:
    oldest = world.site.add(emails=items({"email": EMAIL}))
    world.clock.turn(1)
    other = world.site.add(emails=items({"email": EMAIL}))
    row = world.bring(lead(first_name="Ines"))
    assert row["contact_id"] == oldest["id"]
    assert other["id"] in row["flags"][0]


def test_a_remembered_contact_that_was_deleted_is_forgotten_and_found_anew(world: World) -> None:
    first = world.bring(lead())["contact_id"]
    world.site.delete(first)
    world.site.forget_calls()
    row = world.bring(lead(first_name="Ines"))
    assert world.site.calls() == ["getContact", "queryContacts", "createContact"]
    assert row["outcome"] == "created"
    assert row["contact_id"] == world.site.contact()["id"] != first


def test_a_remembered_contact_that_was_merged_away_leads_to_the_survivor(world: World) -> None:
    first = world.bring(lead())["contact_id"]
    survivor = world.site.add(emails=items({"email": "kept@example.com"}), company="Kept")
    world.site.merge(first, survivor)
    world.site.forget_calls()
    for outcome in ("updated", "unchanged"):
        row = world.bring(lead(first_name="Ines", company="Given"))
        assert (row["outcome"], row["contact_id"]) == (outcome, survivor["id"])
    assert world.site.calls() == ["getContact", "updateContact", "getContact"]
    assert world.site.info()["company"] == "Kept"


def test_a_remembered_contact_that_became_somebody_else_is_left_alone(world: World) -> None:
    first = world.bring(lead())["contact_id"]
    other = world.site.edit(first, emails=items({"email": "bob@example.com"}))
    row = world.bring(lead(first_name="Ines"))
    assert row["outcome"] == "created"
    assert row["contact_id"] != first
    assert other in world.site.contacts()


def test_a_contact_that_vanishes_between_reading_and_writing_is_made_anew(world: World) -> None:
    first = world.bring(lead())["contact_id"]
    world.once("updateContact", lambda: world.site.delete(first))
    row = world.bring(lead(first_name="Ines"))
    assert row["outcome"] == "created"
    assert world.site.info()["name"] == {"first": "Ines"}
    assert row["contact_id"] == world.site.contact()["id"]


def test_a_contact_that_the_409_names_and_that_is_gone_by_then_is_looked_for_again(
    world: World,
) -> None:
    held = world.site.add(emails=items({"email": EMAIL.upper()}))
    world.once("getContact", lambda: world.site.delete(held["id"]))
    submission_id = world.keep(lead())
    world.deliver()
    assert world.row(submission_id)["state"] == "pending"
    world.clock.turn(1)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1


def test_a_409_that_names_nobody_is_tried_again_and_never_forced(world: World) -> None:
    world.site.fault("status", "createContact", times=3, **CONFLICT)
    submission_id = world.keep(lead())
    for attempts in (1, 2, 3):
        world.deliver()
        assert (world.row(submission_id)["state"], world.row(submission_id)["attempts"]) == (
            "pending",
            attempts,
        )
        world.clock.turn(8)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1


def test_an_update_that_would_take_anothers_phone_saves_the_rest_and_is_flagged(
    world: World,
) -> None:
    world.site.add(emails=items({"email": EMAIL}))
    world.site.fault("status", "updateContact", times=1, **CONFLICT)
    row = world.bring(lead(first_name="Ines", phones=(phone(),)))
    assert row["outcome"] == "updated"
    assert "another contact's" in row["flags"][0]
    info = world.site.info()
    assert info["name"] == {"first": "Ines"}
    assert "phones" not in info


def test_an_update_by_phone_that_would_take_anothers_number_names_that_contact(
    world: World,
) -> None:
    """A contact without e-mail is compared by its phone, once that would change."""
    mine = world.site.add(name={"first": "Ines"}, emails=items({"email": EMAIL}))
    other = world.site.add(phones=items({"phone": PHONE}))
    first = world.bring(lead())
    assert first["contact_id"] == mine["id"]
    row = world.bring(lead(phones=(phone(),), company="Barco"))
    assert row["contact_id"] == mine["id"]
    assert world.site.info_of(mine["id"])["company"] == "Barco"
    assert world.site.info_of(other["id"]) == other["info"]


def test_two_leads_of_one_person_at_once_make_one_contact(world: World) -> None:
    """The second waits for the first, whatever the query shows."""
    world.site.set(query_delay=120, duplicate_blind_window=120)
    one, two = world.keep(lead(first_name="Ines")), world.keep(lead(company="Barco"))
    world.drain()
    assert len(world.site.contacts()) == 1
    assert world.row(one)["contact_id"] == world.row(two)["contact_id"]


def test_people_with_a_name_alone_are_never_taken_for_each_other(world: World) -> None:
    for _ in range(2):
        assert world.bring(lead(None, first_name="Ines"))["outcome"] == "created"
    assert len(world.site.contacts()) == 2
    assert world.site.calls() == ["createContact"] * 2
