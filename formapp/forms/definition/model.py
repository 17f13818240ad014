"""A form definition: everything that one TOML file says.

These models check the shape of each key. `checks` compares keys with each other. The limits of
targets come from the Wix Contacts contract, sections 5.2, 5.3, 9.1 and 10.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Strict,
    Tag,
    model_validator,
)
from pydantic import Field as Key

from formapp.confirmation.definition import Confirm, ConfirmTexts
from formapp.forms.definition import links
from formapp.forms.definition.base import Definition, LabelName, Listed, Text, WebAddress, trimmed
from formapp.forms.definition.layout import Condition, ShowIf, Step
from formapp.forms.definition.theme import Theme
from formapp.forms.definition.uploads import FileKeys
from formapp.forms.origins import matches, normalise
from formapp.forms.reading.text import clean_line, read_locale
from formapp.languages import gettext_noop
from formapp.lead import AddressTag, DataType, EmailTag, Merge, PhoneTag
from formapp.notifications.definition import Notify, Reply, ReplyTexts
from formapp.spam.definition import PostedNames, Spam, posted_name

RESERVED = ("_token", "_gotcha", "_next", "_subject", "_replyto", "_id", "_file")
"""Names of formapp's own; no field's name begins with `_`."""

LARGEST = 10**15
"""Numbers have at most 15 digits before the point, as in `read_number`."""
_LEAST_BYTES = 64 * 1024
SEND, THANK_YOU = gettext_noop("Send"), gettext_noop("Thank you")
"""The default texts of the button and of the thank-you page's heading."""

# Targets: the `to` of a field.

Property = Literal[
    "first_name",
    "last_name",
    "full_name",
    "email",
    "phone",
    "company",
    "job_title",
    "birthdate",
    "locale",
    "address_line",
    "address_line2",
    "city",
    "postal_code",
    "subdivision",
    "country",
]

ADDRESS_PARTS = {
    "address_line": "line",
    "address_line2": "line2",
    "city": "city",
    "postal_code": "postal_code",
    "subdivision": "subdivision",
    "country": "country",
}
"""Property of a form file -> attribute of `formapp.lead.Address`."""

TAGS: dict[str, tuple[str, ...]] = {
    "email": get_args(EmailTag),
    "phone": get_args(PhoneTag),
    **dict.fromkeys(ADDRESS_PARTS, get_args(AddressTag)),
}
"""The properties that take a tag, with their tags."""

PROPERTY_LIMITS = {"email": 320, "phone": 50, "postal_code": 100, "subdivision": 100}
"""Longest value in characters (contract sections 5.2 and 5.3). Other properties take `TEXT_LIMIT`
or are validated as a whole: a country must not be cut into another country."""

TEXT_LIMIT = 1000
"""Longest name, company, city, address line and TEXT value. Wix publishes no limit for extended
fields; 1000 is what the contract's sandbox rules chose (section 10.4)."""

_MergeRule = Annotated[Merge, Strict(strict=False)]


class PropertyTarget(Definition):
    """A property of the contact, such as `{ property = "phone", tag = "MOBILE" }`."""

    property: Property
    tag: str | None = None
    merge: _MergeRule = Merge.FILL


class ExtendedFieldTarget(Definition):
    """An extended field by its display name (1 to 150 characters, contract section 10.1)."""

    extended_field: Annotated[str, Key(min_length=1, max_length=150), AfterValidator(trimmed)]
    data_type: DataType = "TEXT"
    merge: _MergeRule = Merge.FILL


class LabelTarget(Definition):
    """A label that the contact gets when the box is ticked."""

    label: LabelName


def _long_form(value: Any) -> Any:
    return {"property": value} if isinstance(value, str) else value


TARGET_KINDS = ("property", "extended_field", "label")


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        found = [kind for kind in TARGET_KINDS if kind in value]
        return found[0] if len(found) == 1 else None
    return next((kind for kind in TARGET_KINDS if hasattr(value, kind)), None)


Target = Annotated[
    Annotated[PropertyTarget, Tag("property")]
    | Annotated[ExtendedFieldTarget, Tag("extended_field")]
    | Annotated[LabelTarget, Tag("label")],
    Discriminator(
        _kind,
        custom_error_type="target_kind",
        custom_error_message=(
            "should name one property, one extended_field or one label, "
            'such as to = "email" or to = { extended_field = "Budget" }'
        ),
    ),
    BeforeValidator(_long_form),
]
"""The `to` of a field; a plain string is short for a property."""


