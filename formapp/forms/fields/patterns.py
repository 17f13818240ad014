"""Regular expressions for the JSON Schemas (2020-12) of fields: what may be posted as JSON.

They are written in the part of ECMA-262 that Python reads alike, without flags and look-arounds.
`BLANK` is what `clean_line` trims, `VISIBLE` anything else; NUL is refused in every text.

The server accepts every text that a schema accepts, except where no schema can say it:

- `email`, `tel` and `url`: the server knows which domains, numbering plans and hosts exist, and an
  address without its scheme gets `https://`, which counts.
- `number` as text with `min` or `max`: JSON Schema compares numbers, not texts of numbers.
- A birth date: it lies within the last 150 years.
- Lengths are counted after Unicode normalisation (NFC), and CR LF is one line end.

A schema describes what a program should send, not what people type. So the server also accepts
texts that a schema refuses: numbers, dates and countries as the form's language writes them; an
option by its label, and an option that isn't offered; a number, true or false where a text is
expected; blanks around a choice or beyond `maxLength`; long forms of numbers, such as `0012e3`.
"""

from collections.abc import Iterable
from typing import Any

_BLANKS = r"\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
BLANK = rf"[\u0001-\u0020{_BLANKS}]"
VISIBLE = rf"[^\u0000-\u0020{_BLANKS}]"
_ANY = r"[^\u0000]"
ANYTHING = rf"^{_ANY}*$"
SOMETHING = rf"^{_ANY}*{VISIBLE}{_ANY}*$"
SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean", "null"], "pattern": ANYTHING}
"""The schema of any text, number, true, false or null."""

_AT = VISIBLE.removesuffix("]") + "@]"
EMAIL = rf"{_AT}+@{_AT}+\.{_AT}+"
WORD = f"{VISIBLE}+"
DOT = r"[.\u3002\uff61\ufe52\uff0e]"
DIGIT = r"\p{Nd}"
"""What browsers find in a text as typed, in the part of ECMA-262 that needs the flag `u`."""
_SYNTAX = frozenset(r"\^$.*+?()[]{}|/")

_NOT_TICKED = "(?:[Ff][Aa][Ll][Ss][Ee]|0|[Oo][Ff][Ff]|[Nn][Oo])?"
_STRIPPED = r"[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""What `str.strip` takes away."""


def ticked(value: str) -> dict[str, Any]:
    """Return the schema of what ticks a box whose own value is this."""
    negative = f"^{_STRIPPED}*{_NOT_TICKED}{_STRIPPED}*$"
    text = {"type": "string", "pattern": ANYTHING, "not": {"pattern": negative}}
    return {"anyOf": [{"const": True}, {"const": value}, text]}


def escaped(text: str) -> str:
    """Return a pattern for this very text. `re.escape` escapes more than ECMA-262 allows."""
    return "".join(f"\\{char}" if char in _SYNTAX else char for char in text)


def trimmed(pattern: str, *, required: bool) -> str:
    """Return the pattern with blanks around it; an answer that isn't required may be blank."""
    return f"^{BLANK}*(?:{pattern}){'' if required else '?'}{BLANK}*$"


def at_least(length: int, *, required: bool) -> str:
    """Return a pattern for texts of at least this many characters between blanks (two or more)."""
    return trimmed(f"{VISIBLE}{_ANY}{{{length - 2},}}{VISIBLE}", required=required)


def names_in_brackets(names: Iterable[str], inside: str) -> str:
    """Return a pattern for these names with brackets behind them that hold `inside`."""
    return rf"^(?:{'|'.join(map(escaped, names))})\[{inside}\]$"
