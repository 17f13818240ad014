"""Leads, submissions and contacts for tests, short to write."""

from datetime import datetime
from typing import Any

from formapp.delivery.decide import Keys
from formapp.lead import Address, Email, ExtendedField, Lead, Merge, Phone, Text
from formapp.leads.accept import Submission
from formapp.wix import Contact
from tests.support.clock import NOON

EMAIL = "ines.okafor@example.com"
PHONE = "+442079460018"
SITE = "main"
WORDING: dict[str, Any] = {
    "title": "News",
    "subject": "Please confirm",
    "text": "Was it you?",
    "button": "Yes",
    "valid": "Until %(until)s.",
    "otherwise": "Else do nothing.",
    "sender": None,
    "days": 7,
    "language": "en",
    "query": {},
}
"""What a form with double opt-in keeps for the mail of a submission."""


def email(address: str = EMAIL, typed: str | None = None) -> Email:
    """An e-mail as a form gives it."""
    return Email(address=address, typed=typed or address)


def phone(e164: str = PHONE, **more: Any) -> Phone:
    """A phone number as a form gives it."""
    return Phone(e164=e164, **{"typed": e164, "country": "GB", **more})


def text(value: str, merge: Merge = Merge.FILL) -> Text:
    """A text as a form gives it."""
    return Text(value=value, merge=merge)


def field(name: str, value: str | float, **more: Any) -> ExtendedField:
    """A value for an extended field."""
    return ExtendedField(name=name, value=value, **more)


def address(line: str = "1 High Street", city: str = "Leeds", **more: Any) -> Address:
    """A postal address."""
    return Address(line=line, city=city, **more)


def lead(address: str | None = EMAIL, /, **parts: Any) -> Lead:
    """A lead of this e-mail address; strings are taken for texts."""
    texts = {
        key: text(value)
        for key, value in parts.items()
        if isinstance(value, str) and key not in {"site", "form"}
    }
    who = {} if address is None else {"email": email(address)}
    return Lead(**{"form": "contact", "site": SITE, **who, **parts, **texts})


def submission(given: Lead, at: datetime = NOON, **more: Any) -> Submission:
    """The submission of a lead."""
    answers = {"email": given.email_identity, "message": "hello"}
    return Submission(
        **{
            "form": given.form,
            "form_version": "1",
            "received_at": at,
            "lead": given,
            "answers": answers,
            **more,
        }
    )


def contact(**info: Any) -> Contact:
    """A contact as Wix answers it, with this `info`."""
    return Contact.parse(
        {
            "id": "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21",
            "revision": 3,
            "createdDate": "2026-01-01T00:00:00.000Z",
            "info": info,
        }
    )


def items(*each: Any) -> dict[str, list[Any]]:
    """A list as Wix wraps it."""
    return {"items": list(each)}


def keys_of(given: Lead) -> Keys:
    """A key for every name in the lead."""
    return Keys(
        labels={name: f"custom.{name.lower().replace(' ', '-')}" for name in given.labels},
        fields={
            each.name: f"custom.{each.name.lower().replace(' ', '-')}"
            for each in given.extended_fields
        },
    )
