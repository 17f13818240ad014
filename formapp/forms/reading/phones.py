"""Telephone numbers: E.164, the country and the extension."""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from formapp.forms.countries import COUNTRIES
from formapp.forms.reading.text import fold

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Regions that a `tel` field may name (ISO 3166-1 alpha-2)."""

_LONGEST = 250
_MEXICO = 52
# Until August 2019 dialled before Mexican numbers of ten digits: mobile from abroad, mobile within
# a town, mobile from elsewhere, long distance (IFT, Plan Técnico Fundamental de Numeración).
_OLD_MEXICAN_PREFIX = re.compile(r"(?:1|0?44|0?45|0?1)(?=[1-9][0-9]{9}$)")
# Labels that phonenumbers doesn't know, in about twenty languages.
_EXTENSION = re.compile(
    r"[ ,;/(-]*(?<![^\W\d_])(?:durchwahl|dw|klappe|poste|toestel|tst|wewn?|klapka|kl|linka|mellék|"
    r"dahili|ramal|anexo|int(?:erno)?|anknytning|lokal|alanumero|вн(?:утр)?|внутренний|"
    r"додатковий|вътр|extn?|extension(?: number)?|شماره داخلی|داخلی|تحويلة|שלוחה|内線(?:番号)?|"
    r"內線|分机|分機|转|轉|내선)[ .:]*([0-9]{1,7})[ )]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can exist.

    Attributes:
        e164: `+442079460018`, without the extension.
        country: ISO 3166-1 alpha-2; None where the number doesn't say.
        extension: digits, or "".
    """

    e164: str
    country: str | None
    extension: str = ""


def read_phone(text: str, region: str | None) -> PhoneNumber | None:
    """Return the number, or None where it can't be one.

    A number of the right length is accepted even where it isn't assigned: numbering plans change
    faster than their copies. One that works only within its town is refused. `00` counts as `+`
    where the region doesn't say otherwise.
    """
    if len(text) > _LONGEST:
        return None
    line = _with_rfc3966_extension(fold(text))
    number = _possible(line, region)
    if number is None and line.startswith("00"):
        number = _possible(f"+{line[2:]}", None)
    if number is None:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return PhoneNumber(e164, _country(number, region), number.extension or "")


def load_region(region: str) -> None:
    """Load the numbering plan of a region, so that no visitor waits for it."""
    phonenumbers.PhoneMetadata.metadata_for_region(region)


def _with_rfc3966_extension(line: str) -> str:
    found = _EXTENSION.search(line)
    return f"{line[: found.start()]};ext={found[1]}" if found else line


def _possible(line: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(line, region)
    except NumberParseException:
        return None
    if number.country_code == _MEXICO:
        number = _without_old_prefix(number)
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == ValidationResult.IS_POSSIBLE else None


def _without_old_prefix(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    digits = phonenumbers.national_significant_number(number)
    found = _OLD_MEXICAN_PREFIX.match(digits)
    if not found:
        return number
    return phonenumbers.PhoneNumber(
        country_code=_MEXICO, national_number=int(digits[found.end() :]), extension=number.extension
    )


def _country(number: phonenumbers.PhoneNumber, region: str | None) -> str | None:
    found = phonenumbers.region_code_for_number(number)
    if found is None:
        # Right length but not assigned: the numbers kept for films are such.
        own = phonenumbers.country_code_for_region(region) if region else None
        code = number.country_code or 0
        found = region if own == code else phonenumbers.region_code_for_country_code(code)
    return found if found in COUNTRIES else None
