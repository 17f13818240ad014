"""The lead: the one value that travels from the form to the contact.

A lead is made once, from the cleaned answers of one submission, and never changes. It holds
the visitor's values and, for each, how to merge it into an existing contact. It is independent of
HTML, the database and Wix's wire format: every package can depend on it, and it on none.

Its text form (`repr`) shows no answer: a lead may turn up in a log line or a traceback.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal, Self

import msgspec

from formapp.decoding import decodable

DataType = Literal["TEXT", "NUMBER", "DATE", "URL"]
"""Data types of a Wix extended field (contract section 10.1)."""

FILES_OF = "\x1fformapp:files/"
"""Begins the value of an extended field that shall be a link to files: the name of the form's field
follows. The link is made when the lead is delivered, since it names the submission. No answer of a
visitor has a control character."""

EmailTag = Literal["UNTAGGED", "MAIN", "HOME", "WORK"]
PhoneTag = Literal["UNTAGGED", "MAIN", "HOME", "MOBILE", "WORK", "FAX"]
AddressTag = Literal["UNTAGGED", "HOME", "WORK", "BILLING", "SHIPPING"]


class InvalidLeadError(ValueError):
    """A stored lead can't be read. The text holds no answer."""


class Merge(StrEnum):
    """What happens when the contact already holds something."""

    FILL = "fill"
    """Set what is blank, keep what is there."""
    APPEND = "append"
    """Add to a list (phones, addresses)."""
    OVERWRITE = "overwrite"
    """Replace what is there; only if the form file sets it."""


class Private(msgspec.Struct, frozen=True):
    """A value whose text form shows none of it, since it may end in a log or an error page."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # msgspec's own would give a pretty printer the fields


class _Part(Private, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lead or a part of one; a stored one with other fields is refused."""


class Text(_Part, frozen=True, kw_only=True):
    """A single-valued property: a name, the company, the birth date (`YYYY-MM-DD`) and so on."""

    value: str
    merge: Merge = Merge.FILL


class Email(_Part, frozen=True, kw_only=True):
    """An e-mail address: normalised (trimmed, lower case) and as it was typed."""

    address: str
    typed: str
    tag: EmailTag = "UNTAGGED"


class Phone(_Part, frozen=True, kw_only=True):
    """A phone number: E.164 (`+442079460018`), as typed, and its country (ISO alpha-2) if known.

    `extension` is digits, or empty.
    """

    e164: str
    typed: str
    country: str | None = None
    extension: str = ""
    tag: PhoneTag = "UNTAGGED"
    merge: Merge = Merge.FILL

    @property
    def number(self) -> str:
        """The number with its extension: two people at one switchboard have two numbers."""
        return with_extension(self.e164, self.extension)


def with_extension(e164: str, extension: str) -> str:
    """Return a number as it is dialled, compared and sent: `+442079460018 ext. 11`."""
    return f"{e164} ext. {extension}" if extension else e164


class Address(_Part, frozen=True, kw_only=True):
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    tag: AddressTag = "UNTAGGED"
    merge: Merge = Merge.FILL
    line: str | None = None
    line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    subdivision: str | None = None
    country: str | None = None


class ExtendedField(_Part, frozen=True, kw_only=True):
    """A value for an extended field, named as people see it; its key is found at Wix.

    `value` is a number for NUMBER, else text (`YYYY-MM-DD` for DATE).
    """

    name: str
    data_type: DataType = "TEXT"
    value: str | int | float
    merge: Merge = Merge.FILL


@decodable
class Lead(_Part, frozen=True, kw_only=True):
    """All values of one submission, about one person. Absent and blank answers are left out."""

    form: str
    site: str
    first_name: Text | None = None
    last_name: Text | None = None
    company: Text | None = None
    job_title: Text | None = None
    birthdate: Text | None = None
    locale: Text | None = None
    email: Email | None = None
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Address, ...] = ()
    labels: tuple[str, ...] = ()
    extended_fields: tuple[ExtendedField, ...] = ()

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Return a stored lead, or raise InvalidLeadError."""
        try:
            return msgspec.convert(content, cls)
        except msgspec.ValidationError:
            raise InvalidLeadError("the stored lead can't be read") from None

    def to_json(self) -> dict[str, Any]:
        content: dict[str, Any] = msgspec.to_builtins(self)
        return content

    def with_file_links(self, link_of: Callable[[str], str | None]) -> "Lead":
        """Return the lead with links to files, by the name of the form's field, or without them."""
        linked = []
        for each in self.extended_fields:
            value: str | int | float | None = each.value
            if isinstance(value, str) and value.startswith(FILES_OF):
                value = link_of(value.removeprefix(FILES_OF))
            if value is not None:
                linked.append(msgspec.structs.replace(each, value=value))
        return msgspec.structs.replace(self, extended_fields=tuple(linked))

    @property
    def email_identity(self) -> str | None:
        """The normalised e-mail: who this is."""
        return self.email.address if self.email else None

    @property
    def phone_identity(self) -> str | None:
        """The first phone in E.164, with its extension: who this is where there is no e-mail."""
        return self.phones[0].number if self.phones else None
