"""Who is named in a text: e-mail addresses and telephone numbers, as identities.

An identity is spelled in one way only: an address in lower case with its domain in ASCII, a number
in E.164. So that erasing a person finds every spelling, also in a link (`%40`) or amid a sentence.
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher

from formapp.forms.fields.values import clean_token, parse_email
from formapp.forms.phones import parse_phone

Mention = tuple[str, int, int]
"""The identity, and where in the text it begins and ends."""

# What the parts of a link are parted by is left out: hardly anybody's address has it.
_ADDRESS = re.compile(r"[\w.!#$%'*+^`{|}~-]{1,64}(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_WRAPPING = "'`*_~{|}.!#$%^-"
_MIN_DIGITS = 6
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def mentions(text: str, numbers: Collection[str] = ()) -> Iterator[Mention]:
    """Yield every address and number in a text. Numbers take a millisecond, addresses no time.

    Args:
        text: what somebody typed.
        numbers: numbers in E.164 of the same person: one without a country code is read as one of
            their countries.
    """
    yield from addresses(text)
    if sum(char.isdigit() for char in text) >= _MIN_DIGITS:
        yield from _numbers(text, numbers)


def addresses(text: str, _numbers: Collection[str] = ()) -> Iterator[Mention]:
    """Yield every address in a text, where numbers aren't asked for."""
    for found in _ADDRESS.finditer(text):
        typed = unquote(found[0]) if "%" in found[0] else found[0]
        for spelling in dict.fromkeys((typed, typed.strip(_WRAPPING))):
            if identity := parse_email(spelling):
                yield identity, *found.span()


def _numbers(text: str, numbers: Collection[str]) -> Iterator[Mention]:
    if _E164.fullmatch(text):
        yield text, 0, len(text)
        return
    # With a region, numbers that have their country code are found as well.
    for region in {_region(number) for number in numbers} or {None}:
        if whole := parse_phone(clean_token(text), region):
            yield whole.e164, 0, len(text)
            continue
        for found in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE):
            e164 = phonenumbers.format_number(found.number, PhoneNumberFormat.E164)
            yield e164, found.start, found.end


@lru_cache(maxsize=1024)
def _region(number: str) -> str | None:
    parsed = parse_phone(number, None)
    return parsed.country if parsed else None
