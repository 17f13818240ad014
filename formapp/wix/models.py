"""A contact as Wix returns it, and the part of it that can be written (CONTRACT.md section 5).

Models are frozen. No repr shows personal data, so that no traceback or log can hold any.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, Literal, Self, TypedDict, TypeVar

from formapp.wix.parsing import (
    MalformedResponseError,
    integer,
    items,
    mapping,
    objects,
    required,
    text,
    timestamp,
)

T = TypeVar("T")

MEMBERSHIP_FIELD = "members.membershipStatus"

# The values are not published. Any other value counts as a member: that protects the contact.
_NO_MEMBER = re.compile(
    r"(no|non|not|not_a)_?member(ship(_status)?)?|no(_status)?|none|not_set|null|false"
    r"|undefined|unknown(_status)?"
)
_UNTAGGED = "UNTAGGED"
ADDRESS_PARTS = {
    "line": "addressLine",
    "line2": "addressLine2",
    "city": "city",
    "postal_code": "postalCode",
    "subdivision": "subdivision",
    "country": "country",
}

Fieldset = Literal["BASIC", "COMMUNICATION_DETAILS", "EXTENDED", "FULL"]


Item = dict[str, Any]
"""One e-mail, phone or address as Wix has it (CONTRACT.md section 5.3)."""


class Items(TypedDict, Generic[T]):
    """A complete list, which replaces the stored one, or values by key (section 7.3)."""

    items: T


class InfoBody(TypedDict, total=False):
    """`info` of Create and Update."""

    name: dict[str, str]
    emails: Items[list[Item]]
    phones: Items[list[Item]]
    addresses: Items[list[Item]]
    company: str
    jobTitle: str
    birthdate: str
    locale: str
    labelKeys: Items[list[str]]
    extendedFields: Items[dict[str, str | int | float]]


def _for_update(item: Mapping[str, Any], raw: Mapping[str, Any]) -> Item:
    """The item as it came, so that replacing its list loses no property that we do not know.

    The read-only `id` is included: Wix ignores it or uses it to keep the item (CONTRACT.md section
    7.3). The computed `e164Phone` is not.
    """
    known = {key: value for key, value in item.items() if value is not None}
    stored = {key: value for key, value in raw.items() if key != "e164Phone"}
    return copy.deepcopy(known | stored)


@dataclass(frozen=True, slots=True, repr=False)
class Email:
    """One e-mail, as stored; the address is empty where Wix sends none."""

    address: str
    tag: str = _UNTAGGED
    primary: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        return cls(
            address=text(raw.get("email")) or "",
            tag=text(raw.get("tag")) or _UNTAGGED,
            primary=raw.get("primary") is True,
            raw=raw,
        )

    def as_item(self) -> Item:
        item = {"tag": self.tag, "email": self.address, "primary": self.primary}
        return _for_update(item, self.raw)


@dataclass(frozen=True, slots=True, repr=False)
class Phone:
    """One phone: `number` as typed (may be empty), `e164` computed by Wix, `country` alpha-2."""

    number: str
    tag: str = _UNTAGGED
    country: str | None = None
    e164: str | None = None
    primary: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        return cls(
            number=text(raw.get("phone")) or "",
            tag=text(raw.get("tag")) or _UNTAGGED,
            country=text(raw.get("countryCode")),
            e164=text(raw.get("e164Phone")),
            primary=raw.get("primary") is True,
            raw=raw,
        )

    def as_item(self) -> Item:
        item = {
            "tag": self.tag,
            "countryCode": self.country,
            "phone": self.number,
            "primary": self.primary,
        }
        return _for_update(item, self.raw)


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One address: the street is in `line`, or in `street_number` and `street_name`."""

    tag: str = _UNTAGGED
    line: str | None = None
    street_number: str | None = None
    street_name: str | None = None
    line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    subdivision: str | None = None
    country: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        address = mapping(raw.get("address"))
        street = mapping(address.get("streetAddress"))
        return cls(
            tag=text(raw.get("tag")) or _UNTAGGED,
            street_number=text(street.get("number")),
            street_name=text(street.get("name")),
            raw=raw,
            **{name: text(address.get(key)) for name, key in ADDRESS_PARTS.items()},
        )

    def as_item(self) -> Item:
        """The item to send, with one form of the street (CONTRACT.md section 5.3)."""
        street = {"number": self.street_number, "name": self.street_name}
        parts: dict[str, Any] = {key: getattr(self, name) for name, key in ADDRESS_PARTS.items()}
        parts["streetAddress"] = {key: value for key, value in street.items() if value}
        given = {key: value for key, value in parts.items() if value}
        item = _for_update({"tag": self.tag, "address": given}, self.raw)
        address = mapping(item.get("address"))
        if "addressLine" in address and "streetAddress" in address:
            # The two parts say more than the line, unless both are empty.
            two_parts = self.street_name or self.street_number
            address.pop("addressLine" if two_parts else "streetAddress")
        return item


