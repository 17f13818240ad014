"""A lead in Wix's words: the `info` of a contact to be created (contract section 5.2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from formapp.lead import Address, ExtendedField, Lead, Phone, Text
from formapp.wix import AddressBody, AddressItem, InfoBody, NameBody, PhoneItem


@dataclass(frozen=True, slots=True)
class Keys:
    """Display name to key, of the labels and of the extended fields that a lead uses."""

    labels: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


def new_contact(lead: Lead, keys: Keys) -> InfoBody:
    """Everything the lead says; the e-mail is marked primary, as the first phone is by Wix (5.4).

    Raises:
        KeyError: a label or field of the lead has no key in `keys`.
    """
    info: InfoBody = {}
    if name := name_body(lead.first_name, lead.last_name):
        info["name"] = name
    if lead.email:
        email = lead.email
        info["emails"] = {"items": [{"tag": email.tag, "email": email.address, "primary": True}]}
    if lead.phones:
        once = {phone.e164: phone for phone in reversed(lead.phones)}
        phones = [phone for phone in lead.phones if once[phone.e164] is phone]
        info["phones"] = {"items": [phone_item(phone) for phone in phones]}
    if lead.addresses:
        info["addresses"] = {"items": [address_item(address) for address in lead.addresses]}
    _put_texts(info, lead)
    if lead.labels:
        unique = dict.fromkeys(keys.labels[name] for name in lead.labels)
        info["labelKeys"] = {"items": list(unique)}
    if lead.extended_fields:
        info["extendedFields"] = {"items": field_values(lead.extended_fields, keys)}
    return info


def _put_texts(info: InfoBody, lead: Lead) -> None:
    if lead.company:
        info["company"] = lead.company.value
    if lead.job_title:
        info["jobTitle"] = lead.job_title.value
    if lead.birthdate:
        info["birthdate"] = lead.birthdate.value
    if lead.locale:
        info["locale"] = lead.locale.value


def name_body(first: Text | None, last: Text | None) -> NameBody:
    """The parts of the name that are there."""
    name: NameBody = {}
    if first:
        name["first"] = first.value
    if last:
        name["last"] = last.value
    return name


def phone_item(phone: Phone) -> PhoneItem:
    """A phone in E.164: the one form in which a later exact look-up finds it (11.3 step 1)."""
    item: PhoneItem = {"tag": phone.tag, "phone": phone.e164}
    if phone.country:
        item["countryCode"] = phone.country
    return item


def address_item(address: Address) -> AddressItem:
    """An address with its street as one line."""
    body: AddressBody = {}
    if address.line:
        body["addressLine"] = address.line
    if address.line2:
        body["addressLine2"] = address.line2
    if address.city:
        body["city"] = address.city
    if address.postal_code:
        body["postalCode"] = address.postal_code
    if address.subdivision:
        body["subdivision"] = address.subdivision
    if address.country:
        body["country"] = address.country
    return {"tag": address.tag, "address": body}


def field_values(fields: tuple[ExtendedField, ...], keys: Keys) -> dict[str, str | int | float]:
    """Key to value; of several values for one field the first counts, as in the merge rules."""
    return {keys.fields[each.name]: each.value for each in reversed(fields)}
