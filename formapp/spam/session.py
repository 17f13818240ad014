"""What Formspree's clients tell of the browser, in the header `Formspree-Session-Data`.

Base64 of `{"loadedAt": ms, "webdriver": bool}` (`@formspree/core` 4). Anybody can write anything in
it: it may raise a suspicion, and never takes one away.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime

HEADER = "Formspree-Session-Data"
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser says of itself.

    Attributes:
        loaded_at: when the page was loaded, by the browser's clock.
        webdriver: whether a program drives the browser.
    """

    loaded_at: datetime | None = None
    webdriver: bool = False

    def seconds(self, now: datetime) -> float | None:
        """Seconds from loading to sending; None where the clocks differ too much to tell."""
        passed = (now - self.loaded_at).total_seconds() if self.loaded_at else -1.0
        return passed if passed >= 0 else None


def read_session(header: str | None) -> Session:
    """Read the header; what can't be read says nothing."""
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
