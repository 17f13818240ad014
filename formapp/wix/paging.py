"""Pages of a list or a query, and the walk through all of them (contract section 8.1)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Self, TypeVar

from formapp.wix.bodies import SortOrder
from formapp.wix.parsing import MalformedAnswerError, mapping, whole

T = TypeVar("T")

MAX_PAGE = 1000


class Sort(NamedTuple):
    """One sort field and its direction."""

    field_name: str = "createdDate"
    order: SortOrder = "ASC"


# Always sent: the sources disagree about the default.
OLDEST_FIRST = Sort()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list or a query.

    Attributes:
        items: the rows.
        offset: where the page starts, as Wix says; None if it does not.
        total: number of all rows; None where it is missing or `too_many_to_count`.
    """

    items: tuple[T, ...]
    offset: int | None = None
    total: int | None = None
    too_many_to_count: bool = False

    def __iter__(self) -> Iterator[T]:
        """The rows of this page."""
        return iter(self.items)

    def __len__(self) -> int:
        """Number of rows in this page."""
        return len(self.items)

    def is_last(self, end: int, limit: int) -> bool:
        """Whether no page follows one that ends at offset `end` and was asked for with `limit`."""
        if self.total is not None:
            return not self.items or end >= self.total
        return len(self.items) < limit

    @classmethod
    def parse(cls, body: Mapping[str, Any], name: str, row: Callable[[dict[str, Any]], T]) -> Self:
        """Read `body[name]` and its `pagingMetadata` or `metadata` (contract sections 8.1, 9.4).

        Raises:
            MalformedAnswerError: no such list, or a row without its id or key.
        """
        rows = body.get(name)
        if not isinstance(rows, list):
            raise MalformedAnswerError(f"no {name}")
        about = mapping(body.get("pagingMetadata")) or mapping(body.get("metadata"))
        too_many = True in (about.get("tooManyToCount"), about.get("too_many_to_count"))
        return cls(
            items=tuple(row(mapping(entry)) for entry in rows),
            offset=whole(about.get("offset")),
            total=None if too_many else whole(about.get("total")),
            too_many_to_count=too_many,
        )


def walk(
    fetch: Callable[[int], Page[T]], page_size: int, identity: Callable[[T], str]
) -> Iterator[T]:
    """All rows, page by page, each identity once: offsets over changing data repeat rows."""
    seen: set[str] = set()
    offset = 0
    while True:
        page = fetch(offset)
        fresh = {identity(row): row for row in page if identity(row) not in seen}
        yield from fresh.values()
        seen.update(fresh)
        offset += len(page)
        # A page without news would come again for ever if Wix ignored the offset.
        if not fresh or page.is_last(offset, page_size):
            return
