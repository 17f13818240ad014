"""Reading JSON that may be incomplete: unknown parts are ignored, missing ones allowed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


class MalformedAnswerError(ValueError):
    """A part is missing without which an answer means nothing (an id, a key, a list)."""


def text(value: object) -> str | None:
    """The string as it is; None when it is blank or no string."""
    return value if isinstance(value, str) and value.strip() else None


def required(value: object, name: str) -> str:
    """The string as it is.

    Raises:
        MalformedAnswerError: it is blank or no string.
    """
    found = text(value)
    if found is None:
        raise MalformedAnswerError(f"no {name}")
    return found


def mapping(value: object) -> dict[str, Any]:
    """The JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def array(value: object) -> list[Any]:
    """The JSON array, or an empty one."""
    return value if isinstance(value, list) else []


def items(value: object) -> list[Any]:
    """The list inside `{"items": [...]}` (contract section 5.3)."""
    return array(mapping(value).get("items"))


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects inside `{"items": [...]}`; anything else in it is left out."""
    return [item for item in items(value) if isinstance(item, dict)]


def whole(value: object) -> int | None:
    """The integer, also when it is written as a string of digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return None


def moment(value: object) -> datetime | None:
    """ISO 8601 as an aware datetime; without an offset it is taken as UTC (contract section 1)."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def unwrap(body: Mapping[str, Any], name: str, identity: str) -> dict[str, Any]:
    """`body[name]`, or `body` itself where the sources show the bare object (contract 7.5, 10.5).

    Raises:
        MalformedAnswerError: neither is there.
    """
    inner = body.get(name)
    if isinstance(inner, dict):
        return inner
    if identity in body:
        return dict(body)
    raise MalformedAnswerError(f"no {name}")
