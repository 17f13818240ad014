"""A contact made from a lead, and what the text form of a decision shows."""

from formapp.delivery.decide import Create, Found, Keys, decide
from tests.support.leads import (
    EMAIL,
    PHONE,
    address,
    contact,
    email,
    field,
    items,
    keys_of,
    lead,
    phone,
)

KNOWN = items({"email": EMAIL, "primary": True})


def test_without_a_contact_everything_is_created_and_the_email_is_primary() -> None:
    given = lead(
        first_name="Ines",
        last_name="Okafor",
        company="Barco Lento",
        job_title="Buyer",
        birthdate="1990-02-28",
        locale="pt-PT",
        phones=(phone(), phone(), phone("+442079460019", tag="WORK", country=None)),
        addresses=(address(country="GB", postal_code="LS1 1AA", tag="HOME"),),
        labels=("Newsletter", "Newsletter"),
        extended_fields=(field("Budget", "small"), field("Boats", 2, data_type="NUMBER")),
    )
    decision = decide(given, Found(), keys_of(given))
    assert isinstance(decision, Create)
    assert decision.info == {
        "name": {"first": "Ines", "last": "Okafor"},
        "emails": items({"tag": "UNTAGGED", "email": EMAIL, "primary": True}),
        "phones": items(
            {"tag": "UNTAGGED", "phone": PHONE, "countryCode": "GB"},
            {"tag": "WORK", "phone": "+442079460019"},
        ),
        "addresses": items(
            {
                "tag": "HOME",
                "address": {
                    "addressLine": "1 High Street",
                    "city": "Leeds",
                    "postalCode": "LS1 1AA",
                    "country": "GB",
                },
            }
        ),
        "company": "Barco Lento",
        "jobTitle": "Buyer",
        "birthdate": "1990-02-28",
        "locale": "pt-PT",
        "labelKeys": items("custom.newsletter"),
        "extendedFields": {"items": {"custom.budget": "small", "custom.boats": 2}},
    }


def test_a_decision_shows_no_answer_in_its_text_form() -> None:
    given = lead("canary@example.com", company="canary")
    for found in (Found(), Found(contact(emails=KNOWN), "email")):
        assert "canary" not in repr(decide(given, found, Keys()))
    assert "canary" not in f"{given!r} {given} {email('canary@example.com')!r}"