def limit_of(target: PropertyTarget | ExtendedFieldTarget | LabelTarget | None) -> int | None:
    """Return the longest text in characters that Wix takes for this target, None for no limit."""
    match target:
        case PropertyTarget():
            return PROPERTY_LIMITS.get(target.property, TEXT_LIMIT)
        case ExtendedFieldTarget(data_type="TEXT"):
            return TEXT_LIMIT
    return None


# Fields and their options.

FieldType = Literal[
    "text",
    "textarea",
    "email",
    "tel",
    "number",
    "date",
    "url",
    "select",
    "radio",
    "checkboxes",
    "checkbox",
    "consent",
    "hidden",
    "file",
]
_TYPE_LIMITS = {"textarea": 10_000, "email": 320, "tel": 50, "url": 2000, "number": 50, "date": 100}


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def iso_date(text: str) -> date | None:
    """Return the date that `YYYY-MM-DD` stands for."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _sent(value: str) -> str:
    # Posted texts are cleaned in the same way before they are compared with this one.
    if not (cleaned := clean_line(value)):
        raise ValueError("is empty")
    return cleaned


def _alias(name: str) -> str:
    name = posted_name(name)
    if name.startswith("_") and name != "_replyto":
        raise ValueError(f'"{name}" begins with "_", as formapp\'s own names do')
    return name


def _bound(given: Any) -> int | float | date:
    if isinstance(given, str) and (day := iso_date(given)):
        return day
    if isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < LARGEST:
        return given
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    raise ValueError("should be a number, or a date such as 2026-12-31")


SentValue = Annotated[str, AfterValidator(_sent)]
Alias = Annotated[str, AfterValidator(_alias)]
Bound = Annotated[int | float | date, BeforeValidator(_bound)]


class Option(Definition):
    """One choice of a select, radio or checkboxes field; a plain string is value and label."""

    value: Annotated[SentValue, Key(max_length=1000)]
    label: Text
    adds_label: LabelName | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, given: Any) -> Any:
        return {"value": given, "label": given} if isinstance(given, str) else given


class FieldDefinition(FileKeys):
    """One `[[fields]]` table. `checks` knows which keys each type takes."""

    name: Annotated[str, Key(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    aliases: Listed[Alias] = ()
    type: FieldType
    label_text: Annotated[str, Key(alias="label")] = ""
    help: str = ""
    section: Text | None = None
    width: Literal["full", "half"] = "full"
    show_if: ShowIf | None = None
    placeholder: str = ""
    autocomplete: str | None = None
    required: bool = False
    min_length: Annotated[int, Key(ge=1)] | None = None
    max_length: Annotated[int, Key(ge=1, le=10_000)] | None = None
    min: Bound | None = None
    max: Bound | None = None
    region: str | None = None
    options: Listed[Option] = ()
    value: SentValue | None = None
    prefill: bool = False
    from_query: Text | None = None
    from_: Annotated[Literal["referrer", "page"] | None, Key(alias="from")] = None
    rows: Annotated[int, Key(ge=1, le=50)] | None = None
    to: Target | None = None

    @property
    def label(self) -> str:
        """The label without the addresses of its links, which only `label_text` has."""
        return links.plain(self.label_text)

    @property
    def names(self) -> tuple[str, ...]:
        """All names by which the field may be posted, its own first."""
        return (self.name, *self.aliases)

    @property
    def given(self) -> frozenset[str]:
        """The keys that the form file has for this field, spelled as in the file."""
        fields = type(self).model_fields
        return frozenset(fields[key].alias or key for key in self.model_fields_set)

    @property
    def query_names(self) -> tuple[str, ...]:
        """The query parameters of a page that prefill this field, the first one first."""
        name = self.from_query or (self.name if self.prefill else None)
        return (name, *self.aliases) if name else ()

    @property
    def hard_limit(self) -> int:
        """The longest answer in characters that the field's type and target take."""
        own = _TYPE_LIMITS.get(self.type, TEXT_LIMIT)
        return min(own, limit_of(self.to) or own)

    @property
    def limit(self) -> int:
        """The longest answer in characters: `max_length` if given, else the hard limit."""
        return self.max_length or self.hard_limit

    @property
    def longest(self) -> int:
        """The most characters that its answer has in a post."""
        if self.options:
            return sum(len(option.value) for option in self.options)
        return max(self.limit, len(self.value or ""))

    @property
    def visible(self) -> bool:
        return self.type != "hidden"

    @property
    def tick_value(self) -> str:
        return self.value or "yes"


