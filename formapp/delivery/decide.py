"""What to do with a lead, given the contact that was found: create, update or nothing. Pure.

The merge rule is fill, never overwrite: what the contact holds stays, blanks are filled, labels are
only added. A form file may configure more, field by field (`append`, `overwrite`). Leads contain no
blank answers, so nothing is ever cleared.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from formapp.lead import Address, Email, ExtendedField, Lead, Merge, Phone, Text
from formapp.wix import Address as WixAddress
from formapp.wix import (
    Contact,
    ContactInfo,
    InfoBody,
    Item,
)
from formapp.wix import Phone as WixPhone
from formapp.wix.models import ADDRESS_PARTS
from formapp.wix.parsing import mapping


@dataclass(frozen=True, slots=True)
class Keys:
    """Display name to key, of the labels and of the extended fields that a lead uses."""

    labels: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What the search found; a phone is a weak match. Flags are for the owner, with ids only."""

    contact: Contact | None = None
    matched_by: Literal["email", "phone"] | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """No contact is this person: create one, with duplicates disallowed."""

    info: InfoBody = field(repr=False)


@dataclass(frozen=True, slots=True)
class Update:
    """Send exactly what the contact lacks, with the revision that was read."""

    contact_id: str
    revision: int
    info: InfoBody = field(repr=False)


@dataclass(frozen=True, slots=True)
class Nothing:
    """The contact has it all."""

    contact_id: str
    revision: int


Decision = Create | Update | Nothing

_TextKey = Literal["company", "jobTitle", "birthdate", "locale"]
_TEXTS: Mapping[_TextKey, str] = {
    "company": "company",
    "jobTitle": "job_title",
    "birthdate": "birthdate",
    "locale": "locale",
}
"""At Wix, to the name of a lead's attribute and of a contact's."""


def decide(lead: Lead, found: Found, keys: Keys, *, contested: bool = False) -> Decision:
    """Decide what to do. Applied to its own result it returns `Nothing`: repetitions are harmless.

    If the e-mail or phone is `contested`, it belongs to another contact: an update leaves both out.
    """
    contact = found.contact
    if contact is None:
        return Create(_new_contact(lead, keys))
    info: InfoBody = {}
    # Personal fields of a site member stay, and those of a contact that was matched by its phone
    # alone: numbers are reassigned.
    if found.matched_by == "email" and not contact.is_member:
        _merge_personal(info, contact.info, lead, contested=contested)
    _merge_labels(info, contact.info, lead, keys)
    _merge_fields(info, contact, lead, keys)
    return (
        Update(contact.id, contact.revision, info)
        if info
        else Nothing(contact.id, contact.revision)
    )


# A new contact (CONTRACT.md section 5.2)


def _new_contact(lead: Lead, keys: Keys) -> InfoBody:
    """All values of the lead. Wix makes the first phone the primary one (section 5.4)."""
    info: InfoBody = {}
    _merge_name(info, ContactInfo(), lead)
    if lead.email:
        info["emails"] = {"items": [_email_item(lead.email)]}
    if phones := merged_phones((), lead.phones):
        info["phones"] = {"items": phones}
    if lead.addresses:
        info["addresses"] = {"items": [_address_item(address) for address in lead.addresses]}
    _merge_texts(info, ContactInfo(), lead)
    _merge_labels(info, ContactInfo(), lead, keys)
    if lead.extended_fields:
        # Of several values for one field the first counts.
        values = {keys.fields[each.name]: each.value for each in reversed(lead.extended_fields)}
        info["extendedFields"] = {"items": values}
    return info


def _email_item(email: Email) -> Item:
    return {"tag": email.tag, "email": email.address, "primary": True}


def _phone_item(phone: Phone) -> Item:
    """In E.164: the one form in which a later exact search finds it (section 11.3, step 1).

    With a country Wix computes the number without its extension (section 5.3), by which it takes
    two people at one switchboard for one.
    """
    item: Item = {"tag": phone.tag, "phone": phone.number}
    if phone.country and not phone.extension:
        item["countryCode"] = phone.country
    return item


def _address_item(address: Address) -> Item:
    parts = {key: getattr(address, name) for name, key in ADDRESS_PARTS.items()}
    given = {key: value for key, value in parts.items() if value}
    return {"tag": address.tag, "address": given}


# Changes to a known contact


def _merge_personal(info: InfoBody, held: ContactInfo, lead: Lead, *, contested: bool) -> None:
    _merge_name(info, held, lead)
    _merge_texts(info, held, lead)
    if lead.email and not held.emails and not contested:
        info["emails"] = {"items": [_email_item(lead.email)]}
    if not contested and (phones := merged_phones(held.phones, lead.phones)):
        info["phones"] = {"items": phones}
    if addresses := merged_addresses(held.addresses, lead.addresses):
        info["addresses"] = {"items": addresses}


def _same(held: str | None, given: Text) -> bool:
    return held is not None and held.strip() == given.value.strip()


