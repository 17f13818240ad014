"""The read-only parts of a contact, derived from what is writable (contract section 5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api.contact_items import international, primary_of
from formapp.sandbox.api.contact_rules import items
from formapp.sandbox.api.field_values import custom_values

if TYPE_CHECKING:
    from formapp.sandbox.state import Json, Role, Site

MEMBERSHIP_STATUS = "APPROVED"
"""Value of `members.membershipStatus` of every member; the contract leaves the values open."""

DERIVED = ("primaryInfo", "primaryEmail", "primaryPhone")


def complete(site: Site, body: Json, role: Role | None) -> Json:
    """Return `body` with all derived parts brought up to date.

    Subscription and deliverability stay at their defaults: no operation of the contract sets
    them.
    """
    info = body["info"]
    email = primary_of(items(info, "emails"))
    phone = primary_of(items(info, "phones"))
    derived = {
        "primaryInfo": _primary_info(email, phone),
        "primaryEmail": _primary_email(email),
        "primaryPhone": _primary_phone(phone),
    }
    values = {**custom_values(site, info), **_system_values(email, role)}
    fields = {"extendedFields": {"items": values}} if values else {}
    plain = {name: info[name] for name in info if name != "extendedFields"}
    kept = {name: body[name] for name in body if name not in (*DERIVED, "info")}
    filled = {name: value for name, value in derived.items() if value}
    return {**kept, **filled, "info": {**plain, **fields}}


def _primary_info(email: Json | None, phone: Json | None) -> Json:
    return {
        **({"email": email["email"]} if email else {}),
        **({"phone": phone["phone"]} if phone else {}),
    }


def _primary_email(email: Json | None) -> Json:
    if email is None:
        return {}
    return {
        "email": email["email"],
        "subscriptionStatus": "NOT_SET",
        "deliverabilityStatus": "NOT_SET",
    }


def _primary_phone(phone: Json | None) -> Json:
    if phone is None:
        return {}
    e164 = phone.get("e164Phone")
    known = {"phone": phone["phone"], "countryCode": phone.get("countryCode"), "e164Phone": e164}
    known["formattedPhone"] = international(phone)
    known["subscriptionStatus"] = "NOT_SET" if e164 else "NO_SUBSCRIPTION_STATUS"
    return {name: value for name, value in known.items() if value}


def _system_values(email: Json | None, role: Role | None) -> Json:
    values: Json = {}
    if email is not None:
        values["emailSubscriptions.subscriptionStatus"] = "NOT_SET"
        values["emailSubscriptions.effectiveEmail"] = email["email"]
    if role is not None:
        values["members.membershipStatus"] = MEMBERSHIP_STATUS
    return values
