"""The parts of a contact's `info`: read from a request, compared, made ready to store.

CONTRACT.md sections 5.2 to 5.4 and 7.3. Reading keeps only the writable parts: unknown and
read-only fields are ignored. Rules that need the site's state are in `contacts`.
"""

import re
import uuid
from collections.abc import Callable
from functools import partial
from operator import eq
from typing import Any

import phonenumbers

from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.validation import GUID, MAX_KEY, Sent, is_calendar_date
from formapp.sandbox.state import Json, normalize_email

Same = Callable[[Any, Any], bool]

SCALARS = ("company", "jobTitle", "birthdate", "locale", "picture")

MAX_ITEMS = 50
MAX_LABELS = 2000
MAX_TEXT = 1000
MAX_EMAIL = 320
MAX_PHONE = 50

EMAIL = re.compile(r"[^\s@\x00-\x1f]+@[^\s@.\x00-\x1f]+(\.[^\s@.\x00-\x1f]+)+")
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", re.ASCII)

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


def read_info(sent: Sent) -> Json | None:
    """Return the writable parts that were sent, or None without an `info`.

    Scalars are a string, or "" for null; lists are plain arrays; a null list is left out
    (CONTRACT.md section 7.3, "Clearing").
    """
    info = sent.mapping()
    if info is None:
        return None
    read = {name: reader(sent[name]) for name, reader in _READERS.items() if name in info}
    return {name: value for name, value in read.items() if value is not None}


def _name(sent: Sent) -> Json | None:
    name = sent.mapping()
    if name is None:
        return None
    return {part: _text(sent[part]) for part in ("first", "last") if part in name}


def _text(sent: Sent) -> str:
    return sent.text(MAX_TEXT) or ""


def _birthdate(sent: Sent) -> str:
    if sent.value not in (None, "") and not is_calendar_date(sent.value):
        sent.refuse("must be a valid date", "FORMAT", type="DATE")
    return sent.value or ""


def _items(sent: Sent, read: Callable[[Sent], Any], longest: int = MAX_ITEMS) -> list[Any] | None:
    """Return the items in `{"items": [...]}`, each read by `read`; None if none were sent."""
    items = sent["items"].items(longest)
    return None if items is None else [read(item) for item in items]


def _label_keys(sent: Sent) -> list[str] | None:
    keys = _items(sent, lambda key: key.required(MAX_KEY), MAX_LABELS)
    return None if keys is None else list(dict.fromkeys(keys))


def _guid(sent: Sent) -> str:
    sent.required(MAX_KEY)
    return sent.pattern(GUID, "GUID").lower()


def _item(sent: Sent, tags: tuple[str, ...]) -> Json:
    """Return what all kinds of items have in common."""
    if sent.value is None:
        sent.refuse("must be an object")
    return {
        "id": sent["id"].value,
        "tag": sent["tag"].choice(tags) or "UNTAGGED",
        "primary": sent["primary"].flag(),
    }


def _email(sent: Sent) -> Json:
    item, email = _item(sent, EMAIL_TAGS), sent["email"]
    email.required(MAX_EMAIL)
    return {**item, "email": email.pattern(EMAIL, "EMAIL")}


def _phone(sent: Sent) -> Json:
    item = _item(sent, PHONE_TAGS)
    phone = sent["phone"].required(MAX_PHONE)
    country = sent["countryCode"].pattern(COUNTRY, "COUNTRY")
    return {**item, **({"countryCode": country} if country else {}), "phone": phone}


def _address(sent: Sent) -> Json:
    item, parts = _item(sent, ADDRESS_TAGS), sent["address"]
    del item["primary"]
    address = _texts(parts, ADDRESS_LENGTHS)
    if country := parts["country"].pattern(COUNTRY, "COUNTRY"):
        address["country"] = country
    street = parts["streetAddress"]
    if street.mapping() is not None:
        if parts["addressLine"].value is not None:
            parts.refuse("must have addressLine or streetAddress, not both")
        address["streetAddress"] = _texts(street, STREET_LENGTHS)
    return {**item, "address": address}


def _texts(sent: Sent, lengths: dict[str, int]) -> Json:
    parts = {name: sent[name].text(longest) for name, longest in lengths.items()}
    return {name: value for name, value in parts.items() if value}


def _extended_fields(sent: Sent) -> Json | None:
    """Read the keys; `contacts` checks the values against the types of the fields."""
    values = sent["items"].mapping()
    for key in values or {}:
        Sent(key, f"{sent.path}.items key", sent.violations).required(MAX_KEY)
    return values