def _merge_name(info: InfoBody, held: ContactInfo, lead: Lead) -> None:
    first = _overwritten(held.first, lead.first_name)
    last = _overwritten(held.last, lead.last_name)
    # Filling one part where the other is another person's would mix two people's names.
    if not (_differs(first, lead.first_name) or _differs(last, lead.last_name)):
        first = first or (lead.first_name.value if lead.first_name else None)
        last = last or (lead.last_name.value if lead.last_name else None)
    if (first, last) != (held.first, held.last):
        # Wix may merge a name or replace all of it (section 7.3): both parts are sent.
        name = {"first": first, "last": last}
        info["name"] = {part: text for part, text in name.items() if text}


def _overwritten(held: str | None, given: Text | None) -> str | None:
    overwrites = given is not None and given.merge is Merge.OVERWRITE and not _same(held, given)
    return given.value if given and overwrites else held


def _differs(held: str | None, given: Text | None) -> bool:
    return bool(held and given and held.strip().casefold() != given.value.strip().casefold())


def _merge_texts(info: InfoBody, held: ContactInfo, lead: Lead) -> None:
    for key, name in _TEXTS.items():
        have, given = getattr(held, name), getattr(lead, name)
        fills = not have or (given and given.merge is Merge.OVERWRITE)
        if given and fills and not _same(have, given):
            info[key] = given.value


def _merge_labels(info: InfoBody, held: ContactInfo, lead: Lead, keys: Keys) -> None:
    added = [key for name in lead.labels if (key := keys.labels[name]) not in held.label_keys]
    if added:
        info["labelKeys"] = {"items": list(dict.fromkeys([*held.label_keys, *added]))}


def _merge_fields(info: InfoBody, contact: Contact, lead: Lead, keys: Keys) -> None:
    changed: dict[str, Any] = {}
    held, done = contact.info.extended_fields, set()
    for each in lead.extended_fields:
        key = keys.fields[each.name]
        have = held.get(key)
        overwrites = each.merge is Merge.OVERWRITE and not _same_value(have, each)
        if key not in done and (have is None or overwrites):
            changed[key] = each.value
        # Of several values for one field the first counts.
        done.add(key)
    if changed:
        # Wix may merge per key or replace them all (section 14, item 4): every custom value that
        # should stay is sent along; system fields are read-only.
        info["extendedFields"] = {"items": {**_custom_values(contact), **changed}}


def _same_value(held: str | float | None, given: ExtendedField) -> bool:
    """Wix puts `https://` in front of an address without a scheme (section 10.4)."""
    if held == given.value:
        return True
    return given.data_type == "URL" and held == f"https://{given.value}"


def _custom_values(contact: Contact) -> dict[str, Any]:
    """As Wix sent them: parsing turns a value of an unknown kind into text, an update must not."""
    info = mapping(contact.raw.get("info"))
    items = mapping(mapping(info.get("extendedFields")).get("items"))
    held = contact.info.extended_fields
    return {key: items.get(key, value) for key, value in held.items() if key.startswith("custom.")}


# Phones and addresses: an update replaces the entire list (section 7.3), so all items are sent.


def merged_phones(held: Sequence[WixPhone], given: Sequence[Phone]) -> list[Item] | None:
    """The complete new list, or None if it stays."""
    return _merged(held, given, same_number, lambda phone: phone.number, _phone_item)


def merged_addresses(held: Sequence[WixAddress], given: Sequence[Address]) -> list[Item] | None:
    """The complete new list, or None if it stays."""
    return _merged(held, given, _same_address, lambda new: _shape(new, new.line), _address_item)


def _merged(
    held: Sequence[WixPhone | WixAddress],
    given: Sequence[Phone | Address],
    same: Callable[[Any, Any], bool],
    key: Callable[[Any], Hashable],
    item: Callable[[Any], Any],
) -> list[Any] | None:
    items = [dict(each.as_item()) for each in held]
    # An item that the lead itself gives is not replaced by another one that it gives.
    stays = {index for index, have in enumerate(held) if any(same(have, new) for new in given)}
    done: set[Hashable] = set()
    for new in given:
        known = key(new) in done or any(same(have, new) for have in held)
        if known or (held and new.merge is Merge.FILL):
            continue
        done.add(key(new))
        place = _place(held, new, stays)
        stays.add(place)
        _put(items, place, dict(item(new)))
    return items if done else None


def _place(held: Sequence[WixPhone | WixAddress], new: Phone | Address, taken: set[int]) -> int:
    """The first item with its tag if it overwrites and there is one, else the end."""
    if new.merge is Merge.OVERWRITE:
        for index, have in enumerate(held):
            if have.tag == new.tag and index not in taken:
                return index
    return max(len(held), 1 + max(taken, default=-1))


def _put(items: list[Any], place: int, item: dict[str, Any]) -> None:
    if place >= len(items):
        items.append(item)
        return
    # Duplicates are compared by the primary item: it stays the primary one.
    if "primary" in items[place]:
        item["primary"] = items[place]["primary"]
    items[place] = item


def same_number(held: WixPhone, given: Phone) -> bool:
    """Whether it is the same number: by E.164 if Wix computed it, else by its digits."""
    if held.e164 and not given.extension:
        return held.e164 == given.e164
    return _digits(held.number) in {_digits(given.number), _digits(given.typed)}


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isdigit())


