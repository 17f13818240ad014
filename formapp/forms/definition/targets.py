"""Where an answer goes in the contact: a property, an extended field or a label.

These are the shapes of a form file's `to`. Which field type fits which target is checked in
`checks.target`; the limits come from the Wix Contacts contract, sections 5.2, 5.3, 9.1 and 10.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Strict,
    Tag,
)
from pydantic import Field as Key

from formapp.lead import AddressTag, DataType, EmailTag, Merge, PhoneTag

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
"""The properties that take a tag, and which."""

PROPERTY_LIMITS = {
    "email": 320,
    "phone": 50,
    "postal_code": 100,
    "subdivision": 100,
}
"""Longest value in characters (contract sections 5.2 and 5.3); all others take 1000, or
are checked for what they are: a country must not be cut to another one."""

TEXT_LIMIT = 1000
"""Longest name, company, city, address line and TEXT value. For an extended field no limit is
published; 1000 is the choice of the contract's sandbox rules (section 10.4)."""


class Definition(BaseModel):
    """Base of everything in a form file: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _trimmed(name: str) -> str:
    if name != name.strip():
        raise ValueError("begins or ends with a blank")
    return name


MergeRule = Annotated[Merge, Strict(strict=False)]


class PropertyTarget(Definition):
    """A property of the contact, such as `{ property = "phone", tag = "MOBILE" }`."""

    property: Property
    tag: str | None = None
    merge: MergeRule = Merge.FILL


class ExtendedFieldTarget(Definition):
    """An extended field by its display name (1 to 150 characters, contract section 10.1)."""

    extended_field: Annotated[str, Key(min_length=1, max_length=150), AfterValidator(_trimmed)]
    data_type: DataType = "TEXT"
    merge: MergeRule = Merge.FILL


LabelName = Annotated[str, Key(min_length=1, max_length=180), AfterValidator(_trimmed)]
"""A label's display name (contract section 9.1)."""


class LabelTarget(Definition):
    """A label that the contact gets when the box is ticked."""

    label: LabelName


_KINDS = ("property", "extended_field", "label")


def _long_form(value: Any) -> Any:
    return {"property": value} if isinstance(value, str) else value


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        kinds = [kind for kind in _KINDS if kind in value]
        return kinds[0] if len(kinds) == 1 else None
    return next((kind for kind in _KINDS if hasattr(value, kind)), None)


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
    """Return how many characters Wix takes for this target, or None where that doesn't apply."""
    match target:
        case PropertyTarget():
            return PROPERTY_LIMITS.get(target.property, TEXT_LIMIT)
        case ExtendedFieldTarget(data_type="TEXT"):
            return TEXT_LIMIT
    return None
