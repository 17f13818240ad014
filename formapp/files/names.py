"""Visitors' file names, made safe where they become names of files: downloads, and ZIP archives."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote

LONGEST = 120
"""Bytes in UTF-8; file systems take 255, and archives are unpacked into folders with long names."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
"""What Windows takes in no name; `/` and `\\` part folders."""

_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])"
    r"\s*(\..*)?",
    re.IGNORECASE | re.DOTALL,
)
"""Names of devices on Windows, with any ending
(https://learn.microsoft.com/windows/win32/fileio/naming-a-file)."""

_JOINERS = "\u200c\u200d"
"""Can't be seen, but Persian, Hindi and others are not written without them."""

_LONGEST_ENDING = 20


def safe_name(name: str, instead: str = "file") -> str:
    """Return a name that every system takes, and that shows its real ending.

    Without folders, control characters, characters that can't be seen or turn the direction of
    text, and dots at its ends; `instead` is for one of which nothing is left.
    """
    plain = "".join(filter(_is_shown, unicodedata.normalize("NFC", name)))
    plain = " ".join(_FORBIDDEN.sub("_", plain).split()).strip(". ")
    plain = _cut(plain, LONGEST)
    if not plain.strip("_"):
        return instead
    return f"_{plain}" if _RESERVED.fullmatch(plain) else plain


def unique_names(names: Iterable[str]) -> Iterator[str]:
    """Yield the names, each another one: `a.jpg`, `a (2).jpg`; upper case makes none another."""
    taken: set[str] = set()
    for name in names:
        stem, ending = _parts(name)
        number, free = 1, name
        while free.casefold() in taken:
            number += 1
            free = f"{stem} ({number}){ending}"
        taken.add(free.casefold())
        yield free


def disposition(name: str, *, shown: bool = False) -> str:
    """Return a `Content-Disposition` (RFC 6266) that saves a content, or shows it, by this name.

    With the name in UTF-8 (RFC 8187), and for old programs in ASCII.
    """
    safe = safe_name(name)
    stem, ending = map(_ascii, _parts(safe))
    old = safe_name(f"{stem if stem.strip() else 'file'}{ending}")
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename=\"{old}\"; filename*=UTF-8''{quote(safe, safe='')}"


def _ascii(text: str) -> str:
    """Return what is left of a text in ASCII, without `%`, which some programs decode."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain.replace("%", "_")


def _is_shown(char: str) -> bool:
    category = unicodedata.category(char)
    # A space of any kind parts words; other separators and C* (controls, formats) go.
    return char in _JOINERS or category == "Zs" or category[0] not in "CZ"


def _parts(name: str) -> tuple[str, str]:
    """Return the name without its ending, and the ending with its dot."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > _LONGEST_ENDING:
        return name, ""
    return stem, dot + ending


def _cut(name: str, longest: int) -> str:
    """Return the name in so many bytes, with its ending."""
    if len(name.encode()) <= longest:
        return name
    stem, ending = _parts(name)
    room = longest - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").strip(". ") + ending
