"""E-mails, phones and addresses of a contact (contract section 5.3).

None of them shows personal data in its repr, so that no traceback or log can hold any.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, cast

from formapp.wix.bodies import AddressItem, EmailItem, PhoneItem
from formapp.wix.parsing import mapping, text

_UNTAGGED = "UNTAGGED"


def _sent_back(item: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """The item as it came, so that nothing we do not know is lost when its list is replaced.

    The read-only `id` goes along: it is ignored, or it lets Wix keep the item (contract 7.3). The
    computed `e164Phone` does not.
    """
    known = {key: value for key, value in item.items() if value is not None}
    stored = {key: value for key, value in raw.items() if key != "e164Phone"}
    return copy.deepcopy(known | stored)


@dataclass(frozen=True, slots=True, repr=False)
class Email:
    """One e-mail, as stored."""

    address: str
    tag: str = _UNTAGGED
    primary: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read a JSON item; a missing address is an empty string."""
        return cls(
            address=text(raw.get("email")) or "",
            tag=text(raw.get("tag")) or _UNTAGGED,
            primary=raw.get("primary") is True,
            raw=raw,
        )

    def as_item(self) -> EmailItem:
        """The item as it is sent back inside a complete list."""
        item = {"tag": self.tag, "email": self.address, "primary": self.primary}
        return cast("EmailItem", _sent_back(item, self.raw))


@dataclass(frozen=True, slots=True, repr=False)
class Phone:
    """One phone: `number` as typed, `e164` as Wix computed it, `country` alpha-2."""

    number: str
    tag: str = _UNTAGGED
    country: str | None = None
    e164: str | None = None
    primary: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read a JSON item; a missing number is an empty string."""
        return cls(
            number=text(raw.get("phone")) or "",
            tag=text(raw.get("tag")) or _UNTAGGED,
            country=text(raw.get("countryCode")),
            e164=text(raw.get("e164Phone")),
            primary=raw.get("primary") is True,
            raw=raw,
        )

    def as_item(self) -> PhoneItem:
        """The item as it is sent back inside a complete list, without the computed form."""
        item = {
            "tag": self.tag,
            "countryCode": self.country,
            "phone": self.number,
            "primary": self.primary,
        }
        return cast("PhoneItem", _sent_back(item, self.raw))


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
        """Read a JSON item."""
        address = mapping(raw.get("address"))
        street = mapping(address.get("streetAddress"))
        return cls(
            tag=text(raw.get("tag")) or _UNTAGGED,
            line=text(address.get("addressLine")),
            street_number=text(street.get("number")),
            street_name=text(street.get("name")),
            line2=text(address.get("addressLine2")),
            city=text(address.get("city")),
            postal_code=text(address.get("postalCode")),
            subdivision=text(address.get("subdivision")),
            country=text(address.get("country")),
            raw=raw,
        )

    def as_item(self) -> AddressItem:
        """The item as it is sent back, with one form of the street (both is undefined: 5.3)."""
        item = _sent_back({"tag": self.tag, "address": self._parts()}, self.raw)
        address = mapping(item.get("address"))
        if "addressLine" in address and "streetAddress" in address:
            # The two parts say more than the line; an empty pair says nothing.
            two_parts = self.street_name or self.street_number
            address.pop("addressLine" if two_parts else "streetAddress")
        return cast("AddressItem", item)

    def _parts(self) -> dict[str, Any]:
        """The parts that are there, for an address that did not come from Wix."""
        street = {"number": self.street_number, "name": self.street_name}
        parts = {
            "addressLine": self.line,
            "streetAddress": {key: value for key, value in street.items() if value} or None,
            "addressLine2": self.line2,
            "city": self.city,
            "postalCode": self.postal_code,
            "subdivision": self.subdivision,
            "country": self.country,
        }
        return {key: value for key, value in parts.items() if value}
