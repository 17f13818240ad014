"""Pages and order of a result (contract sections 8.1, 9.4 and 10.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import validation as check

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.errors import Violations
    from formapp.sandbox.state import Json

ORDERS = ("ASC", "DESC")


@dataclass(frozen=True)
class Page:
    """A window on a result."""

    limit: int
    offset: int

    def cut(self, rows: list[Json]) -> list[Json]:
        """Return the rows inside the window."""
        return rows[self.offset : self.offset + self.limit]

    def metadata(self, total: int) -> Json:
        """Return `pagingMetadata` for a result of `total` rows."""
        count = max(0, min(self.limit, total - self.offset))
        return {"count": count, "offset": self.offset, "total": total, "tooManyToCount": False}


@dataclass(frozen=True)
class Sorting:
    """One sort as it was sent; `field` None is the default order."""

    field: str | None = None
    descending: bool = False

    def apply(self, rows: list[Json], value_of: Callable[[Json], Any]) -> list[Json]:
        """Return the rows in order of `value_of`; rows without a value come last."""
        known = [row for row in rows if value_of(row) is not None]
        unknown = [row for row in rows if value_of(row) is None]
        return [*sorted(known, key=value_of, reverse=self.descending), *unknown]


def read_page(found: Violations, path: str, paging: Json, default: int) -> Page:
    """Return the page that `paging` (`limit` and `offset`, both optional) asks for.

    Violations of shape are noted under `path`. Whether the limit is in range is for the
    caller to judge, as the error for it differs.
    """
    limit = _number(found, f"{path}.limit", paging.get("limit"), default)
    offset = _number(found, f"{path}.offset", paging.get("offset"), 0)
    if offset < 0:
        found.add(f"{path}.offset", "must be at least 0", "MIN", threshold=0)
    return Page(limit, offset)


def _number(found: Violations, path: str, value: Any, default: int) -> int:
    if value is None:
        return default
    number = check.integer(found, path, value)
    return default if number is None else number


def read_sort(found: Violations, path: str, raw: Any) -> list[Sorting]:
    """Return the sorts in `raw`: an array, or one object as some examples have it.

    Shapes are noted under `path`; the field names are for the caller to judge.
    """
    if isinstance(raw, dict):
        raw = [raw]
    sorts = []
    for index, one in enumerate(check.sequence(found, path, raw, 1) or []):
        sent = check.mapping(found, f"{path}[{index}]", one) or {}
        name = check.required_text(found, f"{path}[{index}].fieldName", sent.get("fieldName"), 200)
        order = check.choice(found, f"{path}[{index}].order", sent.get("order"), ORDERS)
        sorts.append(Sorting(name, order == "DESC"))
    return sorts
