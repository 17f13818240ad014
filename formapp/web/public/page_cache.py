"""Pages rendered once, with placeholders for what differs from visit to visit.

A template is rendered with unguessable placeholders; the page is split at them, and each visit's
values go in between, escaped. So templates stay the only place where HTML is written.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping

from markupsafe import escape

_BYTES = 16
"""Random bytes of a placeholder: it can't collide with the text of a page."""


def placeholder() -> str:
    """Return a text to render in place of another: letters and digits, which nothing escapes."""
    return secrets.token_hex(_BYTES)


class PageTemplate:
    """A page with placeholders, each of which may occur any number of times.

    Args:
        html: the page.
        placeholders: name of a value -> its placeholder.
    """

    def __init__(self, html: str, placeholders: Mapping[str, str]) -> None:
        names = {text: name for name, text in placeholders.items()}
        # With a group `split` returns the separators, too: every other part is a placeholder.
        self._parts = re.split(f"({'|'.join(map(re.escape, names))})", html)
        self._blanks = [(n, names[self._parts[n]]) for n in range(1, len(self._parts), 2)]

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the page with these values, by the names of the placeholders."""
        parts = self._parts.copy()
        for n, name in self._blanks:
            parts[n] = escape(values[name])
        return "".join(parts)


class PageCache:
    """The page templates of one app, rendered on first use.

    It is bounded by its keys alone: they may hold nothing that a visitor can choose freely.
    """

    def __init__(self) -> None:
        self._pages: dict[Hashable, PageTemplate] = {}

    def page(self, key: Hashable, render: Callable[[], PageTemplate]) -> PageTemplate:
        """Return the page of this key; two threads that render it at once render the same."""
        return self._pages.get(key) or self._pages.setdefault(key, render())