def _shape(address: Address | WixAddress, line: str | None) -> tuple[str, ...]:
    """What is compared, without case and blanks."""
    rest = (address.line2, address.city, address.postal_code, address.subdivision, address.country)
    return tuple(" ".join((part or "").split()).casefold() for part in (line, *rest))


def _same_address(held: WixAddress, given: Address) -> bool:
    """The two parts of a street match in either order."""
    number, name = held.street_number, held.street_name
    lines = {held.line or ""}
    if number or name:
        lines = {f"{number or ''} {name or ''}", f"{name or ''} {number or ''}"}
    return _shape(given, given.line) in {_shape(held, line) for line in lines}


# What the lead did to its contact, field by field, for the owner. Derived from what was decided, so
# it says nothing that wasn't sent. The values are a person's: they are erased with the answers.

Kind = Literal["new", "filled", "replaced", "same", "kept", "kept_member", "kept_phone"]
"""`new`: of a new contact; `kept`: the contact's value stays, always if it is a site member or was
matched by its phone alone."""

LONGEST = 300
"""Characters of a value that are stored; more of a long text is of no use to an owner."""


class Change(TypedDict):
    """One value of the lead: the field's name, what the contact had, what the lead gives."""

    field: str
    result: Kind
    before: str | None
    given: str


def changes_of(lead: Lead, found: Found, decision: Decision, keys: Keys) -> list[Change]:
    """Return a line for each value of the lead, in the order of a contact's fields."""
    contact = found.contact
    held = contact.info if contact else ContactInfo()
    sent: InfoBody = {} if isinstance(decision, Nothing) else decision.info
    kept: Kind = "kept"
    if contact and contact.is_member:
        kept = "kept_member"
    elif found.matched_by == "phone":
        kept = "kept_phone"
    lines = [
        *_texts(lead, held, sent),
        *_lists(lead, held, sent),
        *_named(lead, held, sent, keys),
    ]
    return [
        {
            "field": name[:LONGEST],
            "result": _result(before, given, kept, is_sent=is_sent, decision=decision),
            "before": before and before[:LONGEST],
            "given": given[:LONGEST],
        }
        for name, before, given, is_sent in lines
    ]


def _result(
    before: str | None, given: str, kept: Kind, *, is_sent: bool, decision: Decision
) -> Kind:
    if isinstance(decision, Create):
        return "new"
    if before is not None and before.strip().casefold() == given.strip().casefold():
        return "same"
    if not is_sent:
        return kept
    return "filled" if before is None else "replaced"


_Line = tuple[str, str | None, str, bool]
"""Name, what the contact had, what the lead gives, whether that was sent."""


def _texts(lead: Lead, held: ContactInfo, sent: InfoBody) -> Iterator[_Line]:
    names = mapping(sent.get("name"))
    texts = {
        "first_name": (held.first, names.get("first")),
        "last_name": (held.last, names.get("last")),
        **{name: (getattr(held, name), sent.get(key)) for key, name in _TEXTS.items()},
    }
    for name, (had, value) in texts.items():
        if given := getattr(lead, name):
            yield name, had, given.value, value == given.value


def _lists(lead: Lead, held: ContactInfo, sent: InfoBody) -> Iterator[_Line]:
    if lead.email:
        had = [email.address for email in held.emails if email.address]
        same = [each for each in had if each.lower() == lead.email.address]
        yield "email", _joined(same or had), lead.email.address, "emails" in sent
    for phone in lead.phones:
        same = [phone.number for each in held.phones if same_number(each, phone)]
        had = [each.number for each in held.phones]
        items = [item.get("phone") for item in mapping(sent.get("phones")).get("items", ())]
        yield "phone", _joined(same or had), phone.number, phone.number in items
    for address in lead.addresses:
        had = [_line(each, _street(each)) for each in held.addresses]
        given = _line(address, address.line)
        same = [each for each in had if each.casefold() == given.casefold()]
        yield "address", _joined(same or had), given, "addresses" in sent


def _named(lead: Lead, held: ContactInfo, sent: InfoBody, keys: Keys) -> Iterator[_Line]:
    labels: Sequence[str] = mapping(sent.get("labelKeys")).get("items", ())
    for name in dict.fromkeys(lead.labels):
        key = keys.labels[name]
        yield "label", name if key in held.label_keys else None, name, key in labels
    fields = mapping(mapping(sent.get("extendedFields")).get("items"))
    for each in lead.extended_fields:
        key = keys.fields[each.name]
        before = held.extended_fields.get(key)
        text = None if before is None else str(before)
        yield f"“{each.name}”", text, str(each.value), fields.get(key) == each.value


def _joined(values: Sequence[str]) -> str | None:
    return "; ".join(values) or None


def _line(address: Address | WixAddress, street: str | None) -> str:
    parts = (street, address.line2, address.postal_code, address.city, address.country)
    return ", ".join(filter(None, parts))


def _street(address: WixAddress) -> str:
    return address.line or " ".join(filter(None, (address.street_name, address.street_number)))
