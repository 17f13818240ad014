"""Phones and addresses: what is the same, what is added, what is replaced."""

from typing import Any

import pytest

from formapp.delivery.decide import merged_addresses, merged_phones
from formapp.lead import Address, Merge, Phone
from tests.support.leads import PHONE, address, contact, items, phone

NUMBER = "020 7946 0018"


def phones_after(held: list[Any], *given: Phone) -> list[Any] | None:
    return merged_phones(contact(phones=items(*held)).info.phones, given)


def addresses_after(held: list[Any], *given: Address) -> list[Any] | None:
    return merged_addresses(contact(addresses=items(*held)).info.addresses, given)


def kept(number: str, e164: str | None = None, **more: Any) -> dict[str, Any]:
    computed = {"e164Phone": e164} if e164 else {}
    return {"id": f"id of {number}", "tag": "MOBILE", "phone": number, **computed, **more}


SAME = [
    kept(NUMBER, PHONE),
    kept(PHONE),
    kept("+44 (20) 7946-0018"),
    kept("020-7946-0018"),
]


@pytest.mark.parametrize("held", SAME)
@pytest.mark.parametrize("merge", list(Merge))
def test_the_same_number_changes_nothing_however_it_is_written(held: Any, merge: Merge) -> None:
    assert phones_after([held], phone(typed=NUMBER, merge=merge)) is None


def test_a_number_that_wix_computed_otherwise_is_another_one() -> None:
    held = kept(NUMBER, "+351207946001")
    added = phones_after([held], phone(typed=NUMBER, merge=Merge.APPEND))
    assert added is not None
    assert len(added) == 2


def test_phones_are_set_where_the_contact_has_none_each_once() -> None:
    assert phones_after([], phone(), phone(), phone("+442079460019", tag="WORK")) == [
        {"tag": "UNTAGGED", "phone": PHONE, "countryCode": "GB"},
        {"tag": "WORK", "phone": "+442079460019", "countryCode": "GB"},
    ]


def test_another_phone_is_not_added_unless_the_field_says_append() -> None:
    held = kept("1", "+351912000111", primary=True)
    assert phones_after([held], phone()) is None
    assert phones_after([held], phone(merge=Merge.APPEND)) == [
        {"id": "id of 1", "tag": "MOBILE", "phone": "1", "primary": True},
        {"tag": "UNTAGGED", "phone": PHONE, "countryCode": "GB"},
    ]


def test_overwrite_replaces_the_first_with_the_tag_and_keeps_which_is_primary() -> None:
    held = [kept("1", tag="WORK"), kept("2", primary=True), kept("3")]
    changed = phones_after(held, phone(tag="MOBILE", merge=Merge.OVERWRITE))
    assert changed is not None
    assert [item["phone"] for item in changed] == ["1", PHONE, "3"]
    assert changed[1] == {
        "tag": "MOBILE",
        "phone": PHONE,
        "countryCode": "GB",
        "primary": True,
    }


def test_overwrite_appends_where_nothing_has_the_tag() -> None:
    changed = phones_after([kept("1")], phone(tag="WORK", merge=Merge.OVERWRITE))
    assert changed is not None
    assert [item["phone"] for item in changed] == ["1", PHONE]


def test_two_that_overwrite_one_tag_do_not_overwrite_each_other() -> None:
    mobile = {"tag": "MOBILE", "merge": Merge.OVERWRITE}
    one, two = phone(**mobile), phone("+442079460019", **mobile)
    changed = phones_after([kept("1"), kept("2", tag="WORK")], one, two)
    assert changed is not None
    assert [item["phone"] for item in changed] == [PHONE, "2", "+442079460019"]
    # One of them is there already: it is not the one that gives way.
    changed = phones_after([kept("+442079460019"), kept("1")], one, two)
    assert changed is not None
    assert [item["phone"] for item in changed] == ["+442079460019", PHONE]


def home(**parts: Any) -> dict[str, Any]:
    return {"id": "a1", "tag": "HOME", "address": parts}


STREET = {"city": "Leeds"}
SAME_ADDRESSES = [
    home(addressLine="1 High Street", **STREET),
    home(addressLine=" 1  HIGH street", city="LEEDS"),
    home(streetAddress={"number": "1", "name": "High Street"}, **STREET),
]


@pytest.mark.parametrize("held", SAME_ADDRESSES)
@pytest.mark.parametrize("merge", list(Merge))
def test_the_same_address_changes_nothing_however_it_is_written(held: Any, merge: Merge) -> None:
    assert addresses_after([held], address(merge=merge)) is None


def test_a_street_with_its_number_behind_is_the_same() -> None:
    held = home(streetAddress={"number": "12", "name": "Rua dos Exemplos"}, city="Lisboa")
    given = address("Rua dos Exemplos 12", "Lisboa", merge=Merge.APPEND)
    assert addresses_after([held], given) is None


@pytest.mark.parametrize("part", ["line2", "postal_code", "subdivision", "country", "city", "line"])
def test_an_address_that_differs_in_one_part_is_another_one(part: str) -> None:
    given = address(**{part: "XX"}, merge=Merge.APPEND)
    changed = addresses_after([SAME_ADDRESSES[0]], given)
    assert changed is not None
    assert changed[0] == SAME_ADDRESSES[0]
    assert len(changed) == 2


def test_another_address_is_not_added_unless_the_field_says_append() -> None:
    assert addresses_after([SAME_ADDRESSES[0]], address("2 Low Road")) is None


def test_an_address_is_set_where_the_contact_has_none() -> None:
    assert addresses_after([], address(tag="WORK")) == [
        {"tag": "WORK", "address": {"addressLine": "1 High Street", "city": "Leeds"}}
    ]


def test_an_address_overwrites_the_first_with_its_tag() -> None:
    held = [home(city="Lisboa") | {"tag": "WORK"}, home(city="Porto")]
    changed = addresses_after(held, address(tag="HOME", merge=Merge.OVERWRITE))
    assert changed == [
        held[0],
        {"tag": "HOME", "address": {"addressLine": "1 High Street", "city": "Leeds"}},
    ]