@dataclass(frozen=True, slots=True, repr=False)
class ContactInfo:
    """The writable part of a contact. Blank strings are None.

    The extended fields, by key, include those of the system, which cannot be written.
    """

    first: str | None = None
    last: str | None = None
    emails: tuple[Email, ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Address, ...] = ()
    company: str | None = None
    job_title: str | None = None
    birthdate: str | None = None
    locale: str | None = None
    label_keys: tuple[str, ...] = ()
    extended_fields: Mapping[str, str | float | int] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        name = mapping(raw.get("name"))
        return cls(
            first=text(name.get("first")),
            last=text(name.get("last")),
            emails=tuple(map(Email.parse, objects(raw.get("emails")))),
            phones=tuple(map(Phone.parse, objects(raw.get("phones")))),
            addresses=tuple(map(Address.parse, objects(raw.get("addresses")))),
            company=text(raw.get("company")),
            job_title=text(raw.get("jobTitle")),
            birthdate=text(raw.get("birthdate")),
            locale=text(raw.get("locale")),
            label_keys=tuple(filter(text, items(raw.get("labelKeys")))),
            extended_fields=_extended_fields(raw.get("extendedFields")),
        )


def _extended_fields(value: object) -> Mapping[str, str | float | int]:
    """The fields that are not blank; a value of an unknown kind is kept as its JSON text.

    Left out, such a value would look like a blank and be filled.
    """
    fields: dict[str, str | float | int] = {}
    for key, found in mapping(mapping(value).get("items")).items():
        if found is not None and not (isinstance(found, str) and not found.strip()):
            fields[key] = found if isinstance(found, str | int | float) else json.dumps(found)
    return MappingProxyType(fields)


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. Its repr shows id, revision and dates only.

    Attributes:
        revision: is sent with the next update (CONTRACT.md section 7.3).
        created_date, updated_date: aware; None where only some fields were asked for.
        primary_email, primary_phone: what Wix compares duplicates by (CONTRACT.md section 11.2).
        raw: the JSON object as it came.
    """

    id: str
    revision: int
    created_date: datetime | None = None
    updated_date: datetime | None = None
    primary_email: str | None = field(default=None, repr=False)
    primary_phone: str | None = field(default=None, repr=False)
    info: ContactInfo = field(default_factory=ContactInfo, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Parse the JSON object of a contact; Wix always sends id and revision (section 7.2)."""
        revision = integer(raw.get("revision"))
        if revision is None:
            raise MalformedResponseError("no revision")
        info = ContactInfo.parse(mapping(raw.get("info")))
        return cls(
            id=required(raw, "id"),
            revision=revision,
            created_date=timestamp(raw.get("createdDate")),
            updated_date=timestamp(raw.get("updatedDate")),
            primary_email=_primary(raw, "email", "primaryEmail")
            or next((item.address for item in info.emails if item.primary), None),
            primary_phone=_primary(raw, "phone", "primaryPhone")
            or next((item.number for item in info.phones if item.primary), None),
            info=info,
            raw=raw,
        )

    @property
    def is_member(self) -> bool:
        value = self.info.extended_fields.get(MEMBERSHIP_FIELD)
        if not value:
            return False
        status = re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_")
        return not _NO_MEMBER.fullmatch(status)


def _primary(raw: Mapping[str, Any], name: str, newer: str) -> str | None:
    """`primaryInfo.<name>`, or the newer object that repeats it (CONTRACT.md section 5.1)."""
    older = text(mapping(raw.get("primaryInfo")).get(name))
    return older or text(mapping(raw.get(newer)).get(name))
