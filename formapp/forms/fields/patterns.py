"""Regular expressions for JSON Schema: what is taken as text, as a number, as a date.

They are written in the part of ECMA-262 that Python reads alike, without flags and look-arounds.
`BLANK` is what `values.clean_line` trims, `VISIBLE` anything else; NUL is refused in every text.
"""

from collections.abc import Callable, Iterable

from formapp.forms.countries import COUNTRIES

_BLANKS = r"\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
BLANK = rf"[\u0001-\u0020{_BLANKS}]"
VISIBLE = rf"[^\u0000-\u0020{_BLANKS}]"
_ANY = r"[^\u0000]"
ANYTHING = rf"^{_ANY}*$"
SOMETHING = rf"^{_ANY}*{VISIBLE}{_ANY}*$"

# At most 50 characters, and a first digit between the 15th before and the 14th behind the point, as
# `values.parse_number` wants it. The last line is how programs write the very small.
NUMBER = (
    r"[+-]?(?:0{0,10}[1-9][0-9]{0,14}(?:\.[0-9]{0,20})?"
    r"|0{0,10}\.0{0,13}[1-9][0-9]{0,20}"
    r"|0{1,10}(?:\.0{0,20})?|\.0{1,20}"
    r"|[1-9](?:\.[0-9]{0,20})?[eE][+-]?(?:0?[0-9]|1[0-4]))"
)
_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP = (
    "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"  # not 0000
)
DATE = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP}-02-29)"
)
_AT = VISIBLE.removesuffix("]") + "@]"
EMAIL = rf"{_AT}+@{_AT}+\.{_AT}+"
WORD = f"{VISIBLE}+"
LOCALE = "[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?"
COUNTRY = "|".join(f"[{c[0]}{c[0].lower()}][{c[1]}{c[1].lower()}]" for c in sorted(COUNTRIES))
_TICKS = "[Tt][Rr][Uu][Ee]|[Oo][Nn]|1"
_SYNTAX = frozenset(r"\^$.*+?()[]{}|/")


def escaped(text: str) -> str:
    """Return a pattern for this very text. `re.escape` escapes more than ECMA-262 allows."""
    return "".join(f"\\{char}" if char in _SYNTAX else char for char in text)


def trimmed(pattern: str, *, required: bool) -> str:
    """Return the pattern with blanks around it; an answer that isn't required may be blank."""
    return f"^{BLANK}*(?:{pattern}){'' if required else '?'}{BLANK}*$"


def at_least(length: int, *, required: bool) -> str:
    """Return a pattern for texts of at least this many characters between blanks (two or more)."""
    return trimmed(f"{VISIBLE}{_ANY}{{{length - 2},}}{VISIBLE}", required=required)


def ticked(value: str) -> str:
    """Return a pattern for what ticks a box that sends `value`: see `values.ticked`."""
    blank = r"[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    return f"^{blank}*(?:{_TICKS}|{escaped(value)}){blank}*$"


def not_before(day: str) -> str:
    """Return a pattern for dates (`YYYY-MM-DD`) from this one on; all must be dates."""
    return _beyond(day, lambda digit: f"[{digit + 1}-9]" if digit < 9 else "")  # noqa: PLR2004 - the last digit


def not_after(day: str) -> str:
    """Return a pattern for dates (`YYYY-MM-DD`) up to this one; all must be dates."""
    return _beyond(day, lambda digit: f"[0-{digit - 1}]" if digit else "")


def names_in_brackets(names: Iterable[str], inside: str) -> str:
    """Return a pattern for these names with brackets behind them that hold `inside`."""
    return rf"^(?:{'|'.join(map(escaped, names))})\[{inside}\]$"


def _beyond(day: str, further: Callable[[int], str]) -> str:
    """Dates compare as their digits do: the first that differs is further, the rest is free."""
    ways = [day]
    for place, char in enumerate(day):
        if char.isdigit() and (step := further(int(char))):
            free = "".join("-" if rest == "-" else "[0-9]" for rest in day[place + 1 :])
            ways.append(day[:place] + step + free)
    return "(?:" + "|".join(ways) + ")"
