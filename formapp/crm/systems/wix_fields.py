"""A Wix contact's fields as a book names them: reading, comparing, and the body of a write. Pure.

Values are in the form in which Wix compares them: e-mails in lower case, phones in E.164 with their
extension, dates and language tags in their usual form (formapp/wix/CONTRACT.md section 5).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, cast

from formapp.crm.model import EXTENDED, LABELS, SETS
from formapp.crm.system import Value, Write, as_items, normalised, six_lines
from formapp.forms.reading.contact import read_email, read_phone
from formapp.forms.reading.places import read_country, read_subdivision
from formapp.forms.reading.text import fold, read_locale
from formapp.wix import Address, Contact, ContactInfo, Definition, Email, InfoBody, Phone

_ATTRIBUTES = {
    "name.first": "first",
    "name.last": "last",
    "company": "company",
    "jobTitle": "job_title",
    "birthdate": "birthdate",
    "locale": "locale",
}
_LONGEST_TEXT = 1000
_LONGEST_PHONE = 50
_LONGEST_LABEL = 180
_LANGUAGE = "en"
_SITE_OWN = "custom."
"""Begins the key of each extended field that can be written (section 10.3)."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The mapped fields of one site.

    Attributes:
        region: of phones without a country code.
        extended: by display name, those that exist at Wix.
        key_field: display name of the one that stores the other side's id.
        label_names: by key.
    """

    names: frozenset[str]
    region: str | None = None
    key_field: str = "externalCrmId"
    extended: Mapping[str, Definition] = field(default_factory=dict)
    label_names: Mapping[str, str] = field(default_factory=dict)

    # Reading

    def values(self, contact: Contact) -> dict[str, Value]:
        found = {name: self.normalise(name, self._raw(contact, name)) for name in self.names}
        return {name: value for name, value in found.items() if value}

    def key(self, contact: Contact) -> str | None:
        """The other side's id, where the contact stores one."""
        return self._extended(contact.info, self.key_field) or None

    def emails(self, contact: Contact) -> tuple[str, ...]:
        return as_items(self.normalise("emails", self._raw(contact, "emails")))

    def phones(self, contact: Contact) -> tuple[str, ...]:
        """All numbers, in E.164 where they can be read."""
        return as_items(self.normalise("phones", self._raw(contact, "phones")))

    def labels(self, contact: Contact) -> frozenset[str]:
        names = (self.label_names.get(key) for key in contact.info.label_keys)
        return frozenset(name for name in names if name)

    def _raw(self, contact: Contact, name: str) -> Value:
        info = contact.info
        if name.startswith(EXTENDED):
            return self._extended(info, name.removeprefix(EXTENDED))
        if name in _ATTRIBUTES:
            return str(getattr(info, _ATTRIBUTES[name]) or "")
        primary = _primary(info.phones)
        found: dict[str, Value] = {
            "emails": tuple(each.address for each in info.emails),
            "phones": tuple(map(self._number, info.phones)),
            "addresses": tuple(map(_lines_of, info.addresses)),
            "email": contact.primary_email or "",
            "phone": self._number(primary) if primary else contact.primary_phone or "",
        }
        return found[name]

    def _extended(self, info: ContactInfo, display_name: str) -> str:
        definition = self.extended.get(display_name)
        held = info.extended_fields.get(definition.key) if definition else None
        return _number_text(held) if isinstance(held, int | float) else held or ""

    def _number(self, phone: Phone) -> str:
        """For comparison: by the phone's own country, else the book's region."""
        return _phone(phone.number, phone.country or self.region) or phone.number

    # Comparing

    def normalise(self, name: str, value: Value) -> Value | None:
        """What Wix makes of a value; None: it can't hold it."""
        is_set = name in SETS or name == LABELS
        return normalised(value, partial(self._normalise, name), is_set=is_set)

    def _normalise(self, name: str, text: str) -> str | None:
        line = text.strip()
        if name.startswith("phone"):
            return _phone(line, self.region) if line else None
        if name in _READERS:
            return _READERS[name](line) if line else None
        if not line or len(line) > _LONGEST_TEXT:
            return None
        return self._extended_text(name, line) if name.startswith(EXTENDED) else line

    def _extended_text(self, name: str, text: str) -> str | None:
        definition = self.extended.get(name.removeprefix(EXTENDED))
        match definition.data_type if definition else None:
            case "NUMBER":
                number = _number(text)
                return None if number is None else _number_text(number)
            case "DATE":
                return _date(text)
            case "URL":
                return text if "://" in text else f"https://{text}"
        return text

    # Writing

    def body(self, write: Write, held: Contact | None, label_keys: Sequence[str] = ()) -> InfoBody:
        """`info` of a create, or of an update of a held contact: whole lists, both names.

        Labels are sent with a create alone: an update's list would undo what others add meanwhile.
        """
        values, info = write.values, ContactInfo() if held is None else held.info
        body: dict[str, Any] = {}
        parts = {"first": info.first, "last": info.last}
        if any(f"name.{part}" in values for part in parts):
            both = {part: values.get(f"name.{part}", kept) for part, kept in parts.items()}
            body["name"] = {part: text or "" for part, text in both.items() if held or text}
        for name in ("company", "jobTitle", "birthdate", "locale"):
            if name in values:
                body[name] = values[name] or ""
        if "email" in values or "emails" in values:
            body["emails"] = {"items": self._emails(values, info.emails)}
        if "phone" in values or "phones" in values:
            body["phones"] = {"items": self._phones(values, info.phones)}
        if "addresses" in values:
            wanted = as_items(values["addresses"])
            body["addresses"] = {"items": _addresses(wanted, info.addresses)}
        if extended := self._extended_items(write, info):
            body["extendedFields"] = {"items": extended}
        if held is None and label_keys:
            body["labelKeys"] = {"items": [*label_keys]}
        return cast("InfoBody", {key: part for key, part in body.items() if held or part})

    def _emails(
        self, values: Mapping[str, Value | None], held: Sequence[Email]
    ) -> list[dict[str, Any]]:
        def identity(item: Mapping[str, Any]) -> str | None:
            return self._normalise("email", item.get("email") or "")

        def changed(item: Mapping[str, Any], value: str) -> dict[str, Any]:
            return {"tag": "UNTAGGED", **item, "email": value}

        stored = [each.as_item() for each in held]
        return _merged(stored, values, ("email", "emails"), identity, changed)

    def _phones(
        self, values: Mapping[str, Value | None], held: Sequence[Phone]
    ) -> list[dict[str, Any]]:
        def identity(item: Mapping[str, Any]) -> str | None:
            return _phone(item.get("phone") or "", item.get("countryCode") or self.region)

        def changed(item: Mapping[str, Any], value: str) -> dict[str, Any]:
            known = {key: part for key, part in item.items() if key != "countryCode"}
            number = read_phone(value, self.region)
            # With a country Wix computes the number without its extension (section 5.3).
            country = number.country if number and not number.extension else None
            more = {"countryCode": country} if country else {}
            return {"tag": "UNTAGGED", **known, "phone": value, **more}

        stored = [each.as_item() for each in held]
        return _merged(stored, values, ("phone", "phones"), identity, changed)

    def _extended_items(self, write: Write, info: ContactInfo) -> dict[str, Any]:
        """The changed ones with all others of the site's own: Wix may replace them (7.3)."""
        changes = {
            self.extended[name.removeprefix(EXTENDED)]: value
            for name, value in write.values.items()
            if name.startswith(EXTENDED)
        }
        if write.key is not None:
            changes[self.extended[self.key_field]] = write.key
        if not changes:
            return {}
        kept = {k: v for k, v in info.extended_fields.items() if k.startswith(_SITE_OWN)}
        return {**kept, **{each.key: _stored(each, value) for each, value in changes.items()}}


