"""Update and Delete Contact (CONTRACT.md sections 7.3 and 7.4)."""

from __future__ import annotations

from typing import Any

import pytest


def refused(api: Any, contact: Any, body: Any) -> Any:
    return api.refused("PATCH", f"/contacts/{contact['id']}", body)


def test_an_update_raises_the_revision_and_keeps_what_was_not_sent(api: Any, clock: Any) -> None:
    contact = api.contact("a@example.com", company="Barco", name={"first": "Ines"})
    clock.advance(60)
    updated = api.update(contact, jobTitle="Buyer")
    assert updated["revision"] == 2
    assert updated["info"] == {**contact["info"], "jobTitle": "Buyer"}
    assert updated["createdDate"] == contact["createdDate"]
    assert updated["updatedDate"] == "2025-03-04T09:21:00.000Z"


@pytest.mark.parametrize("revision", [0, 2, 99])
def test_a_stale_revision_is_refused(api: Any, revision: int) -> None:
    body = {"revision": revision, "info": {"company": "X"}}
    contact = api.contact()
    assert refused(api, contact, body) == (409, "CONTACT_ALREADY_CHANGED")
    assert api.get(contact["id"]) == contact


def test_the_message_of_a_stale_revision_is_the_recorded_one(api: Any) -> None:
    path = f"/contacts/v4/contacts/{api.contact()['id']}"
    answer = api.call("PATCH", path, {"revision": 7, "info": {"company": "X"}})
    assert answer.get_json()["message"] == "Contact has been updated since the requested revision."


@pytest.mark.parametrize("revision", [None, "x", 1.5, True, [1], 10**20])
def test_a_revision_must_be_an_integer(api: Any, revision: Any) -> None:
    body = {"revision": revision, "info": {"company": "X"}}
    found = api.violations("PATCH", f"/contacts/{api.contact()['id']}", body)
    assert found[0][0] == "revision"


def test_the_name_is_merged(api: Any) -> None:
    contact = api.contact(name={"first": "Ines", "last": "Okafor"})
    updated = api.update(contact, name={"first": "Inês"})
    assert updated["info"]["name"] == {"first": "Inês", "last": "Okafor"}


def test_a_list_is_replaced_whole(api: Any) -> None:
    contact = api.contact(phones={"items": [{"phone": "1111"}, {"phone": "2222"}]})
    updated = api.update(contact, phones={"items": [{"phone": "3333"}]})
    assert [item["phone"] for item in updated["info"]["phones"]["items"]] == ["3333"]


def test_an_item_keeps_its_id_by_id_or_value(api: Any) -> None:
    emails = {"items": [{"email": "a@example.com"}, {"email": "b@example.com"}]}
    contact = api.contact(emails=emails)
    first, second = contact["info"]["emails"]["items"]
    sent = [
        {"email": "C@example.com"},
        {"email": "B@EXAMPLE.com"},
        {"id": first["id"], "email": "changed@example.com"},
    ]
    items = api.update(contact, emails={"items": sent})["info"]["emails"]["items"]
    assert items[1]["id"] == second["id"]
    assert items[2]["id"] == first["id"]
    assert items[0]["id"] not in (first["id"], second["id"])


def test_a_phone_and_an_address_keep_their_ids(api: Any) -> None:
    phone = {"phone": "912 000 111", "countryCode": "PT"}
    address = {"address": {"city": "Lisboa"}}
    contact = api.contact(phones={"items": [phone]}, addresses={"items": [address]})
    updated = api.update(
        contact,
        phones={"items": [{"phone": "912000111", "countryCode": "PT"}]},
        addresses={"items": [{"address": {"city": "Porto"}}, address]},
    )
    before, after = contact["info"], updated["info"]
    assert after["phones"]["items"][0]["id"] == before["phones"]["items"][0]["id"]
    assert after["addresses"]["items"][1]["id"] == before["addresses"]["items"][0]["id"]


def test_without_a_marked_item_the_former_primary_stays_so(api: Any) -> None:
    contact = api.contact("a@example.com")
    sent = [{"email": "new@example.com"}, {"email": "a@example.com"}]
    updated = api.update(contact, emails={"items": sent})
    assert updated["primaryInfo"]["email"] == "a@example.com"
    updated = api.update(updated, emails={"items": [{"email": "x@example.com"}]})
    assert updated["primaryInfo"]["email"] == "x@example.com"


def test_marking_another_item_turns_the_flag_off_on_the_rest(api: Any) -> None:
    contact = api.contact("a@example.com")
    sent = [{"email": "a@example.com"}, {"email": "b@example.com", "primary": True}]
    items = api.update(contact, emails={"items": sent})["info"]["emails"]["items"]
    assert [item["primary"] for item in items] == [False, True]


@pytest.mark.parametrize("blank", [None, ""])
def test_null_or_blank_clears_a_scalar(api: Any, blank: Any) -> None:
    contact = api.contact(company="Barco", birthdate="1990-02-28", name={"first": "I", "last": "O"})
    updated = api.update(contact, company=blank, birthdate=blank, name={"last": blank})
    assert "company" not in updated["info"]
    assert "birthdate" not in updated["info"]
    assert updated["info"]["name"] == {"first": "I"}


