"""What is sent: the writable side of a contact as plain JSON (contract sections 5.2 and 5.3)."""

from typing import Literal, TypedDict

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
