"""Numbers as people write them: `2.500,00`, `1 234`, `1'234.50`, `١٬٢٣٤٫٥`."""

import re
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_decimal

from formapp.forms.reading.text import fold, locale_of

MOST_DIGITS = 15
"""Before the point: larger numbers aren't exact as JSON numbers."""
_LONGEST = 1000
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u2032\u00b4`", "'") | {"،": ","})
_NUMBER = re.compile(r"([+-]?) ?([0-9., '٫٬]+)(?:[eE]([+-]?[0-9]{1,4}))?")
_SEPARATOR = re.compile(r"[^0-9]")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([^0-9])[0-9]{3})(?:\1[0-9]{3})*")
_GROUPED_IN_INDIA = re.compile(r"[1-9][0-9]?(?:([^0-9])[0-9]{2})(?:\1[0-9]{2})*\1[0-9]{3}")
_MAY_BE_GROUP = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")


class JsonNumber(str):
    """A number of a JSON body, as its text: no language changes its meaning."""

    __slots__ = ()


def read_number(text: str, language: str) -> int | float | None:
    """Return the number, whole ones as int; None with more than 15 digits before the point.

    Of several kinds of separator the last is the decimal one. A separator that repeats parts
    groups. A lone comma or point before exactly three digits parts groups where the language
    writes it so, else it is the decimal one; so are all other lone commas and points. Blanks and
    apostrophes only part groups. Currency and percent signs aren't read.
    """
    if isinstance(text, JsonNumber):
        language = "en"  # there a point never parts groups
    found = _match(text)
    if not found:
        return None
    sign, body, exponent = found
    plain = _plain(body, _group_separators(language))
    if plain is None:
        return None
    number = Decimal(f"{sign}{plain}e{exponent}")
    if not number:
        return 0
    if abs(number.adjusted()) >= MOST_DIGITS:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def write_number(number: float, language: str) -> str:
    """Return a number as the language writes it, without groups, so that `read_number` reads it."""
    return format_decimal(
        number, locale=locale_of(language), group_separator=False, decimal_quantization=False
    )


def _match(text: str) -> tuple[str, str, str] | None:
    """Split into sign, digits with separators, and exponent."""
    if len(text) > _LONGEST:
        return None
    found = _NUMBER.fullmatch(" ".join(fold(text).translate(_APOSTROPHES).split()))
    return (found[1], found[2], found[3] or "0") if found else None


def _plain(body: str, groups: frozenset[str]) -> str | None:
    """Return the digits with a decimal point and no groups."""
    separators = _SEPARATOR.findall(body)
    if not separators:
        return body
    last = separators[-1]
    if len(separators) == 1:
        may_be_decimal = last in ".,٫" and not (last in groups and _MAY_BE_GROUP.fullmatch(body))
    else:
        may_be_decimal = separators.count(last) == 1 and last in ".,٫"
    if not may_be_decimal:
        return _without_groups(body)
    whole, _, fraction = body.rpartition(last)
    digits = _without_groups(whole) if len(separators) > 1 else whole
    return f"{digits}.{fraction}" if digits is not None and digits + fraction else None


def _without_groups(body: str) -> str | None:
    found = _GROUPED.fullmatch(body) or _GROUPED_IN_INDIA.fullmatch(body)
    return body.replace(found[1], "") if found and found[1] != "٫" else None


@lru_cache(maxsize=256)
def _group_separators(language: str) -> frozenset[str]:
    """Return the points and commas that part groups in a language, by CLDR."""
    locale = locale_of(language)
    systems = (locale.number_symbols.get(s) for s in ("latn", locale.default_numbering_system))
    symbols = [symbol for system in systems if system for symbol in system.items()]
    return frozenset(value for name, value in symbols if name in {"group", "currencyGroup"})
