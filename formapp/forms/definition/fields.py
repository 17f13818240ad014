"""One field of a form file: its keys, their types and defaults."""

import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, PlainSerializer, PlainValidator, Strict, model_validator
from pydantic import Field as Key

from formapp.forms.definition.targets import Definition, LabelName, Target, limit_of
from formapp.forms.fields.values import clean_line, parse_date

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
]

_LIMITS = {"textarea": 10_000, "email": 320, "tel": 50, "url": 2000, "number": 50, "date": 10}
_LIMIT = 1000
LARGEST = 10**15
"""Numbers have at most 15 digits before the point, as `values.parse_number` has it."""


def _sent(value: str) -> str:
    # Compared with what is posted, which is cleaned too.
    if not (cleaned := clean_line(value)):
        raise ValueError("is empty")
    return cleaned


SentValue = Annotated[str, AfterValidator(_sent)]
LONGEST_ALIAS = 200


def _alias(name: str) -> str:
    # What is posted is normalised too. HTML lets a name hold anything else, also blanks.
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise ValueError("is empty")
    if name.startswith("_"):
        raise ValueError(f'"{name}" begins with "_", as formapp\'s own names do')
    if len(name) > LONGEST_ALIAS:
        raise ValueError(f"is too long; at most {LONGEST_ALIAS} characters")
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise ValueError("holds a character that no form can send (NUL, a tab or a line end)")
    return name


Alias = Annotated[str, AfterValidator(_alias)]


class Option(Definition):
    """One choice of a select, radio or checkboxes field; a plain string stands for both texts."""

    value: Annotated[SentValue, Key(max_length=1000)]
    label: Annotated[str, Key(min_length=1)]
    adds_label: LabelName | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, given: Any) -> Any:
        return {"value": given, "label": given} if isinstance(given, str) else given


def _bound(given: Any) -> int | float | date:
    if isinstance(given, str) and (day := parse_date(given)):
        return date.fromisoformat(day)
    if isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < LARGEST:
        return given
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    raise ValueError("should be a number, or a date such as 2026-12-31")


def _plain(bound: float | date) -> int | float | str:
    return bound.isoformat() if isinstance(bound, date) else bound


Bound = Annotated[
    int | float | date, PlainValidator(_bound), PlainSerializer(_plain, when_used="json")
]


class FieldDefinition(Definition):
    """One `[[fields]]` table. Which keys a type takes is checked in `checks.field`."""

    name: Annotated[str, Key(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
    aliases: Annotated[tuple[Alias, ...], Strict(strict=False)] = ()
    type: FieldType
    label: str = ""
    help: str = ""
    placeholder: str = ""
    autocomplete: str | None = None
    required: bool = False
    min_length: Annotated[int, Key(ge=1)] | None = None
    max_length: Annotated[int, Key(ge=1, le=10_000)] | None = None
    min: Bound | None = None
    max: Bound | None = None
    region: str | None = None
    options: Annotated[tuple[Option, ...], Strict(strict=False)] = ()
    value: SentValue | None = None
    prefill: bool = False
    from_query: Annotated[str, Key(min_length=1)] | None = None
    from_: Annotated[Literal["referrer", "page"] | None, Key(alias="from")] = None
    rows: Annotated[int, Key(ge=1, le=50)] | None = None
    to: Target | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which the field may be posted, its own first."""
        return (self.name, *self.aliases)

    @property
    def given(self) -> frozenset[str]:
        """The keys that the form file holds for this field, by their names in the file."""
        return frozenset("from" if key == "from_" else key for key in self.model_fields_set)

    @property
    def asked(self) -> str | None:
        """The name in a page's query that may fill this field beforehand; None: none may."""
        return self.from_query or (self.name if self.prefill else None)

    @property
    def hard_limit(self) -> int:
        """The longest answer in characters that the field's type and target can take."""
        own = _LIMITS.get(self.type, _LIMIT)
        target = limit_of(self.to)
        return own if target is None else min(own, target)

    @property
    def limit(self) -> int:
        """The longest answer in characters: the owner's limit, else the hard one."""
        return self.max_length or self.hard_limit

    @property
    def visible(self) -> bool:
        """Whether the visitor sees this field."""
        return self.type != "hidden"

    @property
    def tick_value(self) -> str:
        """What a ticked checkbox sends."""
        return self.value or "yes"
