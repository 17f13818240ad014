"""A contact as Wix answers it (contract section 5), frozen and tolerant of missing parts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self

from formapp.wix.items import Address, Email, Phone
from formapp.wix.parsing import (
    MalformedAnswerError,
    items,
    mapping,
    moment,
    objects,
    required,
    text,
    whole,
)

MEMBERSHIP_FIELD = "members.membershipStatus"

# The values are not published. What is not listed counts as a member: that protects the contact.
_NO_MEMBER = frozenset(
    {
        "false",
        "no",
        "no_member",
        "no_membership",
        "no_membership_status",
        "no_status",
        "non_member",
        "none",
        "nonmember",
        "not_a_member",
        "not_member",
        "not_set",
        "null",
        "undefined",
        "unknown",
        "unknown_status",
    }
)


@dataclass(frozen=True, slots=True, repr=False)
class ContactInfo:
    """Everything of a contact that can be written. Blank strings read as None.

    Attributes:
        birthdate: `YYYY-MM-DD`.
        locale: BCP 47.
        label_keys: keys, not display names.
        extended_fields: field key to value, system fields included; read-only.
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
        """Read the JSON object `info`."""
        name = mapping(raw.get("name"))
        return cls(
            first=text(name.get("first")),
            last=text(name.get("last")),
            emails=tuple(Email.parse(item) for item in objects(raw.get("emails"))),
            phones=tuple(Phone.parse(item) for item in objects(raw.get("phones"))),
            addresses=tuple(Address.parse(item) for item in objects(raw.get("addresses"))),
            company=text(raw.get("company")),
            job_title=text(raw.get("jobTitle")),
            birthdate=text(raw.get("birthdate")),
            locale=text(raw.get("locale")),
            label_keys=tuple(key for key in items(raw.get("labelKeys")) if text(key)),
            extended_fields=_extended_fields(raw.get("extendedFields")),
        )


def _extended_fields(value: object) -> Mapping[str, str | float | int]:
    """The fields that hold something; a value of an unknown kind is kept as its JSON text.

    Left out, such a value would look like a blank and be filled.
    """
    held: dict[str, str | float | int] = {}
    for key, found in mapping(mapping(value).get("items")).items():
        if found is None or (isinstance(found, str) and not found.strip()):
            continue
        held[key] = found if isinstance(found, str | int | float) else json.dumps(found)
    return MappingProxyType(held)


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. Its repr shows id, revision and dates only.

    Attributes:
        id: GUID.
        revision: goes with the next update (contract section 7.3).
        created_date, updated_date: aware; None where the answer was projected.
        primary_email, primary_phone: what duplicates are compared by (contract section 11.4).
        source_type: `source.sourceType`, an open list.
        raw: the JSON object as it came.
    """

    id: str
    revision: int
    created_date: datetime | None = None
    updated_date: datetime | None = None
    primary_email: str | None = field(default=None, repr=False)
    primary_phone: str | None = field(default=None, repr=False)
    info: ContactInfo = field(default_factory=ContactInfo, repr=False)
    source_type: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON object of a contact.

        Raises:
            MalformedAnswerError: no id or no revision, which always come (contract section 7.2).
        """
        revision = whole(raw.get("revision"))
        if revision is None:
            raise MalformedAnswerError("no revision")
        info = ContactInfo.parse(mapping(raw.get("info")))
        return cls(
            id=required(raw.get("id"), "id"),
            revision=revision,
            created_date=moment(raw.get("createdDate")),
            updated_date=moment(raw.get("updatedDate")),
            primary_email=_primary(raw, "email", "primaryEmail")
            or next((item.address for item in info.emails if item.primary), None),
            primary_phone=_primary(raw, "phone", "primaryPhone")
            or next((item.number for item in info.phones if item.primary), None),
            info=info,
            source_type=text(mapping(raw.get("source")).get("sourceType")),
            raw=raw,
        )

    @property
    def is_member(self) -> bool:
        """Whether the contact is a site member, as its membership field tells."""
        value = self.info.extended_fields.get(MEMBERSHIP_FIELD)
        if not value:
            return False
        return re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_") not in _NO_MEMBER


def _primary(raw: Mapping[str, Any], name: str, newer: str) -> str | None:
    """`primaryInfo.<name>`, or the newer object that repeats it (contract section 5.1)."""
    older = text(mapping(raw.get("primaryInfo")).get(name))
    return older or text(mapping(raw.get(newer)).get(name))
