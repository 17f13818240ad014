"""What a lead did to its contact, field by field: said as it was decided, erased with the lead."""

from typing import Any

import pytest

from formapp.delivery.decide import LONGEST, Found, Keys, changes_of, decide
from formapp.lead import Lead, Merge
from formapp.leads.erase import erase_person
from formapp.signing import Keyring
from tests.support.clock import NOON
from tests.support.leads import (
    EMAIL,
    address,
    contact,
    field,
    items,
    keys_of,
    lead,
    phone,
    text,
)
from tests.support.world import World


def lines(given: Lead, found: Found, keys: Keys | None = None) -> list[tuple[Any, ...]]:
    keys = keys or keys_of(given)
    changes = changes_of(given, found, decide(given, found, keys), keys)
    return [(each["field"], each["result"], each["before"], each["given"]) for each in changes]


def test_all_of_a_new_contact_is_new() -> None:
    given = lead(company="Acme", phones=(phone(),), labels=("Lead",))
    assert lines(given, Found()) == [
        ("company", "new", None, "Acme"),
        ("email", "new", None, EMAIL),
        ("phone", "new", None, "+442079460018"),
        ("label", "new", None, "Lead"),
    ]


HELD: dict[str, Any] = {
    "name": {"first": "Ana", "last": "Lima"},
    "emails": items({"email": EMAIL.upper()}),
    "phones": items({"phone": "+442079460000"}),
    "company": "Northwind",
    "labelKeys": items("custom.lead"),
    "extendedFields": items() | {"items": {"custom.budget": "small"}},
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"company": "Acme"}, ("company", "kept", "Northwind", "Acme")),
        ({"company": "Northwind"}, ("company", "same", "Northwind", "Northwind")),
        (
            {"company": text("Acme", Merge.OVERWRITE)},
            ("company", "replaced", "Northwind", "Acme"),
        ),
        ({"job_title": "CEO"}, ("job_title", "filled", None, "CEO")),
        ({"first_name": "Ida"}, ("first_name", "kept", "Ana", "Ida")),
        ({"last_name": "Lima"}, ("last_name", "same", "Lima", "Lima")),
        ({"phones": (phone(),)}, ("phone", "kept", "+442079460000", "+442079460018")),
        (
            {"phones": (phone(merge=Merge.APPEND),)},
            ("phone", "replaced", "+442079460000", "+442079460018"),
        ),
        ({"phones": (phone("+442079460000"),)}, ("phone", "same", *["+442079460000"] * 2)),
        ({"addresses": (address(),)}, ("address", "filled", None, "1 High Street, Leeds")),
        ({"labels": ("Lead",)}, ("label", "same", "Lead", "Lead")),
        ({"labels": ("Other",)}, ("label", "filled", None, "Other")),
        (
            {"extended_fields": (field("Budget", "big"),)},
            ("“Budget”", "kept", "small", "big"),
        ),
        ({"extended_fields": (field("Size", 4),)}, ("“Size”", "filled", None, "4")),
    ],
)
def test_a_line_says_what_was_there_and_what_became_of_it(
    given: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = Found(contact(**HELD), "email")
    said = lines(lead(**given), found)
    assert expected in said
    assert ("email", "same", EMAIL.upper(), EMAIL) in said


def test_who_is_matched_by_phone_keeps_what_is_personal() -> None:
    found = Found(contact(**HELD), "phone")
    assert ("company", "kept_phone", "Northwind", "Acme") in lines(lead(company="Acme"), found)


def test_a_long_value_is_cut() -> None:
    [line] = lines(Lead(form="f", site="main", company=text("x" * 5000)), Found())
    assert len(line[3]) == LONGEST


def test_it_is_stored_with_the_delivery_and_erased_with_the_answers(world: World) -> None:
    world.site.add(emails=items({"email": EMAIL}), company="Northwind")
    row = world.bring(lead(company="Acme", job_title="CEO"))
    said = {each["field"]: each["result"] for each in row["changes"]}
    assert said == {"company": "kept", "job_title": "filled", "email": "same"}
    keyring = Keyring(["a key that is long enough"])
    erase_person(world.database, {EMAIL}, keyring=keyring, now=NOON)
    assert world.row(row["submission_id"])["changes"] is None
