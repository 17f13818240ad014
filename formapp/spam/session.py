"""The header `Formspree-Session-Data`, by which Formspree's clients describe the browser.

Base64 of `{"loadedAt": ms, "webdriver": bool}` (`@formspree/core` 4). It can be forged: it may
raise a suspicion and never removes one.
"""

import base64
import json
from datetime import datetime

ENVIRON_KEY = "HTTP_FORMSPREE_SESSION_DATA"
"""The header in WSGI's environ."""
_LONGEST = 1000


def read_session(header: str, now: datetime) -> tuple[float | None, bool]:
    """Return the seconds since the page was loaded, and whether a program drives the browser.

    The seconds are None if they are unknown or the clocks differ; an unreadable header says
    neither.
    """
    try:
        text = base64.b64decode(header, validate=True) if len(header) <= _LONGEST else b""
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(content, dict):
        return None, False
    return _seconds_since(content.get("loadedAt"), now), content.get("webdriver") is True


def _seconds_since(milliseconds: object, now: datetime) -> float | None:
    """Return the time since a time of JavaScript, by the browser's clock."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    try:
        passed = now.timestamp() - milliseconds / 1000
    except OverflowError:
        return None
    return passed if passed >= 0 else None