def test_an_empty_list_clears_and_null_leaves_it(api: Any) -> None:
    contact = api.contact(name={"first": "I"}, phones={"items": [{"phone": "1111"}]})
    kept = api.update(contact, phones=None)
    assert kept["info"]["phones"] == contact["info"]["phones"]
    cleared = api.update(kept, phones={"items": []})
    assert "phones" not in cleared["info"]
    assert "primaryInfo" not in cleared


@pytest.mark.parametrize("info", [None, {}, {"nonsense": 1}])
def test_an_update_without_a_known_field_is_refused(api: Any, info: Any) -> None:
    body = {"revision": 1, "info": info}
    assert refused(api, api.contact(), body) == (400, "INSUFFICIENT_UPDATE_CONTACT_DATA")


def test_an_update_with_the_same_value_raises_the_revision(api: Any) -> None:
    contact = api.contact(company="Barco")
    assert api.update(contact, company="Barco")["revision"] == 2


def test_an_update_may_not_leave_a_contact_without_substance(api: Any) -> None:
    body = {"revision": 1, "info": {"emails": {"items": []}}}
    contact = api.contact("a@example.com")
    assert refused(api, contact, body) == (400, "INSUFFICIENT_CONTACT_DATA")


def test_two_primaries_are_refused(api: Any) -> None:
    items = [{"phone": "1111", "primary": True}, {"phone": "2222", "primary": True}]
    body = {"revision": 1, "info": {"phones": {"items": items}}}
    assert refused(api, api.contact(), body) == (400, "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO")


def test_labels_are_set_through_an_update_if_they_exist(api: Any) -> None:
    key = api.label("News")
    contact = api.update(api.contact(), labelKeys={"items": [key]})
    assert contact["info"]["labelKeys"]["items"] == [key]
    body = {"revision": 2, "info": {"labelKeys": {"items": ["custom.no"]}}}
    found = api.violations("PATCH", f"/contacts/{contact['id']}", body)
    assert found == [("info.labelKeys.items[0]", "OTHER")]


def test_a_picture_is_kept_and_cleared(api: Any) -> None:
    image = {"url": "https://example.com/a.jpg", "width": 10}
    contact = api.update(api.contact(), picture={"image": image})
    assert contact["info"]["picture"] == {"image": image}
    assert "picture" not in api.update(contact, picture=None)["info"]


def test_checks_come_in_the_order_of_the_contract(api: Any) -> None:
    contact = api.contact("member@example.com")
    taken = api.contact("taken@example.com")
    api.control(
        "POST", "/members", {"site": api.site, "contact_id": contact["id"], "role": "member"}
    )
    emails = {"items": [{"email": "taken@example.com"}]}
    unknown = {"id": "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"}
    shapeless = {"revision": 9, "info": {"company": 1}}
    assert refused(api, unknown, shapeless)[0] == 400
    assert refused(api, unknown, {"revision": 9, "info": {}}) == (404, "CONTACT_NOT_FOUND")
    stale = {"revision": 9, "info": {"emails": emails}}
    assert refused(api, contact, stale) == (409, "CONTACT_ALREADY_CHANGED")
    member = {"revision": 1, "info": {"emails": emails, "labelKeys": {"items": ["custom.no"]}}}
    assert refused(api, contact, member) == (428, "CANNOT_UPDATE_MEMBER_EMAIL")
    other = api.contact("free@example.com")
    assert refused(api, other, member) == (400, None)
    duplicate = {"revision": 1, "info": {"emails": emails}}
    assert refused(api, other, duplicate) == (409, "DUPLICATE_CONTACT_EXISTS")
    assert api.get(taken["id"])["revision"] == 1


def test_a_deleted_contact_is_gone(api: Any) -> None:
    contact = api.contact()
    assert api.ok("DELETE", f"/contacts/{contact['id']}") == {}
    for method in ("GET", "DELETE"):
        assert api.refused(method, f"/contacts/{contact['id']}") == (404, "CONTACT_NOT_FOUND")
    assert api.query() == []


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ({"role": "member"}, "CANNOT_DELETE_MEMBER"),
        ({"role": "owner"}, "CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR"),
        ({"role": "contributor"}, "CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR"),
        ({"billing_subscription": True}, "CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION"),
    ],
)
def test_a_protected_contact_cannot_be_deleted(api: Any, member: Any, code: str) -> None:
    contact = api.contact()
    api.control("POST", "/members", {"site": api.site, "contact_id": contact["id"], **member})
    assert api.refused("DELETE", f"/contacts/{contact['id']}") == (428, code)


def test_a_member_shows_it_and_keeps_its_email_but_nothing_else(api: Any) -> None:
    contact = api.contact("a@example.com")
    api.control(
        "POST", "/members", {"site": api.site, "contact_id": contact["id"], "role": "member"}
    )
    member = api.get(contact["id"])
    assert member["info"]["extendedFields"]["items"]["members.membershipStatus"] == "APPROVED"
    assert member["revision"] == 1
    condition = {"info.extendedFields.members.membershipStatus": {"$in": ["APPROVED"]}}
    assert [one["id"] for one in api.query(condition)] == [contact["id"]]
    sent = {"items": [{"email": "A@example.com", "primary": True}, {"email": "b@example.com"}]}
    assert api.update(member, company="Barco", emails=sent)["revision"] == 2
    body = {"revision": 2, "info": {"emails": {"items": []}}}
    assert refused(api, contact, body) == (428, "CANNOT_UPDATE_MEMBER_EMAIL")
