"""The merge rules, line by line, as pure decisions."""

from typing import Any

import pytest

from formapp.delivery.decide import Create, Found, Nothing, Update, decide
from formapp.lead import Lead, Merge
from formapp.wix import Contact
from tests.support.leads import (
    EMAIL,
    PHONE,
    address,
    contact,
    field,
    items,
    keys_of,
    lead,
    phone,
    text,
)

KNOWN = items({"email": EMAIL, "primary": True})
OTHER = items({"email": "other@example.com", "primary": True})
HELD_PHONE = items({"phone": "020 7946 0000", "e164Phone": "+442079460000", "primary": True})


def info_of(given: Lead, held: Contact, matched_by: Any = "email") -> Any:
    """The `info` of the update, or None if nothing is to be done."""
    decision = decide(given, Found(held, matched_by), keys_of(given))
    if isinstance(decision, Nothing):
        return None
    assert isinstance(decision, Update)
    assert (decision.contact_id, decision.revision) == (held.id, held.revision)
    return decision.info


TEXTS = [
    ("company", "company"),
    ("job_title", "jobTitle"),
    ("birthdate", "birthdate"),
    ("locale", "locale"),
]


@pytest.mark.parametrize(("part", "key"), TEXTS)
def test_a_text_is_set_where_the_contact_has_none(part: str, key: str) -> None:
    assert info_of(lead(**{part: "given"}), contact(emails=KNOWN)) == {key: "given"}


@pytest.mark.parametrize(("part", "key"), TEXTS)
def test_a_text_that_the_contact_has_is_kept(part: str, key: str) -> None:
    assert info_of(lead(**{part: "given"}), contact(emails=KNOWN, **{key: "held"})) is None


@pytest.mark.parametrize(("part", "key"), TEXTS)
def test_a_text_is_overwritten_where_the_owner_asked_for_it(part: str, key: str) -> None:
    given = lead(**{part: text("given", Merge.OVERWRITE)})
    assert info_of(given, contact(emails=KNOWN, **{key: "held"})) == {key: "given"}
    assert info_of(given, contact(emails=KNOWN, **{key: "given"})) is None


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_text_of_the_contact_is_filled(blank: str | None) -> None:
    assert info_of(lead(company="given"), contact(emails=KNOWN, company=blank)) == {
        "company": "given"
    }


def test_a_blank_answer_changes_nothing() -> None:
    held = contact(emails=KNOWN, company="held", phones=HELD_PHONE)
    assert info_of(lead(), held) is None


NAMES = [
    # held first and last, given first and last, name in the update
    (None, None, "Ines", "Okafor", {"first": "Ines", "last": "Okafor"}),
    ("Ines", None, "Ines", "Okafor", {"first": "Ines", "last": "Okafor"}),
    ("INES ", None, "ines", "Okafor", {"first": "INES ", "last": "Okafor"}),
    (None, "Okafor", "Ines", None, {"first": "Ines", "last": "Okafor"}),
    ("Ines", None, None, "Okafor", {"first": "Ines", "last": "Okafor"}),
    ("Ines", "Okafor", "Bob", "Lee", None),
    ("Ines", None, "Bob", "Lee", None),
    (None, "Okafor", "Bob", "Lee", None),
    ("Ines", "Okafor", None, None, None),
    ("Ines", "Okafor", "ines", "OKAFOR", None),
]


@pytest.mark.parametrize(("held_first", "held_last", "first", "last", "expected"), NAMES)
def test_a_name_is_completed_but_never_mixed_with_another_persons(
    held_first: str | None,
    held_last: str | None,
    first: str | None,
    last: str | None,
    expected: Any,
) -> None:
    parts = {"first_name": first, "last_name": last}
    given = lead(**{key: value for key, value in parts.items() if value})
    held = contact(emails=KNOWN, name={"first": held_first, "last": held_last})
    assert info_of(given, held) == (None if expected is None else {"name": expected})


def test_both_name_parts_are_sent_though_one_changes() -> None:
    held = contact(emails=KNOWN, name={"first": "Ines", "last": "Okafor"})
    given = lead(first_name=text("Inês", Merge.OVERWRITE))
    assert info_of(given, held) == {"name": {"first": "Inês", "last": "Okafor"}}


def test_an_overwritten_part_of_the_name_lets_the_other_be_filled() -> None:
    held = contact(emails=KNOWN, name={"first": "Ines"})
    given = lead(first_name=text("Bob", Merge.OVERWRITE), last_name="Lee")
    assert info_of(given, held) == {"name": {"first": "Bob", "last": "Lee"}}


