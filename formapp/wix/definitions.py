"""Labels and extended fields: what a site has defined, by key (CONTRACT.md sections 9 and 10)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar

from formapp.wix.auth import AuthenticatedTransport
from formapp.wix.parsing import (
    OLDEST_FIRST,
    Page,
    Sort,
    iterate_pages,
    required,
    text,
    timestamp,
    unwrap,
)
from formapp.wix.transport import JsonResponse, Operation

DataType = Literal["TEXT", "NUMBER", "DATE", "URL"]

_LABELS = "/contacts/v4/labels"
FIND_OR_CREATE_LABEL = Operation("findOrCreateLabel", "POST", _LABELS)
LIST_LABELS = Operation("listLabels", "GET", _LABELS, writes=False)
QUERY_LABELS = Operation("queryLabels", "POST", f"{_LABELS}/query", writes=False)

_FIELDS = "/contacts/v4/extended-fields"
FIND_OR_CREATE_FIELD = Operation("findOrCreateExtendedField", "POST", _FIELDS)
LIST_FIELDS = Operation("listExtendedFields", "GET", _FIELDS, writes=False)
QUERY_FIELDS = Operation("queryExtendedFields", "POST", f"{_FIELDS}/query", writes=False)


@dataclass(frozen=True, slots=True)
class Label:
    """One label. Its key never changes; never derive it from the name (CONTRACT.md section 9.3)."""

    key: str
    display_name: str
    namespace: str | None = None
    label_type: str | None = None
    created_date: datetime | None = None
    updated_date: datetime | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Parse the JSON object of a label, which must have a key."""
        return cls(
            key=required(raw, "key"),
            display_name=text(raw.get("displayName")) or "",
            namespace=text(raw.get("namespace")),
            label_type=text(raw.get("labelType")),
            created_date=timestamp(raw.get("createdDate")),
            updated_date=timestamp(raw.get("updatedDate")),
        )


@dataclass(frozen=True, slots=True)
class ExtendedField:
    """One extended field.

    Attributes:
        key: never changes; never derive it from the name (CONTRACT.md section 10.3).
        data_type: TEXT, NUMBER, DATE or URL; never changes.
        field_type: SYSTEM or USER_DEFINED.
    """

    key: str
    display_name: str
    data_type: str | None = None
    field_type: str | None = None
    namespace: str | None = None
    description: str | None = None
    created_date: datetime | None = None
    updated_date: datetime | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Parse the JSON object of an extended field, which must have a key."""
        return cls(
            key=required(raw, "key"),
            display_name=text(raw.get("displayName")) or "",
            data_type=text(raw.get("dataType")),
            field_type=text(raw.get("fieldType")),
            namespace=text(raw.get("namespace")),
            description=text(raw.get("description")),
            created_date=timestamp(raw.get("createdDate")),
            updated_date=timestamp(raw.get("updatedDate")),
        )


D = TypeVar("D", Label, ExtendedField)


class FoundLabel(NamedTuple):
    """Result of Find Or Create Label."""

    label: Label
    is_new: bool


class FoundField(NamedTuple):
    """Result of Find Or Create Extended Field; check the field's data type (CONTRACT.md 10.2)."""

    field: ExtendedField
    is_new: bool


class _Definitions(Generic[D]):
    """The calls that labels and extended fields have in common."""

    _rows: str
    _list: Operation
    _query: Operation
    _parse: Callable[[Mapping[str, Any]], D]

    def __init__(self, transport: AuthenticatedTransport) -> None:
        self._transport = transport

    def list(self, *, sort: Sort = OLDEST_FIRST, limit: int = 100, offset: int = 0) -> Page[D]:
        """One page. Of labels at most 2000; of fields the largest limit is not published."""
        query = {
            "sort.fieldName": sort[0],
            "sort.order": sort[1],
            "paging.limit": limit,
            "paging.offset": offset,
        }
        return self._page(self._transport.call(self._list, query=query))

    def query(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        *,
        sort: Sort = OLDEST_FIRST,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[D]:
        """One page of at most 1000."""
        query = {
            "filter": filter or {},
            "sort": [{"fieldName": sort[0], "order": sort[1]}],
            "paging": {"limit": limit, "offset": offset},
        }
        return self._page(self._transport.call(self._query, body={"query": query}))

    def iterate(self, *, page_size: int = 100) -> Iterator[D]:
        """All of the site, page by page."""
        return iterate_pages(
            lambda offset: self.list(limit=page_size, offset=offset),
            page_size,
            lambda row: row.key,
        )

    def _page(self, response: JsonResponse) -> Page[D]:
        return response.parse(lambda body: Page.parse(body, self._rows, self._parse))


class Labels(_Definitions[Label]):
    """Labels of one site."""

    _rows = "labels"
    _list = LIST_LABELS
    _query = QUERY_LABELS
    _parse = Label.parse

    def find_or_create(self, display_name: str) -> FoundLabel:
        """Find Or Create Label by its exact display name. Safe to repeat.

        Raises:
            QuotaReachedError: the site has no room for another label.
        """
        body = {"displayName": display_name}
        response = self._transport.call(FIND_OR_CREATE_LABEL, body=body)
        label = response.parse(lambda found: Label.parse(unwrap(found, "label", "key")))
        return FoundLabel(label, response.body.get("newLabel") is True)


class ExtendedFields(_Definitions[ExtendedField]):
    """Extended fields of one site."""

    _rows = "fields"
    _list = LIST_FIELDS
    _query = QUERY_FIELDS
    _parse = ExtendedField.parse

    def find_or_create(self, display_name: str, data_type: DataType = "TEXT") -> FoundField:
        """Find Or Create Extended Field by its exact display name. Safe to repeat.

        A field that is found keeps its own data type, whatever was asked for.

        Raises:
            QuotaReachedError: the site has 100 custom fields.
        """
        body = {"displayName": display_name, "dataType": data_type}
        response = self._transport.call(FIND_OR_CREATE_FIELD, body=body)
        found = response.parse(lambda body: ExtendedField.parse(unwrap(body, "field", "key")))
        return FoundField(found, response.body.get("newField") is True)
