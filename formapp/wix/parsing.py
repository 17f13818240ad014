"""Reading JSON that may be incomplete, and a page of a list or query (CONTRACT.md section 8.1).

Unknown parts are ignored and most missing ones accepted.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

MAX_PAGE = 1000


class MalformedResponseError(ValueError):
    """A part is missing without which a response means nothing (an id, a key, a list)."""


def text(value: object) -> str | None:
    """The string, unstripped; None when it is blank or not a string."""
    return value if isinstance(value, str) and value.strip() else None


def required(raw: Mapping[str, Any], name: str) -> str:
    """The string `raw[name]`; MalformedResponseError where it is blank or not a string."""
    found = text(raw.get(name))
    if found is None:
        raise MalformedResponseError(f"no {name}")
    return found


def mapping(value: object) -> dict[str, Any]:
    """The JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}


def array(value: object) -> list[Any]:
    """The JSON array, or an empty one."""
    return value if isinstance(value, list) else []


def integer(value: object) -> int | None:
    """The integer, also when it is written as a string of digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return None


def timestamp(value: object) -> datetime | None:
    """ISO 8601 as an aware datetime; without an offset it is UTC (CONTRACT.md section 1)."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def unwrap(body: Mapping[str, Any], name: str, identity: str) -> Mapping[str, Any]:
    """`body[name]`, or `body` where the sources show the bare object (CONTRACT.md section 7.5)."""
    inner = body.get(name)
    if isinstance(inner, dict):
        return inner
    if identity in body:
        return body
    raise MalformedResponseError(f"no {name}")


def items(value: object) -> list[Any]:
    """The list inside `{"items": [...]}` (CONTRACT.md section 5.3)."""
    return array(mapping(value).get("items"))


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects inside `{"items": [...]}`; anything else in it is ignored."""
    return [item for item in items(value) if isinstance(item, dict)]


# A sort is always sent: the sources disagree about the default (CONTRACT.md section 8.1).
OLDEST_FIRST = ("createdDate", "ASC")


def list_query(limit: int, offset: int) -> dict[str, Any]:
    return {
        "sort.fieldName": OLDEST_FIRST[0],
        "sort.order": OLDEST_FIRST[1],
        "paging.limit": limit,
        "paging.offset": offset,
    }


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list or a query; `total` is None where Wix does not count all rows."""

    items: tuple[T, ...]
    total: int | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def parse(
        cls, body: Mapping[str, Any], name: str, parse_row: Callable[[Mapping[str, Any]], T]
    ) -> Self:
        """Parse `body[name]` and its `pagingMetadata` or `metadata` (CONTRACT.md 8.1, 9.4)."""
        rows = body.get(name)
        if not isinstance(rows, list):
            raise MalformedResponseError(f"no {name}")
        paging = mapping(body.get("pagingMetadata")) or mapping(body.get("metadata"))
        too_many = True in (paging.get("tooManyToCount"), paging.get("too_many_to_count"))
        total = None if too_many else integer(paging.get("total"))
        return cls(tuple(parse_row(mapping(row)) for row in rows), total)