def test_an_email_is_set_as_primary_where_the_contact_has_none() -> None:
    assert info_of(lead(), contact(phones=HELD_PHONE)) == {
        "emails": items({"tag": "UNTAGGED", "email": EMAIL, "primary": True})
    }


@pytest.mark.parametrize("held", [KNOWN, OTHER, items({"email": EMAIL.upper(), "primary": True})])
def test_an_email_is_never_added_to_another(held: Any) -> None:
    assert info_of(lead(), contact(emails=held)) is None


def test_an_extended_field_is_set_where_the_contact_has_none() -> None:
    given = lead(extended_fields=(field("Budget", "small"),))
    assert info_of(given, contact(emails=KNOWN)) == {
        "extendedFields": {"items": {"custom.budget": "small"}}
    }


@pytest.mark.parametrize("value", ["large", 0, False])
def test_an_extended_field_that_the_contact_has_is_kept(value: Any) -> None:
    held = contact(emails=KNOWN, extendedFields={"items": {"custom.budget": value}})
    assert info_of(lead(extended_fields=(field("Budget", "small"),)), held) is None


def test_an_extended_field_is_overwritten_where_the_owner_asked_for_it() -> None:
    held = contact(emails=KNOWN, extendedFields={"items": {"custom.budget": "large"}})
    given = lead(extended_fields=(field("Budget", "small", merge=Merge.OVERWRITE),))
    assert info_of(given, held) == {"extendedFields": {"items": {"custom.budget": "small"}}}


def test_every_custom_value_goes_along_as_it_came_and_no_system_value() -> None:
    held = {
        "custom.visits": 8.5,
        "custom.odd": {"of": ["an", "unknown", "kind"]},
        "custom.blank": "",
        "members.membershipStatus": "NOT_SET",
        "emailSubscriptions.subscriptionStatus": "NOT_SET",
    }
    given = lead(extended_fields=(field("Budget", "small"),))
    info = info_of(given, contact(emails=KNOWN, extendedFields=items(held) | {"items": held}))
    assert info["extendedFields"]["items"] == {
        "custom.visits": 8.5,
        "custom.odd": {"of": ["an", "unknown", "kind"]},
        "custom.budget": "small",
    }


def test_an_address_without_a_scheme_is_the_same_as_wix_keeps_it() -> None:
    held = contact(emails=KNOWN, extendedFields={"items": {"custom.site": "https://example.com"}})
    kind = {"data_type": "URL", "merge": Merge.OVERWRITE}
    assert info_of(lead(extended_fields=(field("Site", "example.com", **kind),)), held) is None


def test_of_two_values_for_one_field_the_first_counts() -> None:
    pair = (field("Budget", "first", merge=Merge.OVERWRITE), field("Budget", "second"))
    given = lead(extended_fields=pair)
    for held in (contact(emails=KNOWN), None):
        decision = decide(given, Found(held, "email"), keys_of(given))
        assert isinstance(decision, Create | Update)
        assert decision.info["extendedFields"]["items"] == {"custom.budget": "first"}


def test_labels_are_added_and_the_list_is_complete() -> None:
    held = contact(emails=KNOWN, labelKeys=items("contacts.customers", "custom.vip"))
    given = lead(labels=("Newsletter", "Vip", "Newsletter"))
    assert info_of(given, held) == {
        "labelKeys": items("contacts.customers", "custom.vip", "custom.newsletter")
    }


def test_a_label_that_is_there_changes_nothing() -> None:
    held = contact(emails=KNOWN, labelKeys=items("custom.newsletter"))
    assert info_of(lead(labels=("Newsletter",)), held) is None


def everything(merge: Merge, **more: Any) -> Lead:
    return lead(
        first_name=text("Bob", merge),
        company=text("Given", merge),
        phones=(phone("+442079460111", merge=merge),),
        addresses=(address(merge=merge),),
        labels=("Newsletter",),
        extended_fields=(field("Budget", "small"),),
        **more,
    )


ONLY_SHARED = {
    "labelKeys": items("custom.newsletter"),
    "extendedFields": {"items": {"custom.budget": "small"}},
}


@pytest.mark.parametrize("merge", list(Merge))
def test_a_match_by_phone_alone_gets_labels_and_extended_fields_only(merge: Merge) -> None:
    held = contact(phones=items({"phone": PHONE, "primary": True}))
    assert info_of(everything(merge, email=None), held, "phone") == ONLY_SHARED


@pytest.mark.parametrize("merge", list(Merge))
def test_a_site_member_gets_labels_and_extended_fields_only(merge: Merge) -> None:
    held = contact(emails=KNOWN, extendedFields={"items": {"members.membershipStatus": "APPROVED"}})
    assert info_of(everything(merge), held) == ONLY_SHARED
