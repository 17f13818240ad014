"""What a lead costs, and what it leaves at Wix."""

from typing import Any

import pytest

from formapp.lead import Lead, Merge
from formapp.wix import AppToken
from tests.support.leads import (
    EMAIL,
    PHONE,
    SITE,
    address,
    field,
    items,
    keys_of,
    lead,
    phone,
    text,
)
from tests.support.wixsite import SITE_ID, WixSite
from tests.support.world import World


def full(**more: Any) -> Lead:
    return lead(
        **{
            "first_name": "Ines",
            "last_name": "Okafor",
            "company": "Barco Lento",
            "phones": (phone(),),
            "addresses": (address(),),
            "labels": ("Website lead", "Newsletter"),
            "extended_fields": (
                field("Budget", "small"),
                field("Boats", 2, data_type="NUMBER"),
                field("Visit", "2026-04-01", data_type="DATE"),
                field("Page", "example.com", data_type="URL"),
            ),
            **more,
        }
    )


def test_a_new_person_costs_two_calls_once_the_keys_are_known(both_worlds: World) -> None:
    world = both_worlds
    world.bring(full())
    assert world.site.calls() == [
        *["findOrCreateLabel"] * 2,
        *["findOrCreateExtendedField"] * 4,
        "queryContacts",
        "createContact",
    ]
    world.site.forget_calls()
    row = world.bring(full(email=lead("bob@example.com").email, phones=()))
    assert world.site.calls() == ["queryContacts", "createContact"]
    assert (row["outcome"], row["attempts"]) == ("created", 1)


def test_the_keys_are_remembered_by_the_database_not_by_the_worker(both_worlds: World) -> None:
    both_worlds.bring(full())
    both_worlds.site.forget_calls()
    both_worlds.keep(full(email=lead("bob@example.com").email, phones=()))
    assert both_worlds.new_deliverer().deliver_next()
    assert both_worlds.site.calls() == ["queryContacts", "createContact"]


def test_everything_of_a_lead_is_in_the_contact(world: World) -> None:
    row = world.bring(full())
    contact = world.site.contact()
    assert row["contact_id"] == contact["id"]
    info = contact["info"]
    assert info["name"] == {"first": "Ines", "last": "Okafor"}
    assert info["company"] == "Barco Lento"
    assert contact["primaryInfo"] == {"email": EMAIL, "phone": PHONE}
    assert info["phones"]["items"][0]["e164Phone"] == PHONE
    assert info["addresses"]["items"][0]["address"]["addressLine"] == "1 High Street"
    assert sorted(info["labelKeys"]["items"]) == ["custom.newsletter", "custom.website-lead"]
    fields = info["extendedFields"]["items"]
    assert {key: fields[key] for key in fields if key.startswith("custom.")} == {
        "custom.budget": "small",
        "custom.boats": 2,
        "custom.visit": "2026-04-01",
        "custom.page": "https://example.com",
    }


@pytest.mark.parametrize("mode", ["merge", "replace"])
@pytest.mark.parametrize("suffixes", [False, True])
def test_a_known_person_with_news_costs_two_calls_and_keeps_all(
    world: World, mode: str, *, suffixes: bool
) -> None:
    world.site.set(extended_fields=mode, random_key_suffixes=suffixes)
    kept, note = world.site.label("Kept"), world.site.field("Note")
    held = world.site.add(
        name={"first": "Ines"},
        emails=items({"email": EMAIL}, {"email": "second@example.com"}),
        company="Held",
        labelKeys=items(kept),
        extendedFields={"items": {note: "held"}},
    )
    first = world.bring(full())
    assert (first["outcome"], first["contact_id"]) == ("updated", held["id"])
    info = world.site.info()
    assert info["company"] == "Held"
    assert info["name"] == {"first": "Ines", "last": "Okafor"}
    assert [each["email"] for each in info["emails"]["items"]] == [EMAIL, "second@example.com"]
    assert kept in info["labelKeys"]["items"]
    assert len(info["labelKeys"]["items"]) == 3
    assert info["extendedFields"]["items"][note] == "held"
    world.site.forget_calls()
    world.bring(full(job_title="Buyer", extended_fields=(field("Later", "x"),), labels=()))
    # The contact is remembered by now, and one key is new.
    assert world.site.calls() == ["findOrCreateExtendedField", "getContact", "updateContact"]
    fields = world.site.info()["extendedFields"]["items"]
    assert fields[note] == "held"
    assert len([key for key in fields if key.startswith("custom.")]) == 6


