"""Small pieces of English that fault texts share."""

import difflib
from collections.abc import Iterable, Sequence


def a(noun: str) -> str:
    """Return the noun with its article: `a text`, `an email`."""
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def one_of(words: Sequence[str], last: str = "or") -> str:
    """Return `x`, `x or y`, `x, y or z`."""
    head, tail = words[:-1], words[-1]
    return f"{', '.join(head)} {last} {tail}" if head else tail


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """Return `did you mean "x"?` for the nearest of the right words, or an empty text."""
    known = {word.lower(): word for word in sorted(right)}
    near = difflib.get_close_matches(wrong.lower(), known, n=1, cutoff=0.6)
    return f'did you mean "{known[near[0]]}"?' if near else ""
