"""Pages that were rendered once and are kept, with blanks for what differs from visit to visit.

A template is rendered with unguessable texts, the holders, where these things stand; the page is
split there, and each visit's own texts go in between, escaped. So templates stay the only place
where HTML is written.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping

from markupsafe import escape

_LENGTH = 16
"""Bytes of a holder: it stands in no text of an owner or a visitor but by a miracle."""


def holder() -> str:
    """A text to render in place of another; letters and digits, as escaping leaves them alone."""
    return secrets.token_hex(_LENGTH)


class PageTemplate:
    """A page with blanks, each of which may stand at any number of places.

    Args:
        html: the page, with holders.
        holders: what is to stand in their place, by name -> holder.
    """

    def __init__(self, html: str, holders: Mapping[str, str]) -> None:
        names = {text: name for name, text in holders.items()}
        # With a group `split` returns what it splits at, too: every other part is a holder.
        self._parts = re.split(f"({'|'.join(map(re.escape, names))})", html)
        self._blanks = [(n, names[self._parts[n]]) for n in range(1, len(self._parts), 2)]

    def filled(self, texts: Mapping[str, str]) -> str:
        """Return the page with these texts, by the names of the holders."""
        parts = self._parts.copy()
        for n, name in self._blanks:
            parts[n] = escape(texts[name])
        return "".join(parts)


class PageCache:
    """The pages of one app, each kept from the first time that it is asked for.

    There is no bound but that of the keys: they may hold nothing that a visitor can choose freely.
    """

    def __init__(self) -> None:
        self._pages: dict[Hashable, PageTemplate] = {}

    def page(self, key: Hashable, render: Callable[[], PageTemplate]) -> PageTemplate:
        """Return the page of this key, rendered if it isn't there.

        Two threads may render it at the same time; they render the same.
        """
        return self._pages.get(key) or self._pages.setdefault(key, render())
