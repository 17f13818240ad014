"""The shape of emails, phones and addresses in a request (contract section 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import validation as check

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.errors import Violations
    from formapp.sandbox.state import Json

EMAIL_TAGS = ("UNTAGGED", "MAIN", "HOME", "WORK")
PHONE_TAGS = ("UNTAGGED", "MAIN", "HOME", "MOBILE", "WORK", "FAX")
ADDRESS_TAGS = ("UNTAGGED", "HOME", "WORK", "BILLING", "SHIPPING")
ADDRESS_TEXTS = {
    "subdivision": 100,
    "city": 1000,
    "postalCode": 100,
    "addressLine": 1000,
    "addressLine2": 1000,
}
STREET_TEXTS = {"number": 100, "name": 1000}
MAX_ITEMS = 50
MAX_EMAIL = 320
MAX_PHONE = 50


def read_items(
    found: Violations,
    path: str,
    raw: Any,
    longest: int,
    read: Callable[[Violations, str, Any], Any],
) -> list[Any] | None:
    """Return the items in `{"items": [...]}`, each as `read` gives it; None if none were sent."""
    wrapped = check.mapping(found, path, raw)
    if wrapped is None:
        return None
    items = check.sequence(found, f"{path}.items", wrapped.get("items"), longest)
    if items is None:
        return None
    return [read(found, f"{path}.items[{i}]", item) for i, item in enumerate(items)]


def read_emails(found: Violations, path: str, raw: Any) -> list[Any] | None:
    """Return the emails, as plain items."""
    return read_items(found, path, raw, MAX_ITEMS, _email)


def read_phones(found: Violations, path: str, raw: Any) -> list[Any] | None:
    """Return the phones, as plain items."""
    return read_items(found, path, raw, MAX_ITEMS, _phone)


def read_addresses(found: Violations, path: str, raw: Any) -> list[Any] | None:
    """Return the addresses, as plain items."""
    return read_items(found, path, raw, MAX_ITEMS, _address)


def _email(found: Violations, path: str, raw: Any) -> Json:
    item = _item(found, path, raw, EMAIL_TAGS)
    value = check.required_text(found, f"{path}.email", item.pop("raw").get("email"), MAX_EMAIL)
    if value is not None:
        check.pattern(found, f"{path}.email", value, check.EMAIL, "EMAIL")
    return {**item, "email": value or ""}


def _phone(found: Violations, path: str, raw: Any) -> Json:
    item = _item(found, path, raw, PHONE_TAGS)
    sent = item.pop("raw")
    value = check.required_text(found, f"{path}.phone", sent.get("phone"), MAX_PHONE)
    country = check.pattern(
        found, f"{path}.countryCode", sent.get("countryCode"), check.COUNTRY, "COUNTRY"
    )
    if country:
        item["countryCode"] = country
    return {**item, "phone": value or ""}


def _item(found: Violations, path: str, raw: Any, tags: tuple[str, ...]) -> Json:
    """Read what all list items share; the object as it was sent stays under "raw"."""
    sent = check.mapping(found, path, raw)
    if sent is None:
        if raw is None:
            found.add(path, "must be an object")
        return {"raw": {}}
    return {
        "raw": sent,
        "id": sent.get("id"),
        "tag": check.choice(found, f"{path}.tag", sent.get("tag"), tags) or "UNTAGGED",
        "primary": check.flag(found, f"{path}.primary", sent.get("primary")),
    }


def _address(found: Violations, path: str, raw: Any) -> Json:
    item = _item(found, path, raw, ADDRESS_TAGS)
    sent = check.mapping(found, f"{path}.address", item.pop("raw").get("address")) or {}
    item.pop("primary", None)
    return {**item, "address": _address_parts(found, f"{path}.address", sent)}


def _address_parts(found: Violations, path: str, sent: Json) -> Json:
    parts = {
        name: check.text(found, f"{path}.{name}", sent.get(name), longest)
        for name, longest in ADDRESS_TEXTS.items()
    }
    parts["country"] = check.pattern(
        found, f"{path}.country", sent.get("country"), check.COUNTRY, "COUNTRY"
    )
    address: Json = {name: value for name, value in parts.items() if value}
    street = check.mapping(found, f"{path}.streetAddress", sent.get("streetAddress"))
    if street is not None:
        if sent.get("addressLine") is not None:
            found.add(path, "must have addressLine or streetAddress, not both")
        address["streetAddress"] = _street(found, f"{path}.streetAddress", street)
    return address


def _street(found: Violations, path: str, sent: Json) -> Json:
    parts = {
        part: check.text(found, f"{path}.{part}", sent.get(part), longest)
        for part, longest in STREET_TEXTS.items()
    }
    return {part: value for part, value in parts.items() if value}