def _picture(sent: Sent) -> Json | None:
    """Null clears the picture, like a scalar; CONTRACT.md leaves this case open."""
    if sent.value is None:
        return {}
    image = sent["image"]
    if image.mapping() is None:
        return None
    parts: Json = {name: image[name].text() for name in ("id", "url", "altText")}
    for name in ("width", "height"):
        if image[name].value is not None:
            parts[name] = image[name].integer()
    return {"image": {name: value for name, value in parts.items() if value is not None}}


_READERS: dict[str, Callable[[Sent], Any]] = {
    "name": _name,
    "emails": partial(_items, read=_email),
    "phones": partial(_items, read=_phone),
    "addresses": partial(_items, read=_address),
    "company": _text,
    "jobTitle": _text,
    "birthdate": _birthdate,
    "locale": lambda sent: sent.pattern(LOCALE, "LANGUAGE_TAG"),
    "labelKeys": _label_keys,
    "extendedFields": _extended_fields,
    "locations": partial(_items, read=_guid),
    "picture": _picture,
}
WRITABLE = tuple(_READERS)


def without_blanks(info: Json) -> Json:
    """Return the parts that hold something: a blank part is not stored."""
    blanks: tuple[Any, ...] = ("", {}, {"items": []}, {"items": {}})
    return {name: value for name, value in info.items() if value not in blanks}


def items(info: Json, name: str) -> list[Any]:
    """Return the items of a list in `info`; an empty list if it is absent."""
    found: list[Any] = info.get(name, {}).get("items", [])
    return found


def primary_of(candidates: list[Json]) -> Json | None:
    return next((one for one in candidates if one.get("primary")), next(iter(candidates), None))


def same_phone(one: Json, other: Json) -> bool:
    """Compare two phone items by E.164 if both have it, else by their digits."""
    if one.get("e164Phone") and other.get("e164Phone"):
        return bool(one["e164Phone"] == other["e164Phone"])
    digits = _digits(one["phone"])
    return digits != "" and digits == _digits(other["phone"])


def _digits(phone: str) -> str:
    return "".join(character for character in phone if character.isdigit())


SAME: dict[str, Same] = {
    "emails": lambda one, other: normalize_email(one["email"]) == normalize_email(other["email"]),
    "phones": lambda one, other: one["phone"] == other["phone"] or same_phone(one, other),
    "addresses": lambda one, other: bool(one["address"] == other["address"]),
    "labelKeys": eq,
    "locations": eq,
}
"""How two items of each list are compared."""


def build_items(name: str, sent: list[Any], stored: list[Any]) -> list[Any]:
    """Return a list as it is stored: with ids, one primary item, and E.164 where computable."""
    if name in ("labelKeys", "locations"):
        return sent
    if name == "phones":
        sent = [_with_e164(item) for item in sent]
    items = _with_ids(sent, stored, SAME[name])
    return items if name == "addresses" else _with_primary(items, stored, SAME[name])


def _with_ids(sent: list[Json], stored: list[Json], same: Same) -> list[Json]:
    """Give each item the id of the stored item with its id, else with its value, else a new id.

    Each stored id is given only once.
    """
    free = {item["id"]: item for item in stored}
    ids: list[str | None] = []
    for item in sent:
        known = item["id"] if isinstance(item["id"], str) else ""
        ids.append(known if free.pop(known, None) else None)
    for index, item in enumerate(sent):
        if ids[index] is None:
            ids[index] = next((key for key, other in free.items() if same(item, other)), None)
            free.pop(ids[index] or "", None)
    pairs = zip(sent, ids, strict=True)
    return [{**item, "id": known or str(uuid.uuid4())} for item, known in pairs]


def _with_primary(sent: list[Json], stored: list[Json], same: Same) -> list[Json]:
    """Mark one item: the one sent as primary, else the former primary, else the first."""
    marked = [item for item in sent if item["primary"]]
    if len(marked) > 1:
        raise application_error("CANNOT_HAVE_MULTIPLE_PRIMARY_INFO")
    former = [item for item in stored if item.get("primary")]
    kept = [item for item in sent if any(same(item, one) for one in former)]
    chosen = next(iter([*marked, *kept, *sent]), None)
    return [{**item, "primary": item is chosen} for item in sent]


def _with_e164(phone: Json) -> Json:
    e164 = format_phone(phone, phonenumbers.PhoneNumberFormat.E164)
    return {**phone, "e164Phone": e164} if e164 else phone


def format_phone(phone: Json, form: int) -> str | None:
    """Return the number of a phone item in a form of `phonenumbers.PhoneNumberFormat`.

    None unless number and country code are both valid (CONTRACT.md section 5.3).
    """
    country = phone.get("countryCode")
    if country not in phonenumbers.SUPPORTED_REGIONS:
        return None
    try:
        number = phonenumbers.parse(phone["phone"], country)
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, form) if valid else None
