"""List items of a contact: their ids, the primary flag and E.164 (contract 5.3, 5.4, 7.3)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import phonenumbers

from formapp.sandbox.api.errors import application_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.state import Json


def same_email_text(one: str, other: str) -> bool:
    """Tell whether two emails are one."""
    return normal_email(one) == normal_email(other)


def normal_email(email: str) -> str:
    """Return the form in which emails are compared: trimmed, case folded (section 11.4)."""
    return email.strip().casefold()


def same_phone(one: Json, other: Json) -> bool:
    """Tell whether two phones are one: by E.164 if both have it, else by their digits."""
    if one.get("e164Phone") and other.get("e164Phone"):
        return bool(one["e164Phone"] == other["e164Phone"])
    digits = _digits(one["phone"])
    return digits != "" and digits == _digits(other["phone"])


def _digits(phone: str) -> str:
    return "".join(letter for letter in phone if letter.isdigit())


def primary_of(items: list[Json]) -> Json | None:
    """Return the primary item: the marked one, else the first."""
    return next((item for item in items if item.get("primary")), items[0] if items else None)


def build_emails(sent: list[Json], stored: list[Json]) -> list[Json]:
    """Return the emails as they are stored.

    Raises:
        WixError: more than one is marked as primary.
    """
    return _with_primary(_with_ids(sent, stored, _same_email), stored, _same_email)


def build_phones(sent: list[Json], stored: list[Json]) -> list[Json]:
    """Return the phones as they are stored, with E.164 where it can be computed.

    Raises:
        WixError: more than one is marked as primary.
    """
    numbered = [_with_e164(item) for item in sent]
    return _with_primary(_with_ids(numbered, stored, _raw_or_same_phone), stored, same_phone)


def build_addresses(sent: list[Json], stored: list[Json]) -> list[Json]:
    """Return the addresses as they are stored."""
    return _with_ids(sent, stored, lambda one, other: bool(one["address"] == other["address"]))


def _same_email(one: Json, other: Json) -> bool:
    return same_email_text(one["email"], other["email"])


def _raw_or_same_phone(one: Json, other: Json) -> bool:
    return one["phone"] == other["phone"] or same_phone(one, other)


def _with_ids(
    sent: list[Json], stored: list[Json], same: Callable[[Json, Json], bool]
) -> list[Json]:
    """Give each item the id of the stored one it continues, else a new one.

    The id decides first, then the value; a stored id is given once only.
    """
    free = {item["id"]: item for item in stored}
    kept: list[str | None] = []
    for item in sent:
        known = item.get("id")
        continues = isinstance(known, str) and known in free
        kept.append(known if continues else None)
        if continues:
            del free[known]
    for index, item in enumerate(sent):
        if kept[index] is None:
            match = next((key for key, other in free.items() if same(item, other)), None)
            kept[index] = match
            free.pop(match or "", None)
    return [
        {"id": key or str(uuid.uuid4()), **{name: item[name] for name in item if name != "id"}}
        for key, item in zip(kept, sent, strict=True)
    ]


def _with_primary(
    items: list[Json], stored: list[Json], same: Callable[[Json, Json], bool]
) -> list[Json]:
    """Mark exactly one item: the one sent as primary, else the former one, else the first."""
    marked = [item for item in items if item["primary"]]
    if len(marked) > 1:
        raise application_error("CANNOT_HAVE_MULTIPLE_PRIMARY_INFO")
    former = [item for item in stored if item.get("primary")]
    kept = [item for item in items if any(same(item, one) for one in former)]
    chosen = next(iter([*marked, *kept, *items]), None)
    return [{**item, "primary": item is chosen} for item in items]


def _with_e164(phone: Json) -> Json:
    number = parse_phone(phone)
    if number is None:
        return phone
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return {**phone, "e164Phone": e164}


def parse_phone(phone: Json) -> phonenumbers.PhoneNumber | None:
    """Return the number, if it and its country code are both valid (contract section 5.3)."""
    country = phone.get("countryCode")
    if country not in phonenumbers.SUPPORTED_REGIONS:
        return None
    try:
        number = phonenumbers.parse(phone["phone"], country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def international(phone: Json) -> str | None:
    """Return the number as people write it abroad, e.g. `+351 912 000 111`."""
    number = parse_phone(phone)
    if number is None:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
