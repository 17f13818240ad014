"""Labels and extended fields: what a site has defined, by key (CONTRACT.md sections 9 and 10)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from formapp.wix.parsing import (
    Page,
    list_query,
    required,
    text,
    unwrap,
)
from formapp.wix.transport import Operation, Transport

DataType = Literal["TEXT", "NUMBER", "DATE", "URL"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A label or an extended field; a label has no types.

    Attributes:
        key: never changes; never derive it from the name (CONTRACT.md sections 9.3 and 10.3).
        data_type: TEXT, NUMBER, DATE or URL; never changes.
        field_type: SYSTEM or USER_DEFINED.
    """

    key: str
    display_name: str
    data_type: str | None = None
    field_type: str | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Parse the JSON object of a label or field, which must have a key."""
        name = text(raw.get("displayName")) or ""
        data_type, field_type = text(raw.get("dataType")), text(raw.get("fieldType"))
        return cls(required(raw, "key"), name, data_type, field_type)


class Definitions:
    """The labels or the extended fields of one site, by their names on the wire."""

    def __init__(self, transport: Transport, path: str, operation: str, name: str) -> None:
        path = f"/contacts/v4/{path}"
        self._transport = transport
        self._find_or_create = Operation(f"findOrCreate{operation}", "POST", path)
        self._list = Operation(f"list{operation}s", "GET", path, writes=False)
        self._name = name

    def find_or_create(
        self, display_name: str, data_type: DataType | None = None
    ) -> tuple[Definition, bool]:
        """Find by the exact display name or create; True where it is new. Safe to repeat.

        A field needs a data type; one that is found keeps its own (CONTRACT.md section 10.2).
        QuotaReachedError where the site has no room for another.
        """

        def parse(raw: Mapping[str, Any]) -> tuple[Definition, bool]:
            is_new = raw.get(f"new{self._name.capitalize()}") is True
            return Definition.parse(unwrap(raw, self._name, "key")), is_new

        body = {"displayName": display_name, **({"dataType": data_type} if data_type else {})}
        return self._transport.call(self._find_or_create, parse, body=body)

    def iterate(self, *, page_size: int = 100) -> Iterator[Definition]:
        """All, page by page, each once: paging by offset repeats rows while data change."""

        def parse(body: Mapping[str, Any]) -> Page[Definition]:
            return Page.parse(body, f"{self._name}s", Definition.parse)

        seen: set[str] = set()
        offset = 0
        while True:
            page = self._transport.call(self._list, parse, query=list_query(page_size, offset))
            new = {row.key: row for row in page if row.key not in seen}
            yield from new.values()
            seen.update(new)
            offset += len(page)
            at_end = offset >= page.total if page.total is not None else len(page) < page_size
            # A page without new rows would repeat for ever if Wix ignored the offset.
            if at_end or not new:
                return
