"""Cleaning and normalizing text, folding other scripts' forms to ASCII, and language tags.

Everything that normalizes what a visitor sent uses `normalize`: Unicode's canonical ordering takes
quadratic time on a long run of combining marks, so that 63 KB could block a thread for seconds.
"""

import re
import unicodedata
from functools import lru_cache

from babel import Locale, UnknownLocaleError

MOST_MARKS = 30
"""Combining marks in a row; UAX #15, section 13 (Stream-Safe Text Format)."""

# General category Cf as of Unicode 17.
_FORMAT = re.compile(
    "[\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_MARKS = re.compile(rb"[^\0]{%d}" % (MOST_MARKS + 1))
# Tibetan vowel signs: of combining class 0, but each decomposes to two marks of other classes.
_HIDDEN_MARKS = re.compile("[\u0f73\u0f75\u0f81]")
_BLANKS = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
# The lowest combining class of accents; vowel and tone signs have lower ones.
_ACCENTS = 200
# Of Unicode's categories Cc, Cs, Zl and Zp (line and paragraph ends). Cs: a lone surrogate can't
# be stored or sent as UTF-8.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029"
_NOT_IN_LINES = re.compile(f"[{_CONTROLS}]")
_NOT_IN_LINE = re.compile(f"[\t\n{_CONTROLS}]")
# RFC 5646 section 2.1 without grandfathered tags and languages of more than three letters, of
# which none is registered.
_LANGUAGE = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3})(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|\d{3}))?(?P<rest>(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)


def word_set(text: str) -> frozenset[str]:
    """Return the words of a table; a list would take a line for each."""
    return frozenset(text.split())


class TooManyMarksError(ValueError):
    """More than 30 combining marks in a row: no language has such text."""

    def __init__(self) -> None:
        super().__init__(f"has more than {MOST_MARKS} combining marks in a row")


def has_too_many_marks(text: str) -> bool:
    """Report whether a run of combining marks is longer than 30, in linear time.

    Format characters don't end a run: they may be removed before the text is normalized.
    """
    if text.isascii():
        return False
    text = _HIDDEN_MARKS.sub("\u0f71\u0f72", remove_format_characters(text))
    return _MARKS.search(bytes(map(unicodedata.combining, text))) is not None


def normalize(text: str) -> str:
    """Return the text in NFC, or raise TooManyMarksError."""
    if text.isascii():  # as it is, a `JsonNumber` too
        return text
    if has_too_many_marks(text):
        raise TooManyMarksError
    return unicodedata.normalize("NFC", text)


def remove_format_characters(text: str) -> str:
    """Remove invisible characters (category Cf), which come along when pasting."""
    return text if text.isascii() else _FORMAT.sub("", text)


def clean_line(text: str) -> str:
    """Return one line: NFC, line ends and control characters as blanks, trimmed."""
    return _NOT_IN_LINE.sub(" ", normalize(text)).strip()


def clean_lines(text: str) -> str:
    """Return lines parted by LF: NFC, no control character but tab, trimmed as a whole."""
    unified = normalize(text).replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_IN_LINES.sub(" ", unified).strip()


def clean_token(text: str) -> str:
    """Return one line without invisible format characters, which come along when pasting."""
    return clean_line(remove_format_characters(text))


def plain_words(text: str) -> list[str]:
    """Split a short text into words without accents, punctuation and case, to compare names.

    Vowel and tone signs stay: without them, words of Indian and Thai scripts mean something else.
    """
    if has_too_many_marks(text):
        return []
    apart = unicodedata.normalize("NFKD", remove_format_characters(text).casefold())
    plain = "".join(
        char if char.isalnum() or unicodedata.category(char)[0] == "M" else " "
        for char in apart
        if unicodedata.combining(char) < _ACCENTS
    )
    return unicodedata.normalize("NFC", plain).split()


class _Folding(dict[int, str]):
    """A table for `str.translate` that looks up unlisted characters by category."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Nd":
            return str(unicodedata.decimal(char))
        return " " if category in _BLANKS else char


_PLAIN = {
    ".": "\u3002\uff61\ufe52",  # ideographic full stops, small full stop
    ",": "\u3001\uff64\ufe50\ufe51",
    "-": "\u2010\u2011\u2012\u2013\u2212\ufe63",  # hyphens, figure and en dash, minus
    "@": "\ufe6b",
    "+": "\ufe62",
    ":": "\ufe55",
    "/": "\u2044\u2215",
    "#": "\ufe5f",
}
_FOLDING = _Folding(
    {ord(form): plain for plain, forms in _PLAIN.items() for form in forms}
    | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width ASCII
)


def fold(text: str) -> str:
    """Return one trimmed line in ASCII forms, for numbers, dates, phones and addresses.

    Full-width forms and the digits of all scripts become ASCII; blanks of all kinds, tabs and line
    ends become U+0020; hyphens and the minus sign become `-`. Format characters are removed. All
    other characters stay, combining marks included: nothing is normalized.
    """
    return remove_format_characters(text).translate(_FOLDING).strip()


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """Return Babel's locale for a language tag; the longest part it knows, or else English."""
    parts = language.replace("_", "-").split("-")
    for length in range(min(len(parts), 3), 0, -1):
        try:
            return Locale.parse("-".join(parts[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def read_locale(text: str) -> str | None:
    """Return a BCP 47 language tag in its usual capitals (`pt_pt` becomes `pt-PT`)."""
    found = _LANGUAGE.fullmatch(text.replace("_", "-"))
    if not found:
        return None
    script, region = found["script"], found["region"]
    parts = [found["language"].lower(), script and script.title(), region and region.upper()]
    return "-".join(part for part in parts if part) + found["rest"].lower()