def extended_names(write: Write, key_field: str) -> list[str]:
    """Display names of the extended fields that a write needs."""
    names = [name.removeprefix(EXTENDED) for name in write.values if name.startswith(EXTENDED)]
    return names if write.key is None else [*names, key_field]


def _stored(definition: Definition, value: Value | None) -> str | int | float | None:
    text = value if isinstance(value, str) else None
    return _number(text) if text and definition.data_type == "NUMBER" else text


def _number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if number - number != 0:  # not finite
        return None
    return int(number) if number.is_integer() else number


def _number_text(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _date(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _phone(text: str, region: str | None) -> str | None:
    """The number with its extension; as typed where it can't be read, None without a digit."""
    found = read_phone(text, region)
    if found:
        return found.identity
    line = fold(text)
    return line if len(line) <= _LONGEST_PHONE and any(map(str.isdigit, line)) else None


# Lists of items


def _primary(phones: Sequence[Phone]) -> Phone | None:
    return next((each for each in phones if each.primary), phones[0] if phones else None)


def _merged(
    stored: Sequence[dict[str, Any]],
    values: Mapping[str, Value | None],
    names: tuple[str, str],
    identity: Callable[[Mapping[str, Any]], str | None],
    changed: Callable[[Mapping[str, Any], str], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The complete list of e-mails or phones: what stays keeps its tag and whatever else it has.

    `names` are the primary one's and the set's. A new primary value replaces the primary item,
    unless an item has it already.
    """
    single, whole = names
    items = list(stored)
    if whole in values:
        wanted = {identity(changed({}, each)): each for each in as_items(values[whole])}
        items = [item for item in items if identity(item) in wanted]
        held = {identity(item) for item in items}
        items += [changed({}, each) for which, each in wanted.items() if which not in held]
    if single in values:
        first = next((i for i, item in enumerate(items) if item.get("primary")), 0)
        value = values[single]
        if not isinstance(value, str):
            return [item for i, item in enumerate(items) if i != first]
        which = identity(changed({}, value))
        place = next((i for i, item in enumerate(items) if identity(item) == which), None)
        if place is None and (whole in values or not items):
            place = len(items)
            items.append(changed({}, value))
        elif place is None:
            place = first
            items[place] = changed(items[place], value)
        items = [{**item, "primary": i == place} for i, item in enumerate(items)]
    return items


# Addresses: six lines


def _lines_of(address: Address) -> str:
    street = address.line or " ".join(filter(None, (address.street_number, address.street_name)))
    parts = (street, address.line2, address.city, address.postal_code)
    return (
        "\n".join(" ".join((part or "").split()) for part in parts)
        + "\n"
        + "\n".join((address.subdivision or "", address.country or ""))
    )


def _address(text: str) -> str | None:
    """The country and, where it is known, the subdivision as codes (section 5.3)."""
    lines = six_lines(text)
    subdivision, typed = lines[4], lines[5]
    country = read_country(typed, _LANGUAGE) if typed else None
    if subdivision and country:
        lines[4] = read_subdivision(subdivision, country, _LANGUAGE) or subdivision
    lines[5] = country or ""
    return "\n".join(lines) if any(lines) else None


def _addresses(wanted: Sequence[str], held: Sequence[Address]) -> list[dict[str, Any]]:
    by_lines = {_address(_lines_of(each)): each for each in held}
    return [
        kept.as_item()
        if (kept := by_lines.get(_address(lines)))
        else {"tag": "UNTAGGED", "address": _address_body(lines)}
        for lines in wanted
    ]


def _address_body(lines: str) -> dict[str, str]:
    keys = ("addressLine", "addressLine2", "city", "postalCode", "subdivision", "country")
    parts = zip(keys, (_address(lines) or "").split("\n"), strict=False)
    return {key: part for key, part in parts if part}


_READERS: dict[str, Callable[[str], str | None]] = {
    "email": read_email,
    "emails": read_email,
    "addresses": _address,
    "birthdate": _date,
    "locale": read_locale,
    LABELS: lambda name: name if len(name) <= _LONGEST_LABEL else None,
}
