"""Autofill tokens of the HTML standard (section 4.10.18.7)."""

from formapp.forms.reading.text import word_set

_NAMES = word_set(
    "name honorific-prefix given-name additional-name family-name honorific-suffix nickname "
    "username new-password current-password one-time-code organization-title organization "
    "street-address address-line1 address-line2 address-line3 address-level4 address-level3 "
    "address-level2 address-level1 country country-name postal-code cc-name cc-given-name "
    "cc-additional-name cc-family-name cc-number cc-exp cc-exp-month cc-exp-year cc-csc "
    "cc-type transaction-currency transaction-amount language bday bday-day bday-month "
    "bday-year sex url photo"
)
_CONTACT_NAMES = word_set(
    "tel tel-country-code tel-national tel-area-code tel-local tel-local-prefix "
    "tel-local-suffix tel-extension email impp"
)
TOKENS = _NAMES | _CONTACT_NAMES | {"on", "off"}
"""Every token that may end an `autocomplete` value."""

OF_PROPERTY = {
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
"""Property of a contact -> its token."""


def is_autocomplete(text: str) -> bool:
    """Report whether the text is an autofill detail list, or on or off."""
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
