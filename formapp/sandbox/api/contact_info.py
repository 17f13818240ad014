"""The parts of a contact's `info`: read from a request, compared, made ready to store.

CONTRACT.md sections 5.2 to 5.4 and 7.3. Reading keeps only the writable parts: unknown and
read-only fields are ignored. Rules that need the site's state are in `contacts`.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import phonenumbers

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.errors import application_error
from formapp.sandbox.state import normalize_email

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.errors import Violations
    from formapp.sandbox.state import Json

SCALARS = ("company", "jobTitle", "birthdate", "locale", "picture")

MAX_ITEMS = 50
MAX_LABELS = 2000
MAX_TEXT = 1000
MAX_KEY = 80
MAX_EMAIL = 320
MAX_PHONE = 50

EMAIL_TAGS = ("UNTAGGED", "MAIN", "HOME", "WORK")
PHONE_TAGS = ("UNTAGGED", "MAIN", "HOME", "MOBILE", "WORK", "FAX")
ADDRESS_TAGS = ("UNTAGGED", "HOME", "WORK", "BILLING", "SHIPPING")
ADDRESS_LENGTHS = {
    "subdivision": 100,
    "city": 1000,
    "postalCode": 100,
    "addressLine": 1000,
    "addressLine2": 1000,
}
STREET_LENGTHS = {"number": 100, "name": 1000}


def read_info(found: Violations, raw: Any) -> Json | None:
    """Return the writable parts of `raw`, or None if it is absent.

    A key is present only if it was sent. Scalars are a string, or "" for null; lists are plain
    arrays; a null list is left out (CONTRACT.md section 7.3, "Clearing").
    """
    info = check.mapping(found, "info", raw)
    if info is None:
        return None
    clean: Json = {}
    for name, read in _READERS.items():
        if name in info:
            value = read(found, f"info.{name}", info[name])
            if value is not None:
                clean[name] = value
    return clean


def _name(found: Violations, path: str, raw: Any) -> Json | None:
    name = check.mapping(found, path, raw)
    if name is None:
        return None
    parts = (part for part in ("first", "last") if part in name)
    return {part: _text(found, f"{path}.{part}", name[part]) for part in parts}


def _text(found: Violations, path: str, raw: Any) -> str:
    return check.text(found, path, raw, MAX_TEXT) or ""


def _birthdate(found: Violations, path: str, raw: Any) -> str:
    if raw in (None, ""):
        return ""
    if not check.is_calendar_date(raw):
        found.add(path, "must be a valid date", "FORMAT", type="DATE")
        return ""
    return str(raw)


def _locale(found: Violations, path: str, raw: Any) -> str:
    return check.pattern(found, path, raw, check.LOCALE, "LANGUAGE_TAG") or ""


def _items(
    found: Violations,
    path: str,
    raw: Any,
    read: Callable[[Violations, str, Any], Any],
    longest: int = MAX_ITEMS,
) -> list[Any] | None:
    """Return the items in `{"items": [...]}`, each read by `read`; None if none were sent."""
    wrapper = check.mapping(found, path, raw)
    if wrapper is None:
        return None
    sent = check.sequence(found, f"{path}.items", wrapper.get("items"), longest)
    if sent is None:
        return None
    return [read(found, f"{path}.items[{index}]", item) for index, item in enumerate(sent)]


def _label_keys(found: Violations, path: str, raw: Any) -> list[str] | None:
    keys = _items(found, path, raw, _key, MAX_LABELS)
    return None if keys is None else list(dict.fromkeys(keys))


def _key(found: Violations, path: str, raw: Any) -> str:
    return check.required_text(found, path, raw, MAX_KEY) or ""


def _guid(found: Violations, path: str, raw: Any) -> str:
    value = check.required_text(found, path, raw, MAX_KEY)
    return (check.pattern(found, path, value, check.GUID, "GUID") or "").lower()


def _item(found: Violations, path: str, raw: Any, tags: tuple[str, ...]) -> tuple[Json, Json]:
    """Return the object as sent, and what all kinds of items have in common."""
    sent = check.mapping(found, path, raw)
    if sent is None:
        if raw is None:
            found.add(path, "must be an object")
        return {}, {}
    return sent, {
        "id": sent.get("id"),
        "tag": check.choice(found, f"{path}.tag", sent.get("tag"), tags) or "UNTAGGED",
        "primary": check.flag(found, f"{path}.primary", sent.get("primary")),
    }


def _email(found: Violations, path: str, raw: Any) -> Json:
    sent, item = _item(found, path, raw, EMAIL_TAGS)
    value = check.required_text(found, f"{path}.email", sent.get("email"), MAX_EMAIL)
    if value is not None:
        check.pattern(found, f"{path}.email", value, check.EMAIL, "EMAIL")
    return {**item, "email": value or ""}


def _phone(found: Violations, path: str, raw: Any) -> Json:
    sent, item = _item(found, path, raw, PHONE_TAGS)
    value = check.required_text(found, f"{path}.phone", sent.get("phone"), MAX_PHONE)
    country = _country(found, f"{path}.countryCode", sent.get("countryCode"))
    if country:
        item["countryCode"] = country
    return {**item, "phone": value or ""}


def _country(found: Violations, path: str, raw: Any) -> str | None:
    return check.pattern(found, path, raw, check.COUNTRY, "COUNTRY")


def _address(found: Violations, path: str, raw: Any) -> Json:
    sent, item = _item(found, path, raw, ADDRESS_TAGS)
    item.pop("primary", None)
    path = f"{path}.address"
    parts = check.mapping(found, path, sent.get("address")) or {}
    address = _texts(found, path, parts, ADDRESS_LENGTHS)
    country = _country(found, f"{path}.country", parts.get("country"))
    if country:
        address["country"] = country
    street = check.mapping(found, f"{path}.streetAddress", parts.get("streetAddress"))
    if street is not None:
        if parts.get("addressLine") is not None:
            found.add(path, "must have addressLine or streetAddress, not both")
        address["streetAddress"] = _texts(found, f"{path}.streetAddress", street, STREET_LENGTHS)
    return {**item, "address": address}


def _texts(found: Violations, path: str, sent: Json, lengths: dict[str, int]) -> Json:
    parts = {
        name: check.text(found, f"{path}.{name}", sent.get(name), longest)
        for name, longest in lengths.items()
    }
    return {name: value for name, value in parts.items() if value}


def _extended_fields(found: Violations, path: str, raw: Any) -> Json | None:
    """Read the keys; `extended_fields` checks the values against the types of the fields."""
    wrapper = check.mapping(found, path, raw)
    if wrapper is None:
        return None
    values = check.mapping(found, f"{path}.items", wrapper.get("items"))
    for key in values or {}:
        check.required_text(found, f"{path}.items key", key, MAX_KEY)
    return values


def _picture(found: Violations, path: str, raw: Any) -> Json | None:
    """Null clears the picture, like a scalar; CONTRACT.md leaves this case open."""
    if raw is None:
        return {}
    wrapper = check.mapping(found, path, raw)
    image = check.mapping(found, f"{path}.image", (wrapper or {}).get("image"))
    if image is None:
        return None
    parts: Json = {
        name: check.text(found, f"{path}.image.{name}", image.get(name))
        for name in ("id", "url", "altText")
    }
    for name in ("width", "height"):
        if image.get(name) is not None:
            parts[name] = check.integer(found, f"{path}.image.{name}", image[name])
    return {"image": {name: value for name, value in parts.items() if value is not None}}


_READERS: dict[str, Callable[[Violations, str, Any], Any]] = {
    "name": _name,
    "emails": partial(_items, read=_email),
    "phones": partial(_items, read=_phone),
    "addresses": partial(_items, read=_address),
    "company": _text,
    "jobTitle": _text,
    "birthdate": _birthdate,
    "locale": _locale,
    "labelKeys": _label_keys,
    "extendedFields": _extended_fields,
    "locations": partial(_items, read=_guid),
    "picture": _picture,
}
WRITABLE = tuple(_READERS)


def items(info: Json, name: str) -> list[Any]:
    """Return the items of a list in `info`; an empty list if it is absent."""
    found: list[Any] = info.get(name, {}).get("items", [])
    return found


def primary_of(candidates: list[Json]) -> Json | None:
    """Return the item marked as primary, else the first."""
    return next((one for one in candidates if one.get("primary")), next(iter(candidates), None))


def same_email(one: Json, other: Json) -> bool:
    """Return whether two email items have the same address."""
    return normalize_email(one["email"]) == normalize_email(other["email"])


def same_phone(one: Json, other: Json) -> bool:
    """Compare two phone items by E.164 if both have it, else by their digits."""
    if one.get("e164Phone") and other.get("e164Phone"):
        return bool(one["e164Phone"] == other["e164Phone"])
    digits = _digits(one["phone"])
    return digits != "" and digits == _digits(other["phone"])


def _digits(phone: str) -> str:
    return "".join(letter for letter in phone if letter.isdigit())


def same_phone_or_text(one: Json, other: Json) -> bool:
    """Compare two phone items as `same_phone` does, or by the text as typed."""
    return bool(one["phone"] == other["phone"]) or same_phone(one, other)


def same_address(one: Json, other: Json) -> bool:
    """Return whether two address items have equal addresses."""
    return bool(one["address"] == other["address"])


def build_items(name: str, sent: list[Any], stored: list[Any]) -> list[Any]:
    """Return a list as it is stored: with ids, one primary item, and E.164 where computable.

    Raises:
        WixError: CANNOT_HAVE_MULTIPLE_PRIMARY_INFO.
    """
    if name == "emails":
        return _with_primary(_with_ids(sent, stored, same_email), stored, same_email)
    if name == "phones":
        numbered = [_with_e164(item) for item in sent]
        return _with_primary(_with_ids(numbered, stored, same_phone_or_text), stored, same_phone)
    if name == "addresses":
        return _with_ids(sent, stored, same_address)
    return sent


def _with_ids(
    sent: list[Json], stored: list[Json], same: Callable[[Json, Json], bool]
) -> list[Json]:
    """Give each item the id of the stored item with its id, else with its value, else a new id.

    Each stored id is given only once.
    """
    free = {item["id"]: item for item in stored}
    ids: list[str | None] = []
    for item in sent:
        known = item.get("id") if isinstance(item.get("id"), str) else None
        ids.append(known if free.pop(known or "", None) else None)
    for index, item in enumerate(sent):
        if ids[index] is None:
            ids[index] = next((key for key, other in free.items() if same(item, other)), None)
            free.pop(ids[index] or "", None)
    return [
        {"id": key or str(uuid.uuid4()), **{name: item[name] for name in item if name != "id"}}
        for key, item in zip(ids, sent, strict=True)
    ]


def _with_primary(
    sent: list[Json], stored: list[Json], same: Callable[[Json, Json], bool]
) -> list[Json]:
    """Mark one item: the one sent as primary, else the former primary, else the first."""
    marked = [item for item in sent if item["primary"]]
    if len(marked) > 1:
        raise application_error("CANNOT_HAVE_MULTIPLE_PRIMARY_INFO")
    former = [item for item in stored if item.get("primary")]
    kept = [item for item in sent if any(same(item, one) for one in former)]
    chosen = next(iter([*marked, *kept, *sent]), None)
    return [{**item, "primary": item is chosen} for item in sent]


def _with_e164(phone: Json) -> Json:
    number = _parse_phone(phone)
    if number is None:
        return phone
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return {**phone, "e164Phone": e164}


def _parse_phone(phone: Json) -> phonenumbers.PhoneNumber | None:
    """Return the number if it and its country code are both valid (CONTRACT.md section 5.3)."""
    country = phone.get("countryCode")
    if country not in phonenumbers.SUPPORTED_REGIONS:
        return None
    try:
        number = phonenumbers.parse(phone["phone"], country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def international_form(phone: Json) -> str | None:
    """Return the number in its international form, such as `+351 912 000 111`."""
    number = _parse_phone(phone)
    if number is None:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
