"""Reads the JSON object of a request."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from formapp.sandbox.api.errors import not_an_object

if TYPE_CHECKING:
    from formapp.sandbox.state import Json


def read_object(raw: bytes, *, required: bool) -> Json:
    """Return the JSON object in `raw`; an empty object for no body unless one is `required`.

    Text that cannot be written as UTF-8 (lone surrogates) and numbers that JSON cannot hold
    are refused like any other malformed JSON.

    Raises:
        WixError: 400.
    """
    if not raw and not required:
        return {}
    try:
        body = json.loads(raw, parse_constant=_refuse, parse_float=_finite)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise not_an_object("Malformed JSON" if raw else "Expected an object") from None
    if not isinstance(body, dict):
        raise not_an_object()
    return body


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
