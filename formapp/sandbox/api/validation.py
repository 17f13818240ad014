"""Reads the JSON of a request and checks its values, recording every violation of its shape."""

import json
import math
import re
from collections.abc import Collection
from datetime import date
from typing import Any

from formapp.sandbox.api.errors import WixError

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
INTEGER = re.compile(r"-?\d{1,15}", re.ASCII)
MAX_KEY = 80
MAX_SAFE_INTEGER = 2**53


class Sent:
    """A value that was sent, with its path, such as `info.emails.items[0].email`.

    A check returns the value if it passes. Otherwise it records a violation, and the value counts
    as absent from then on, as null does.
    """

    def __init__(
        self, value: Any, path: str = "", violations: list[dict[str, Any]] | None = None
    ) -> None:
        self.value = value
        self.path = path
        self.violations = [] if violations is None else violations

    def __getitem__(self, name: str) -> "Sent":
        value = (self.mapping() or {}).get(name)
        return Sent(value, f"{self.path}.{name}" if self.path else name, self.violations)

    def refuse(self, description: str, rule: str = "OTHER", **data: Any) -> None:
        found = {"field": self.path, "description": description, "violatedRule": rule}
        self.violations.append({**found, "data": data} if data else found)
        self.value = None

    def raise_violations(self) -> None:
        """Raise the 400 with all violations of the request, if there are any."""
        if self.violations:
            first = self.violations[0]
            message = f"{first['field']} {first['description']}"
            details = {"validationError": {"fieldViolations": self.violations}}
            raise WixError(400, {"message": message, "details": details})

    def _typed(self, kind: type, noun: str) -> Any:
        if self.value is not None and not isinstance(self.value, kind):
            self.refuse(f"must be {noun}")
        return self.value

    def text(self, longest: int | None = None) -> str | None:
        if self._typed(str, "a string") and longest is not None and len(self.value) > longest:
            self.refuse(f"must have at most {longest} characters", "MAX_LENGTH", threshold=longest)
        text: str | None = self.value
        return text

    def required(self, longest: int) -> str:
        """A string of 1 to `longest` characters."""
        if self.value is None:
            self.refuse("is required", "REQUIRED_FIELD")
        elif self.value == "":
            self.refuse("must not be empty", "MIN_LENGTH", threshold=1)
        return self.text(longest) or ""

    def pattern(self, form: re.Pattern[str], kind: str) -> str:
        """A string that matches `form`, or an empty one."""
        text = self.text() or ""
        if not text or form.fullmatch(text):
            return text
        self.refuse(f"must be a valid {kind.lower()}", "FORMAT", type=kind)
        return ""

    def choice(self, known: Collection[str]) -> str | None:
        if self.value is not None and not (isinstance(self.value, str) and self.value in known):
            self.refuse(f"must be one of {', '.join(known)}")
        chosen: str | None = self.value
        return chosen

    def flag(self) -> bool:
        """A boolean; null counts as false."""
        return bool(self._typed(bool, "a boolean"))

    def integer(self, default: int | None = None) -> int:
        """A whole number, or a string of digits as in a query string."""
        value: Any = default if self.value is None else self.value
        if isinstance(value, str) and INTEGER.fullmatch(value):
            return int(value)
        whole = isinstance(value, float) and value.is_integer()
        if isinstance(value, bool) or not (isinstance(value, int) or whole):
            self.refuse("must be an integer")
        elif abs(value) > MAX_SAFE_INTEGER:
            self.refuse("is out of range", "MAX")
        else:
            return int(value)
        return default or 0

    def mapping(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._typed(dict, "an object")
        return found

    def items(self, longest: int) -> "list[Sent] | None":
        found = self._typed(list, "an array")
        if found is not None and len(found) > longest:
            self.refuse(f"must have at most {longest} items", "MAX_SIZE", threshold=longest)
        if self.value is None:
            return None
        return [
            Sent(one, f"{self.path}[{index}]", self.violations)
            for index, one in enumerate(self.value)
        ]


def read_object(raw: bytes, *, required: bool) -> dict[str, Any]:
    """Return the JSON object in `raw`; an empty object for no body unless it is `required`.

    Text that UTF-8 cannot encode (lone surrogates) and numbers that JSON cannot represent are
    refused like other malformed JSON (CONTRACT.md section 3.1).
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


def is_calendar_date(value: Any) -> bool:
    """Return whether `value` is `YYYY-MM-DD` and that day exists."""
    if not isinstance(value, str) or not DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
