"""Autofill tokens of the HTML standard (section 4.10.18.7): checking and choosing them."""

from formapp.forms.definition.model import FieldDefinition, PropertyTarget

_NAMES = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "name honorific-prefix given-name additional-name family-name honorific-suffix nickname "
        "username new-password current-password one-time-code organization-title organization "
        "street-address address-line1 address-line2 address-line3 address-level4 address-level3 "
        "address-level2 address-level1 country country-name postal-code cc-name cc-given-name "
        "cc-additional-name cc-family-name cc-number cc-exp cc-exp-month cc-exp-year cc-csc "
        "cc-type transaction-currency transaction-amount language bday bday-day bday-month "
        "bday-year sex url photo"
    ).split(" ")
)
_CONTACT_NAMES = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "tel tel-country-code tel-national tel-area-code tel-local tel-local-prefix "
        "tel-local-suffix tel-extension email impp"
    ).split(" ")
)
TOKENS = _NAMES | _CONTACT_NAMES | {"on", "off"}
"""Every token that may end an `autocomplete` value."""

_OF_PROPERTY = {
    "first_name": "given-name",
    "last_name": "family-name",
    "full_name": "name",
    "email": "email",
    "phone": "tel",
    "company": "organization",
    "job_title": "organization-title",
    "birthdate": "bday",
    "locale": "language",
    "address_line": "address-line1",
    "address_line2": "address-line2",
    "city": "address-level2",
    "postal_code": "postal-code",
    "subdivision": "address-level1",
    "country": "country",
}
_OF_TYPE = {"email": "email", "tel": "tel"}


def is_autocomplete(text: str) -> bool:
    """Say whether the text is an autofill detail list of the HTML standard, or on or off."""
    tokens = text.lower().split()
    if tokens in (["on"], ["off"]):
        return True
    if tokens and tokens[0].startswith("section-") and len(tokens[0]) > len("section-"):
        tokens = tokens[1:]
    if tokens and tokens[0] in {"shipping", "billing"}:
        tokens = tokens[1:]
    if tokens and tokens[0] in {"home", "work", "mobile", "fax", "pager"}:
        return len(tokens) == 2 and tokens[1] in _CONTACT_NAMES  # noqa: PLR2004 - a pair
    return len(tokens) == 1 and tokens[0] in _NAMES | _CONTACT_NAMES


def autocomplete_of(field: FieldDefinition) -> str | None:
    """Return what the owner wrote, else what the field's target says, else None."""
    if field.autocomplete:
        return field.autocomplete
    if not isinstance(field.to, PropertyTarget):
        return _OF_TYPE.get(field.type)
    token = _OF_PROPERTY[field.to.property]
    if token == "address-line1" and field.type == "textarea":  # noqa: S105 - an autofill token
        token = "street-address"  # noqa: S105 - the only one of the two that may hold line ends
    tag = (field.to.tag or "").lower()
    return f"{tag} {token}" if tag in {"shipping", "billing"} else token
