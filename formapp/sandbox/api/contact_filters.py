"""The fields by which contacts can be filtered and sorted (contract sections 8.1, 8.3, 8.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from formapp.sandbox.api.queries import (
    CHOICE,
    EQUALITY,
    KEYS,
    RANGE,
    TEXT,
    FilterField,
    FilterRules,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json, Site

SORT_FIELDS = (
    "createdDate",
    "lastActivity.activityDate",
    "primaryInfo.email",
    "info.name.first",
    "info.name.last",
    "info.company",
    "info.jobTitle",
    "info.birthdate",
)
EXTENDED_PREFIX = "info.extendedFields."
SYSTEM_CHOICE = ("$eq", "$ne", "$in", "$nin")


def value_at(path: str) -> Callable[[Json], Any]:
    """Return the function that reads a contact's value at a dotted path, None if absent."""
    names = path.split(".")

    def read(row: Json) -> Any:
        value: Any = row
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return read


def _plain(path: str, operators: tuple[str, ...], kind: Literal["text", "moment"]) -> FilterField:
    read = value_at(path)
    return FilterField(lambda row: [read(row)] if read(row) is not None else [], operators, kind)


def _listed(name: str, key: str | None, operators: tuple[str, ...]) -> FilterField:
    def values(row: Json) -> list[Any]:
        items = row["info"].get(name, {}).get("items", [])
        found = items if key is None else [item.get(key) for item in items]
        return [one for one in found if one]

    return FilterField(values, operators)


def _addresses(part: str, operators: tuple[str, ...]) -> FilterField:
    def values(row: Json) -> list[Any]:
        items = row["info"].get("addresses", {}).get("items", [])
        found = [value for item in items for value in _address_values(item["address"], part)]
        return [one for one in found if one]

    return FilterField(values, operators)


def _address_values(address: Json, part: str) -> list[Any]:
    if part != "street":
        return [address.get(part)]
    return [address.get("addressLine"), address.get("streetAddress", {}).get("name")]


MOMENTS = ("createdDate", "updatedDate", "lastActivity.activityDate", "info.birthdate")
TEXTS = (
    "primaryInfo.email",
    "primaryInfo.phone",
    "info.name.first",
    "info.name.last",
    "info.company",
    "info.jobTitle",
)

AGREED: dict[str, FilterField] = {
    "id": _plain("id", CHOICE, "text"),
    **{name: _plain(name, RANGE, "moment") for name in MOMENTS},
    **{name: _plain(name, TEXT, "text") for name in TEXTS},
    "info.locale": _plain("info.locale", CHOICE, "text"),
    "info.labelKeys": _listed("labelKeys", None, KEYS),
}
"""Fields that every source of the contract lists."""

OPTIONAL: dict[str, FilterField] = {
    "info.emails.email": _listed("emails", "email", TEXT),
    "info.phones.phone": _listed("phones", "phone", TEXT),
    "info.phones.e164Phone": _listed("phones", "e164Phone", TEXT),
    "info.addresses.street": _addresses("street", TEXT),
    "info.addresses.city": _addresses("city", TEXT),
    "info.addresses.subdivision": _addresses("subdivision", CHOICE),
    "info.addresses.country": _addresses("country", CHOICE),
    "info.locations": _listed("locations", None, KEYS),
}
"""Fields that only some sources list; a switch has them refused."""

_CUSTOM_TEXT = (*EQUALITY, "$in", "$startsWith")
CUSTOM: dict[str, tuple[tuple[str, ...], Literal["text", "number", "moment"]]] = {
    "TEXT": (_CUSTOM_TEXT, "text"),
    "URL": (_CUSTOM_TEXT, "text"),
    "NUMBER": (RANGE, "number"),
    "DATE": (RANGE, "moment"),
}
SYSTEM: dict[str, tuple[str, ...]] = {
    "emailSubscriptions.subscriptionStatus": SYSTEM_CHOICE,
    "emailSubscriptions.deliverabilityStatus": SYSTEM_CHOICE,
    "members.membershipStatus": SYSTEM_CHOICE,
    "emailSubscriptions.effectiveEmail": ("$exists",),
}


def contact_rules(call: Call) -> FilterRules:
    """Return what contacts of this site can be filtered by."""

    def find(name: str) -> FilterField | None:
        if name.startswith(EXTENDED_PREFIX):
            return _extended(call.site, name.removeprefix(EXTENDED_PREFIX))
        if name in OPTIONAL and call.settings.refuse_optional_filters:
            return None
        return AGREED.get(name) or OPTIONAL.get(name)

    return FilterRules(find, "UNSUPPORTED_FILTER_FIELD_UNKNOWN", "UNSUPPORTED_FILTER_VALUE_TYPE")


def extended_value(key: str) -> Callable[[Json], Any]:
    """Return the function that reads a contact's extended field."""

    def read(row: Json) -> Any:
        return row["info"].get("extendedFields", {}).get("items", {}).get(key)

    return read


def _extended(site: Site, key: str) -> FilterField | None:
    definition = site.fields.get(key)
    if definition is None:
        return None
    read = extended_value(key)

    def values(row: Json) -> list[Any]:
        return [read(row)] if read(row) is not None else []

    if definition["fieldType"] == "SYSTEM":
        return FilterField(values, SYSTEM.get(key, ()))
    return FilterField(values, *CUSTOM[definition["dataType"]])


def sort_value(site: Site, name: str) -> Callable[[Json], Any] | None:
    """Return how a contact is read for sorting by `name`; None if that is not supported."""
    if name in SORT_FIELDS:
        return value_at(name)
    key = name.removeprefix(EXTENDED_PREFIX)
    definition = site.fields.get(key) if name.startswith(EXTENDED_PREFIX) else None
    if definition is None:
        return None
    sortable = definition["fieldType"] != "SYSTEM" or key == "emailSubscriptions.effectiveEmail"
    return extended_value(key) if sortable else None