# Texts in another language: `[texts.de]`.


def _language(tag: str) -> str:
    if (language := read_locale(tag)) is None:
        raise ValueError(f'"{tag}" is not a language tag; write it as "en" or "pt-BR" (BCP 47)')
    return language


Language = Annotated[str, AfterValidator(_language)]
"""A tag of BCP 47 in its usual capitals."""


class FieldTexts(Definition):
    """The texts of one field; `options` maps the value of an option to its text."""

    label: Text | None = None
    help: Text | None = None
    placeholder: Text | None = None
    options: dict[str, Text] = Key(default_factory=dict)


class ThanksTexts(Definition):
    title: Text | None = None
    text: Text | None = None


class Texts(Definition):
    """All texts of a form in one language. `localize` fills in missing ones."""

    title: Text
    intro: Text | None = None
    submit: Text | None = None
    thanks: ThanksTexts = ThanksTexts()
    confirm: ConfirmTexts | None = None
    sections: dict[str, Text] = Key(default_factory=dict)
    steps: dict[str, Text] = Key(default_factory=dict)
    reply: ReplyTexts | None = None
    fields: dict[str, FieldTexts] = Key(default_factory=dict)


class Brand(Definition):
    """Whose form it is: a row above the card, a footer, and where the last pages lead on to."""

    name: Text
    logo: WebAddress | None = None
    home: WebAddress | None = None
    privacy: WebAddress | None = None
    imprint: WebAddress | None = None


class Thanks(Definition):
    """The page after a submission: ours, or a redirect to an absolute address."""

    title: Text = THANK_YOU
    text: str = ""
    redirect: str | None = None


class FormDefinition(Definition):
    """One form. `parse.parse_form` builds it and runs all checks."""

    title: Text
    intro: str = ""
    submit: Text = SEND
    language: Language = "en"
    site: Text | None = None
    origins: Listed[Annotated[str, AfterValidator(normalise)]] = ()
    labels: Listed[LabelName] = ()
    next_fields: PostedNames = ()
    keep_ip: bool = False
    keep_days: Annotated[int, Key(ge=1, le=36500)] | None = None
    theme: Theme | None = None
    brand: Brand | None = None
    spam: Spam = Spam()
    thanks: Thanks = Thanks()
    confirm: Confirm | None = None
    notify: Notify | None = None
    reply: Reply | None = None
    steps: Listed[Step] = ()
    fields: Annotated[Listed[FieldDefinition], Key(min_length=1)]
    texts: dict[Language, Texts] = Key(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the form offers, its own first."""
        return (self.language, *self.texts)

    @property
    def foreign_names(self) -> tuple[str, ...]:
        """Names by which other servers' forms send what isn't an answer."""
        return (*self.spam.honeypots, *self.next_fields)

    @property
    def conditions(self) -> list[tuple[str, Condition]]:
        """The fields that may not apply, each with its condition."""
        return [(field.name, field.show_if) for field in self.fields if field.show_if]

    @property
    def longest_post(self) -> int:
        """How many bytes a post may have; a character of any script takes up to 12 in a form."""
        text = sum(field.longest for field in self.fields)
        names = sum(max(map(len, field.names)) for field in self.fields)
        return max(_LEAST_BYTES, 12 * (text + names) + 200 * len(self.fields) + _LEAST_BYTES // 4)

    @property
    def most_file_bytes(self) -> int:
        return sum(field.most_bytes for field in self.fields if field.type == "file")

    @property
    def version(self) -> str:
        """First 12 hex digits of SHA-256 over the canonical JSON of this definition."""
        content = self.model_dump(mode="json", by_alias=True)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def allows_origin(self, origin: str) -> bool:
        """Return whether a browser's `Origin` header is on the list; `null` never is."""
        try:
            given = normalise(origin)
        except ValueError:
            return False
        return "*" not in given and any(matches(listed, given) for listed in self.origins)


LIST_NAME = re.compile(r"(?P<name>.+)\[(?P<index>[0-9]{0,9})\]", re.DOTALL)
"""`name[]` and `name[0]`, as other forms call the members of a group."""


def in_brackets(fields: Iterable[FieldDefinition], sent: str) -> FieldDefinition | None:
    """Return the field that a name with brackets behind it stands for, if any."""
    match = LIST_NAME.fullmatch(sent)
    if match is None:
        return None
    for field in fields:
        if match["name"] in field.names and (
            not match["index"] or field.type in {"checkboxes", "file"}
        ):
            return field
    return None
