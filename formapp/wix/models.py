"""A contact as Wix answers it (contract section 5), frozen and tolerant of missing parts."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Generic, Literal, NamedTuple, Self, TypedDict, TypeVar, cast


class MalformedResponseError(ValueError):
    """A part is missing without which an answer means nothing (an id, a key, a list)."""


def text(value: object) -> str | None:
    """The string as it is; None when it is blank or no string."""
    return value if isinstance(value, str) and value.strip() else None


def required(value: object, name: str) -> str:
    """The string as it is.

    Raises:
        MalformedResponseError: it is blank or no string.
    """
    found = text(value)
    if found is None:
        raise MalformedResponseError(f"no {name}")
    return found


def mapping(value: object) -> dict[str, Any]:
    """The JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def array(value: object) -> list[Any]:
    """The JSON array, or an empty one."""
    return value if isinstance(value, list) else []


def items(value: object) -> list[Any]:
    """The list inside `{"items": [...]}` (contract section 5.3)."""
    return array(mapping(value).get("items"))


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects inside `{"items": [...]}`; anything else in it is left out."""
    return [item for item in items(value) if isinstance(item, dict)]


def whole(value: object) -> int | None:
    """The integer, also when it is written as a string of digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return None


def moment(value: object) -> datetime | None:
    """ISO 8601 as an aware datetime; without an offset it is taken as UTC (contract section 1)."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def unwrap(body: Mapping[str, Any], name: str, identity: str) -> dict[str, Any]:
    """`body[name]`, or `body` itself where the sources show the bare object (contract 7.5, 10.5).

    Raises:
        MalformedResponseError: neither is there.
    """
    inner = body.get(name)
    if isinstance(inner, dict):
        return inner
    if identity in body:
        return dict(body)
    raise MalformedResponseError(f"no {name}")


Fieldset = Literal["BASIC", "COMMUNICATION_DETAILS", "EXTENDED", "FULL"]
SortOrder = Literal["ASC", "DESC"]
DataType = Literal["TEXT", "NUMBER", "DATE", "URL"]


class NameBody(TypedDict, total=False):
    """First and last name; on update send both (contract section 7.3)."""

    first: str
    last: str


class EmailItem(TypedDict, total=False):
    """One e-mail. `id` is Wix's own and only goes back with an item that came from Wix."""

    id: str
    tag: str
    email: str
    primary: bool


class PhoneItem(TypedDict, total=False):
    """One phone as typed, with its country (ISO 3166-1 alpha-2)."""

    id: str
    tag: str
    countryCode: str
    phone: str
    primary: bool


class StreetBody(TypedDict, total=False):
    """A street in two parts."""

    number: str
    name: str


class AddressBody(TypedDict, total=False):
    """`addressLine` or `streetAddress`, never both."""

    addressLine: str
    streetAddress: StreetBody
    addressLine2: str
    city: str
    postalCode: str
    subdivision: str
    country: str


class AddressItem(TypedDict, total=False):
    """One address."""

    id: str
    tag: str
    address: AddressBody


class EmailList(TypedDict):
    """The complete list of e-mails."""

    items: list[EmailItem]


class PhoneList(TypedDict):
    """The complete list of phones."""

    items: list[PhoneItem]


class AddressList(TypedDict):
    """The complete list of addresses."""

    items: list[AddressItem]


class LabelKeyList(TypedDict):
    """The complete list of label keys."""

    items: list[str]


class ExtendedFieldMap(TypedDict):
    """Field key to value."""

    items: dict[str, str | int | float]


class InfoBody(TypedDict, total=False):
    """`info` of Create and Update. Lists replace the stored ones whole (contract section 7.3)."""

    name: NameBody
    emails: EmailList
    phones: PhoneList
    addresses: AddressList
    company: str
    jobTitle: str
    birthdate: str
    locale: str
    labelKeys: LabelKeyList
    extendedFields: ExtendedFieldMap


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
            MalformedResponseError: no id or no revision, which always come (contract section 7.2).
        """
        revision = whole(raw.get("revision"))
        if revision is None:
            raise MalformedResponseError("no revision")
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


T = TypeVar("T")

MAX_PAGE = 1000


class Sort(NamedTuple):
    """One sort field and its direction."""

    field_name: str = "createdDate"
    order: SortOrder = "ASC"


# Always sent: the sources disagree about the default.
OLDEST_FIRST = Sort()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list or a query.

    Attributes:
        items: the rows.
        offset: where the page starts, as Wix says; None if it does not.
        total: number of all rows; None where it is missing or `too_many_to_count`.
    """

    items: tuple[T, ...]
    offset: int | None = None
    total: int | None = None
    too_many_to_count: bool = False

    def __iter__(self) -> Iterator[T]:
        """The rows of this page."""
        return iter(self.items)

    def __len__(self) -> int:
        """Number of rows in this page."""
        return len(self.items)

    def is_last(self, end: int, limit: int) -> bool:
        """Whether no page follows one that ends at offset `end` and was asked for with `limit`."""
        if self.total is not None:
            return not self.items or end >= self.total
        return len(self.items) < limit

    @classmethod
    def parse(cls, body: Mapping[str, Any], name: str, row: Callable[[dict[str, Any]], T]) -> Self:
        """Read `body[name]` and its `pagingMetadata` or `metadata` (contract sections 8.1, 9.4).

        Raises:
            MalformedResponseError: no such list, or a row without its id or key.
        """
        rows = body.get(name)
        if not isinstance(rows, list):
            raise MalformedResponseError(f"no {name}")
        about = mapping(body.get("pagingMetadata")) or mapping(body.get("metadata"))
        too_many = True in (about.get("tooManyToCount"), about.get("too_many_to_count"))
        return cls(
            items=tuple(row(mapping(entry)) for entry in rows),
            offset=whole(about.get("offset")),
            total=None if too_many else whole(about.get("total")),
            too_many_to_count=too_many,
        )


def walk(
    fetch: Callable[[int], Page[T]], page_size: int, identity: Callable[[T], str]
) -> Iterator[T]:
    """All rows, page by page, each identity once: offsets over changing data repeat rows."""
    seen: set[str] = set()
    offset = 0
    while True:
        page = fetch(offset)
        fresh = {identity(row): row for row in page if identity(row) not in seen}
        yield from fresh.values()
        seen.update(fresh)
        offset += len(page)
        # A page without news would come again for ever if Wix ignored the offset.
        if not fresh or page.is_last(offset, page_size):
            return
