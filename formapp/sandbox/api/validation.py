"""Reads the JSON of a request and checks its values.

Each check of a value records a violation and returns a usable value or None.
"""

from __future__ import annotations

import json
import math
import re
from datetime import date
from typing import TYPE_CHECKING, Any

from formapp.sandbox.api.errors import WixError

if TYPE_CHECKING:
    from collections.abc import Collection

    from formapp.sandbox.api.errors import Violations

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
EMAIL = re.compile(r"[^\s@\x00-\x1f]+@[^\s@.\x00-\x1f]+(\.[^\s@.\x00-\x1f]+)+")
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

GUID_LENGTH = 36
MAX_SAFE_INTEGER = 2**53


def read_object(raw: bytes, *, required: bool) -> dict[str, Any]:
    """Return the JSON object in `raw`; an empty object for no body unless it is `required`.

    Text that UTF-8 cannot encode (lone surrogates) and numbers that JSON cannot represent are
    refused like other malformed JSON.

    Raises:
        WixError: 400 (CONTRACT.md section 3.1).
    """
    if not raw and not required:
        return {}
    try:
        body = json.loads(raw, parse_constant=_finite, parse_float=_finite)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        message = "Malformed JSON" if raw else "Expected an object"
        raise WixError(400, {"message": message}) from None
    if not isinstance(body, dict):
        raise WixError(400, {"message": "Expected an object"})
    return body


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _typed(found: Violations, path: str, value: Any, kind: type, noun: str) -> Any:
    """Return `value` if it is null or of a type."""
    if value is None or isinstance(value, kind):
        return value
    found.add(path, f"must be {noun}")
    return None


def text(found: Violations, path: str, value: Any, longest: int | None = None) -> str | None:
    """Return `value` if it is a string of at most `longest` characters."""
    checked: str | None = _typed(found, path, value, str, "a string")
    if checked is not None and longest is not None and len(checked) > longest:
        found.add(path, f"must have at most {longest} characters", "MAX_LENGTH", threshold=longest)
        return None
    return checked


def required_text(found: Violations, path: str, value: Any, longest: int) -> str | None:
    """Return `value` if it is a string of 1 to `longest` characters."""
    if value is None:
        found.add(path, "is required", "REQUIRED_FIELD")
        return None
    if value == "":
        found.add(path, "must not be empty", "MIN_LENGTH", threshold=1)
        return None
    return text(found, path, value, longest)


def pattern(
    found: Violations, path: str, value: Any, form: re.Pattern[str], kind: str
) -> str | None:
    """Return `value` if it is a string that matches `form`; an empty one is returned unchanged."""
    checked = text(found, path, value)
    if checked and not form.fullmatch(checked):
        found.add(path, f"must be a valid {kind.lower()}", "FORMAT", type=kind)
        return None
    return checked


def choice(found: Violations, path: str, value: Any, known: Collection[str]) -> str | None:
    """Return `value` if it is one of `known`."""
    if value is None:
        return None
    if not isinstance(value, str) or value not in known:
        found.add(path, f"must be one of {', '.join(known)}")
        return None
    return value


def flag(found: Violations, path: str, value: Any) -> bool:
    """Return `value` if it is a boolean; null counts as false."""
    return bool(_typed(found, path, value, bool, "a boolean"))


def integer(found: Violations, path: str, value: Any) -> int | None:
    """Return a whole number; a string of digits counts too, as in a query string."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
        return int(value)
    whole = isinstance(value, float) and value.is_integer()
    if isinstance(value, bool) or not (isinstance(value, int) or whole):
        found.add(path, "must be an integer")
        return None
    if abs(value) > MAX_SAFE_INTEGER:
        found.add(path, "is out of range", "MAX")
        return None
    return int(value)


def mapping(found: Violations, path: str, value: Any) -> dict[str, Any] | None:
    """Return `value` if it is an object; null counts as absent."""
    checked: dict[str, Any] | None = _typed(found, path, value, dict, "an object")
    return checked


def sequence(found: Violations, path: str, value: Any, longest: int) -> list[Any] | None:
    """Return `value` if it is an array of at most `longest` items; null counts as absent."""
    checked: list[Any] | None = _typed(found, path, value, list, "an array")
    if checked is not None and len(checked) > longest:
        found.add(path, f"must have at most {longest} items", "MAX_SIZE", threshold=longest)
        return None
    return checked


def is_calendar_date(value: Any) -> bool:
    """Return whether `value` is `YYYY-MM-DD` and that day exists."""
    if not isinstance(value, str) or not DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
