"""What of a lead a known contact doesn't have yet: the merge rules. Pure.

The rule is fill, never overwrite: what the contact holds stays, blanks are filled, labels are only
added. An owner may ask for more, field by field (`append`, `overwrite`). A blank answer is no part
of a lead and so never clears anything.

Lists are replaced whole by an update (contract section 7.3), so a change carries the complete list.
"""

from collections.abc import Sequence
from typing import Literal, TypeVar

from formapp.delivery.contact_info import Keys, address_item, phone_item
from formapp.lead import Address, Lead, Merge, Phone, Text
from formapp.wix import Address as WixAddress
from formapp.wix import AddressItem, Contact, ContactInfo, InfoBody, NameBody, PhoneItem
from formapp.wix import Phone as WixPhone

_Item = TypeVar("_Item")
_SimpleKey = Literal["company", "jobTitle", "birthdate", "locale"]


def changes(contact: Contact, lead: Lead, keys: Keys, *, personal: bool) -> InfoBody:
    """The `info` of the update that is needed; empty if the contact has it all.

    Args:
        contact: as Wix answered it, complete.
        lead: what the visitor gave.
        keys: of the lead's labels and extended fields.
        personal: whether personal fields may be filled. Not for a site member, nor for a contact
            that was matched by its phone alone: numbers are reassigned.
    """
    info: InfoBody = {}
    if personal:
        _merge_name(info, contact.info, lead)
        _merge_texts(info, contact.info, lead)
        if lead.email and not contact.info.emails:
            email = lead.email
            item = {"tag": email.tag, "email": email.address, "primary": True}
            info["emails"] = {"items": [item]}  # type: ignore[list-item] # the keys are literal
        if phones := _phones(contact.info.phones, lead.phones):
            info["phones"] = {"items": phones}
        if addresses := _addresses(contact.info.addresses, lead.addresses):
            info["addresses"] = {"items": addresses}
    _merge_labels(info, contact.info, lead, keys)
    _merge_fields(info, contact.info, lead, keys)
    return info


def _wanted(held: str | None, given: Text | None) -> str | None:
    """The value to set, or None to leave what is there."""
    if given is None or held == given.value:
        return None
    return given.value if not held or given.merge is Merge.OVERWRITE else None


def _merge_name(info: InfoBody, held: ContactInfo, lead: Lead) -> None:
    if _is_somebody_else(held, lead):
        lead = lead.model_copy(
            update={
                part: None
                for part in ("first_name", "last_name")
                if not _overwrites(getattr(lead, part))
            },
        )
    first, last = _wanted(held.first, lead.first_name), _wanted(held.last, lead.last_name)
    if first is None and last is None:
        return
    # Whether a name is merged or replaced whole isn't known (7.3): both parts are sent.
    name: NameBody = {}
    if value := first or held.first:
        name["first"] = value
    if value := last or held.last:
        name["last"] = value
    info["name"] = name


def _overwrites(text: Text | None) -> bool:
    return text is not None and text.merge is Merge.OVERWRITE


def _is_somebody_else(held: ContactInfo, lead: Lead) -> bool:
    """Whether a name part differs, so that filling the other would mix two people's names."""
    pairs = ((held.first, lead.first_name), (held.last, lead.last_name))
    return any(
        have and given and have.strip().casefold() != given.value.casefold()
        for have, given in pairs
    )


def _merge_texts(info: InfoBody, held: ContactInfo, lead: Lead) -> None:
    texts: tuple[tuple[_SimpleKey, str | None, Text | None], ...] = (
        ("company", held.company, lead.company),
        ("jobTitle", held.job_title, lead.job_title),
        ("birthdate", held.birthdate, lead.birthdate),
        ("locale", held.locale, lead.locale),
    )
    for key, have, given in texts:
        if (value := _wanted(have, given)) is not None:
            info[key] = value


def _phones(held: Sequence[WixPhone], given: Sequence[Phone]) -> list[PhoneItem] | None:
    """The complete new list, or None if it stays."""
    items = [(phone.tag, phone.as_item()) for phone in held]
    known = {value for phone in held for value in (phone.e164, phone.number) if value}
    changed = False
    for phone in given:
        if phone.e164 in known or (held and phone.merge is Merge.FILL):
            continue
        _place(items, phone.tag, phone_item(phone), overwrite=phone.merge is Merge.OVERWRITE)
        known.add(phone.e164)
        changed = True
    return [item for _, item in items] if changed else None


def _addresses(held: Sequence[WixAddress], given: Sequence[Address]) -> list[AddressItem] | None:
    """The complete new list, or None if it stays."""
    items = [(address.tag, address.as_item()) for address in held]
    known = {shape for address in held for shape in _held_shapes(address)}
    changed = False
    for address in given:
        if _shape(address) in known or (held and address.merge is Merge.FILL):
            continue
        _place(
            items, address.tag, address_item(address), overwrite=address.merge is Merge.OVERWRITE
        )
        known.add(_shape(address))
        changed = True
    return [item for _, item in items] if changed else None


def _place(
    items: list[tuple[str, _Item]],
    tag: str,
    item: _Item,
    *,
    overwrite: bool,
) -> None:
    """Put the item in the place of the first of its tag if it overwrites, else at the end."""
    same_tag = [index for index, (held, _) in enumerate(items) if held == tag]
    if overwrite and same_tag:
        items[same_tag[0]] = (tag, item)
    else:
        items.append((tag, item))


_Shape = tuple[str, ...]


def _folded(*parts: str | None) -> _Shape:
    return tuple(" ".join((part or "").split()).casefold() for part in parts)


def _shape(address: Address) -> _Shape:
    return _folded(
        address.line,
        address.line2,
        address.city,
        address.postal_code,
        address.subdivision,
        address.country,
    )


def _held_shapes(address: WixAddress) -> set[_Shape]:
    """The shapes under which this address would be the same; a street in two parts has two."""
    number, name = address.street_number, address.street_name
    lines = {address.line or ""}
    if number or name:
        lines = {f"{number or ''} {name or ''}", f"{name or ''} {number or ''}"}
    rest = (
        address.line2,
        address.city,
        address.postal_code,
        address.subdivision,
        address.country,
    )
    return {_folded(line, *rest) for line in lines}


def _merge_labels(info: InfoBody, held: ContactInfo, lead: Lead, keys: Keys) -> None:
    news = [key for name in lead.labels if (key := keys.labels[name]) not in held.label_keys]
    if news:
        info["labelKeys"] = {"items": list(dict.fromkeys([*held.label_keys, *news]))}


def _merge_fields(info: InfoBody, held: ContactInfo, lead: Lead, keys: Keys) -> None:
    news: dict[str, str | int | float] = {}
    for each in lead.extended_fields:
        key = keys.fields[each.name]
        have = held.extended_fields.get(key)
        if have is None or (each.merge is Merge.OVERWRITE and have != each.value):
            news[key] = each.value
    if news:
        # Merged per key or replaced whole isn't known (contract section 14, item 4): every custom
        # value that should stay goes along; system fields are read-only and don't.
        stay = {
            key: value for key, value in held.extended_fields.items() if key.startswith("custom.")
        }
        info["extendedFields"] = {"items": {**stay, **news}}
