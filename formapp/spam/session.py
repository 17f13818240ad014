"""The header `Formspree-Session-Data`, by which Formspree's clients describe the browser.

Base64 of `{"loadedAt": ms, "webdriver": bool}` (`@formspree/core` 4). It can be forged: it may
raise a suspicion and never removes one.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime

ENVIRON_KEY = "HTTP_FORMSPREE_SESSION_DATA"
"""The header in WSGI's environ."""
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """When the page was loaded, by the browser's clock, and whether a program drives it."""

    loaded_at: datetime | None = None
    webdriver: bool = False

    def seconds(self, now: datetime) -> float | None:
        """Return the seconds since the page was loaded; None if unknown or the clocks differ."""
        passed = (now - self.loaded_at).total_seconds() if self.loaded_at else -1.0
        return passed if passed >= 0 else None


def read_session(header: str | None) -> Session:
    """Read the header; an unreadable one is an empty session."""
    if not header or len(header) > _LONGEST:
        return Session()
    try:
        content = json.loads(base64.b64decode(header, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return Session()
    if not isinstance(content, dict):
        return Session()
    return Session(_time(content.get("loadedAt")), content.get("webdriver") is True)


def _time(milliseconds: object) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
