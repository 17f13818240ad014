"""Telephone numbers: a visitor's text to E.164 and country."""

from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from formapp.forms.countries import COUNTRIES

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Regions that a `tel` field may name (ISO 3166-1 alpha-2)."""


class PhoneNumber(NamedTuple):
    """E.164 (`+442079460018`) and ISO alpha-2 country, None if unknown."""

    e164: str
    country: str | None


def parse_phone(text: str, region: str | None) -> PhoneNumber | None:
    """Return the number, or None for a text that can't be one.

    Any number of the right length is valid, assigned or not: numbering plans change faster than
    their copies, and a real lead must not be refused. A local number without area code is invalid,
    since it identifies no person. `00` means `+` unless the region has its own rule.
    """
    number = _possible(text, region)
    if number is None and text.startswith("00"):
        number = _possible(f"+{text[2:]}", None)
    if number is None:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return PhoneNumber(e164, _country(number, region))


def load_region(region: str) -> None:
    """Load the numbering plan of a region before a visitor needs it."""
    phonenumbers.PhoneMetadata.metadata_for_region(region)


def _possible(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == ValidationResult.IS_POSSIBLE else None


def _country(number: phonenumbers.PhoneNumber, region: str | None) -> str | None:
    found = phonenumbers.region_code_for_number(number)
    if found is None:
        # Right length but not assigned, such as numbers reserved for films.
        own = phonenumbers.country_code_for_region(region) if region else None
        code = number.country_code or 0
        found = region if own == code else phonenumbers.region_code_for_country_code(code)
    return found if found in COUNTRIES else None
