"""The page cache: pages rendered once, with placeholders for the values of each request.

A template is rendered with unguessable placeholders; the page is split at them, and each request's
values are inserted, escaped. So only templates contain HTML.
"""

import re
import secrets
from collections.abc import Mapping

from markupsafe import escape


def placeholder() -> str:
    """Return a placeholder: 16 random bytes in hex, which no page's text contains by chance."""
    return secrets.token_hex(16)


class PageTemplate:
    """A page with placeholders (name -> text), each of which may occur any number of times.

    `policy` has the headers that limit what it loads; None if they differ between requests.
    """

    def __init__(
        self, html: str, placeholders: Mapping[str, str], policy: Mapping[str, str] | None
    ) -> None:
        self.policy = policy
        names = {text: name for name, text in placeholders.items()}
        # With a group `split` returns the separators, too: every other part is a placeholder.
        self._parts = re.split(f"({'|'.join(map(re.escape, names))})", html)
        self._placeholders = [(n, names[self._parts[n]]) for n in range(1, len(self._parts), 2)]

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the page with these values, by the names of the placeholders."""
        parts = self._parts.copy()
        for n, name in self._placeholders:
            parts[n] = escape(values[name])
        return "".join(parts)
