"""Contacts, read tolerantly and sent back whole."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from formapp.wix import Address, Contact, ContactInfo, Email, Phone


def test_the_full_example_is_read_whole(contact_json: dict[str, Any]) -> None:
    contact = Contact.parse(contact_json)
    assert (contact.id, contact.revision) == ("2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21", 4)
    assert contact.created_date == datetime(2025, 3, 4, 9, 15, 30, 123000, UTC)
    assert contact.updated_date == datetime(2025, 5, 12, 16, 40, 2, 871000, UTC)
    assert contact.primary_email == "ines.okafor@example.com"
    assert contact.primary_phone == "912 000 111"
    assert contact.raw is contact_json
    assert contact.info == ContactInfo(
        first="Ines",
        last="Okafor",
        emails=(Email("ines.okafor@example.com", "WORK", primary=True),),
        phones=(Phone("912 000 111", "MOBILE", "PT", "+351912000111", primary=True),),
        addresses=(
            Address(
                tag="HOME",
                line="Rua dos Exemplos 12",
                city="Lisboa",
                postal_code="1100-148",
                subdivision="PT-11",
                country="PT",
            ),
        ),
        company="Barco Lento Lda",
        job_title="Buyer",
        birthdate="1990-02-28",
        locale="pt-PT",
        label_keys=("contacts.contacted-me", "custom.newsletter"),
        extended_fields={
            "custom.boat-length": 8.5,
            "custom.preferred-visit": "2025-06-01",
            "emailSubscriptions.subscriptionStatus": "NOT_SET",
            "emailSubscriptions.effectiveEmail": "ines.okafor@example.com",
        },
    )


def test_id_and_revision_are_enough() -> None:
    contact = Contact.parse({"id": "a", "revision": 0})
    assert contact == Contact("a", 0)
    assert contact.created_date is None
    assert contact.primary_email is None
    assert contact.info == ContactInfo()
    assert not contact.is_member


@pytest.mark.parametrize("junk", [None, 7, "text", [], [None], {"items": 7}, {"items": [None, 7]}])
def test_parts_of_another_kind_are_taken_as_missing(junk: object) -> None:
    names = ["emails", "phones", "addresses", "labelKeys", "extendedFields", "name"]
    info = dict.fromkeys(names, junk) | {"company": 7, "birthdate": [], "locale": {}}
    raw = {"id": "a", "revision": 1, "primaryInfo": junk, "source": junk, "createdDate": junk}
    contact = Contact.parse(raw | {"info": info})
    assert contact.info == ContactInfo()
    assert contact.primary_email is None


def test_a_blank_string_reads_as_nothing() -> None:
    info = ContactInfo.parse({"name": {"first": "", "last": "  "}, "company": "", "jobTitle": None})
    assert info == ContactInfo()


def test_a_value_keeps_its_blanks_at_the_ends() -> None:
    assert ContactInfo.parse({"company": " Barco "}).company == " Barco "


@pytest.mark.parametrize(
    "raw",
    [
        {"primaryInfo": {"email": "a@example.com", "phone": "1"}},
        {"primaryEmail": {"email": "a@example.com"}, "primaryPhone": {"phone": "1"}},
        {
            "info": {
                "emails": {
                    "items": [
                        {"email": "b@example.com"},
                        {"email": "a@example.com", "primary": True},
                    ]
                },
                "phones": {"items": [{"phone": "2"}, {"phone": "1", "primary": True}]},
            }
        },
    ],
)
def test_the_primary_email_and_phone_are_found_wherever_wix_puts_them(raw: dict[str, Any]) -> None:
    contact = Contact.parse({"id": "a", "revision": 1} | raw)
    assert (contact.primary_email, contact.primary_phone) == ("a@example.com", "1")


def extended(value: object) -> Contact:
    items = {"members.membershipStatus": value}
    return Contact.parse({"id": "a", "revision": 1, "info": {"extendedFields": {"items": items}}})


@pytest.mark.parametrize(
    "value",
    [
        *["", " ", None, False, 0, "NOT_A_MEMBER", "not a member", "Not-A-Member", "NOT_MEMBER"],
        *["NON_MEMBER", "NONMEMBER", "NONE", "UNKNOWN", "UNDEFINED", "NOT_SET", "no", "false"],
    ],
)
def test_a_contact_is_no_member_where_the_field_says_so(value: object) -> None:
    assert not extended(value).is_member


@pytest.mark.parametrize(
    "value",
    [
        *["MEMBER", "APPROVED", "ACTIVE", "PENDING", "BLOCKED", "OFFLINE", "SITE_MEMBER"],
        *["A_STATUS_NOBODY_KNOWS", "?", "会员", True, 1, ["MEMBER"], {"status": "MEMBER"}],
    ],
)
def test_in_doubt_a_contact_is_a_member_because_that_protects_it(value: object) -> None:
    assert extended(value).is_member


def test_extended_fields_keep_what_is_there_and_leave_out_blanks() -> None:
    items = {"a": "x", "b": 0, "c": 8.5, "d": "", "e": None, "f": [1], "g": False}
    fields = ContactInfo.parse({"extendedFields": {"items": items}}).extended_fields
    assert fields == {"a": "x", "b": 0, "c": 8.5, "f": "[1]", "g": False}


def test_a_contact_cannot_be_changed_by_mistake(contact_json: dict[str, Any]) -> None:
    contact = Contact.parse(contact_json)
    with pytest.raises(dataclasses.FrozenInstanceError):
        contact.revision = 5  # type: ignore[misc] # the point of the test
    with pytest.raises(TypeError):
        contact.info.extended_fields["a"] = "b"  # type: ignore[index] # the point of the test


def test_contacts_can_stand_in_a_set(contact_json: dict[str, Any]) -> None:
    assert len({Contact.parse(contact_json), Contact.parse(contact_json)}) == 1


def test_items_are_sent_back_as_they_came_but_for_what_wix_computes(
    contact_json: dict[str, Any],
) -> None:
    raw = contact_json["info"]
    raw["emails"]["items"][0]["laterProperty"] = {"kept": True}
    info = Contact.parse(contact_json).info
    assert [item.as_item() for item in info.emails] == raw["emails"]["items"]
    assert [item.as_item() for item in info.addresses] == raw["addresses"]["items"]
    expected = dict(raw["phones"]["items"][0])
    del expected["e164Phone"]
    assert [item.as_item() for item in info.phones] == [expected]


def test_an_item_that_is_sent_back_can_be_changed_without_changing_the_contact(
    contact_json: dict[str, Any],
) -> None:
    address = Contact.parse(contact_json).info.addresses[0]
    address.as_item()["address"]["city"] = "Porto"
    assert address.raw["address"]["city"] == "Lisboa"


def test_items_that_never_came_from_wix_are_sent_whole() -> None:
    assert Email("a@example.com", "WORK", primary=True).as_item() == {
        "tag": "WORK",
        "email": "a@example.com",
        "primary": True,
    }
    assert Phone("1", country="PT").as_item() == {
        "tag": "UNTAGGED",
        "countryCode": "PT",
        "phone": "1",
        "primary": False,
    }
    address = Address(street_number="12", street_name="Rua dos Exemplos", city="Lisboa")
    assert address.as_item() == {
        "tag": "UNTAGGED",
        "address": {
            "streetAddress": {"number": "12", "name": "Rua dos Exemplos"},
            "city": "Lisboa",
        },
    }


STREET = {"number": "12", "name": "Rua dos Exemplos"}


def test_a_street_in_two_parts_is_read() -> None:
    address = Address.parse({"address": {"streetAddress": STREET, "addressLine2": "2 Esq"}})
    assert (address.street_number, address.street_name) == ("12", "Rua dos Exemplos")
    assert address.line is None
    assert address.line2 == "2 Esq"


@pytest.mark.parametrize(
    ("street", "kept"),
    [(STREET, "streetAddress"), ({}, "addressLine"), ({"name": " "}, "addressLine")],
)
def test_an_address_with_both_forms_of_the_street_is_sent_back_with_one(
    street: dict[str, str], kept: str
) -> None:
    raw = {"tag": "HOME", "address": {"addressLine": "Rua 12", "streetAddress": street}}
    sent = Address.parse(raw).as_item()["address"]
    assert list(sent) == [kept]
    assert sorted(raw["address"]) == ["addressLine", "streetAddress"]