def test_a_person_found_for_the_first_time_costs_two_calls(world: World) -> None:
    world.site.add(emails=items({"email": EMAIL}))
    assert world.bring(lead(company="Barco"))["outcome"] == "updated"
    assert world.site.calls() == ["queryContacts", "updateContact"]


@pytest.mark.parametrize("known", [False, True])
def test_a_known_person_with_nothing_new_costs_one_call(world: World, *, known: bool) -> None:
    if known:
        world.bring(full())
    else:
        world.site.add(name={"first": "Ines"}, emails=items({"email": EMAIL}))
    before = world.site.contact()
    world.site.forget_calls()
    row = world.bring(lead(first_name="Ines"))
    assert world.site.calls() == ["getContact" if known else "queryContacts"]
    assert (row["outcome"], row["contact_id"]) == ("unchanged", before["id"])
    assert world.site.contact() == before


def test_the_same_lead_again_changes_nothing(world: World) -> None:
    world.bring(full())
    before = world.site.contact()
    row = world.bring(full())
    assert row["outcome"] == "unchanged"
    assert world.site.contact() == before


def test_leads_of_one_person_are_applied_in_the_order_in_which_they_came(world: World) -> None:
    for company in ("First", "Second"):
        world.keep(lead(company=text(company)))
    world.drain()
    assert world.site.info()["company"] == "First"
    for company in ("Third", "Fourth"):
        world.keep(lead(company=text(company, Merge.OVERWRITE)))
    world.drain()
    assert world.site.info()["company"] == "Fourth"


def test_a_member_keeps_all_personal_fields(world: World) -> None:
    held = world.site.add(emails=items({"email": EMAIL}))
    world.site.make_member(held["id"])
    row = world.bring(full(company=text("Given", Merge.OVERWRITE)))
    assert row["outcome"] == "updated"
    info = world.site.info()
    assert {"name", "company", "phones", "addresses"} & set(info) == set()
    assert len(info["labelKeys"]["items"]) == 2
    assert info["extendedFields"]["items"]["custom.budget"] == "small"


def test_an_app_token_is_asked_for_once(world: World) -> None:
    auth = AppToken("an-app", "a-secret", SITE_ID)
    deliverer = world.new_deliverer(auth=auth)
    for number in range(2):
        world.keep(lead(f"person{number}@example.com"))
        assert deliverer.deliver_next()
    calls = [call["operation"] for call in world.site.call_log()]
    assert calls.count("createAccessToken") == 1
    assert len(world.site.contacts()) == 2


def test_each_call_is_kept_with_the_attempt(world: World) -> None:
    submission_id = world.keep(lead())
    world.drain()
    (attempt,) = world.attempts(submission_id)
    assert attempt["result"] == "delivered"
    assert (attempt["operation"], attempt["status"]) == ("createContact", 200)
    assert [call["operation"] for call in attempt["calls"]] == ["queryContacts", "createContact"]
    assert all(call["request_id"] and call["status"] == 200 for call in attempt["calls"])
    assert attempt["request_id"] == attempt["calls"][-1]["request_id"]


def test_other_sites_are_left_to_other_workers(world: World) -> None:
    submission_id = world.keep(lead(site="another"))
    assert world.drain() == 0
    assert world.row(submission_id)["state"] == "pending"
    assert SITE != "another"


def test_a_lead_without_anything_that_makes_a_contact_fails_with_wixs_reason(
    world: World, wix_site: WixSite
) -> None:
    row = world.bring(lead(None, company="Barco"))
    assert row["state"] == "failed"
    assert "INSUFFICIENT_CONTACT_DATA" in row["reason"]
    assert wix_site.contacts() == []
    assert keys_of(lead()).labels == {}
