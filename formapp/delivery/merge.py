"""What of a lead a known contact doesn't have yet: the merge rules. Pure.

The rule is fill, never overwrite: what the contact holds stays, blanks are filled, labels are only
added. An owner may ask for more, field by field (`append`, `overwrite`). A blank answer is no part
of a lead and so never clears anything.

Lists are replaced whole by an update (contract section 7.3), so a change carries the complete list.
"""

from typing import Any, Literal

from formapp.delivery.contact_info import Keys
from formapp.delivery.lists import merged_addresses, merged_phones
from formapp.lead import ExtendedField, Lead, Merge, Text
from formapp.wix import Contact, ContactInfo, InfoBody, NameBody
from formapp.wix.parsing import mapping

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
        if phones := merged_phones(contact.info.phones, lead.phones):
            info["phones"] = {"items": phones}
        if addresses := merged_addresses(contact.info.addresses, lead.addresses):
            info["addresses"] = {"items": addresses}
    _merge_labels(info, contact.info, lead, keys)
    _merge_fields(info, contact, lead, keys)
    return info


def _same(held: str | None, given: Text) -> bool:
    return held is not None and held.strip() == given.value.strip()


def _wanted(held: str | None, given: Text | None) -> str | None:
    """The value to set, or None to leave what is there."""
    if given is None or _same(held, given):
        return None
    return given.value if not held or given.merge is Merge.OVERWRITE else None


def _merge_name(info: InfoBody, held: ContactInfo, lead: Lead) -> None:
    first = _overwritten(held.first, lead.first_name)
    last = _overwritten(held.last, lead.last_name)
    # Filling one part where the other is another person's would mix two people's names.
    if not (_differs(first, lead.first_name) or _differs(last, lead.last_name)):
        first = first or (lead.first_name.value if lead.first_name else None)
        last = last or (lead.last_name.value if lead.last_name else None)
    if (first, last) == (held.first, held.last):
        return
    # Whether a name is merged or replaced whole isn't known (7.3): both parts are sent.
    name: NameBody = {}
    if first:
        name["first"] = first
    if last:
        name["last"] = last
    info["name"] = name


def _overwritten(held: str | None, given: Text | None) -> str | None:
    overwrites = given is not None and given.merge is Merge.OVERWRITE and not _same(held, given)
    return given.value if given and overwrites else held


def _differs(held: str | None, given: Text | None) -> bool:
    return bool(held and given and held.strip().casefold() != given.value.strip().casefold())


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


def _merge_labels(info: InfoBody, held: ContactInfo, lead: Lead, keys: Keys) -> None:
    news = [key for name in lead.labels if (key := keys.labels[name]) not in held.label_keys]
    if news:
        info["labelKeys"] = {"items": list(dict.fromkeys([*held.label_keys, *news]))}


def _merge_fields(info: InfoBody, contact: Contact, lead: Lead, keys: Keys) -> None:
    news: dict[str, Any] = {}
    held, done = contact.info.extended_fields, set()
    for each in lead.extended_fields:
        key = keys.fields[each.name]
        have = held.get(key)
        overwrites = each.merge is Merge.OVERWRITE and not _same_value(have, each)
        if key not in done and (have is None or overwrites):
            news[key] = each.value
        # Of several values for one field the first counts.
        done.add(key)
    if news:
        # Merged per key or replaced whole isn't known (contract section 14, item 4): every custom
        # value that should stay goes along; system fields are read-only and don't.
        info["extendedFields"] = {"items": {**_custom_values(contact), **news}}


def _same_value(held: str | float | None, given: ExtendedField) -> bool:
    """Wix puts `https://` in front of an address without a scheme (contract section 10.4)."""
    if held == given.value:
        return True
    return given.data_type == "URL" and held == f"https://{given.value}"


def _custom_values(contact: Contact) -> dict[str, Any]:
    """As they came: a value of a kind that isn't known is read as text, and must not become it."""
    info = mapping(contact.raw.get("info"))
    items = mapping(mapping(info.get("extendedFields")).get("items"))
    held = contact.info.extended_fields
    return {key: items.get(key, value) for key, value in held.items() if key.startswith("custom.")}
