"""Verbs for extended fields (contract section 10)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from formapp.wix import operations as ops
from formapp.wix.answers import Answer
from formapp.wix.auth import Site
from formapp.wix.bodies import DataType, SortOrder
from formapp.wix.definitions import ExtendedField
from formapp.wix.errors import NotFound
from formapp.wix.paging import OLDEST_FIRST, Page
from formapp.wix.parsing import unwrap


class FoundField(NamedTuple):
    """Answer of Find Or Create Extended Field; check the field's data type (contract 10.2)."""

    field: ExtendedField
    is_new: bool


def _field(answer: Answer) -> ExtendedField:
    """The field, wrapped or bare (contract section 10.5)."""
    return answer.read(lambda body: ExtendedField.parse(unwrap(body, "field", "key")))


def _page(answer: Answer) -> Page[ExtendedField]:
    return answer.read(lambda body: Page.parse(body, "fields", ExtendedField.parse))


class ExtendedFields:
    """Extended fields of one site. Every method raises `WixError` where it does not succeed."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def find_or_create(self, display_name: str, data_type: DataType = "TEXT") -> FoundField:
        """Find Or Create Extended Field by its exact display name. Safe to repeat.

        A field that is found keeps its own data type, whatever was asked for.

        Raises:
            QuotaReached: the site has 100 custom fields.
        """
        body = {"displayName": display_name, "dataType": data_type}
        answer = self._site.call(ops.FIND_OR_CREATE_FIELD, body=body)
        return FoundField(_field(answer), answer.body.get("newField") is True)

    def get(self, key: str) -> ExtendedField:
        """Get Extended Field.

        Raises:
            NotFound: no such field.
        """
        return _field(self._site.call(ops.GET_FIELD, ident=key))

    def list(  # noqa: PLR0913 - the parts of the request, all by keyword
        self,
        *,
        field_type: str | None = None,
        namespace: str | None = None,
        starts_with: str | None = None,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 100,
        offset: int = 0,
    ) -> Page[ExtendedField]:
        """List Extended Fields: one page; the largest limit is not published."""
        query = {
            "fieldType": field_type,
            "namespace": namespace,
            "startsWith": starts_with,
            "sort.fieldName": sort[0],
            "sort.order": sort[1],
            "paging.limit": limit,
            "paging.offset": offset,
        }
        return _page(self._site.call(ops.LIST_FIELDS, query=query))

    def query(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        *,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[ExtendedField]:
        """Query Extended Fields: one page."""
        query = {
            "filter": filter or {},
            "sort": [{"fieldName": sort[0], "order": sort[1]}],
            "paging": {"limit": limit, "offset": offset},
        }
        return _page(self._site.call(ops.QUERY_FIELDS, body={"query": query}))

    def rename(self, key: str, display_name: str) -> ExtendedField:
        """Rename Extended Field: the display name changes, the key stays.

        Raises:
            NotFound: no such field.
        """
        body = {"field": {"key": key, "displayName": display_name}}
        return _field(self._site.call(ops.RENAME_FIELD, ident=key, body=body))

    def delete(self, key: str) -> bool:
        """Delete Extended Field, with its values on all contacts. False: it was not there.

        Raises:
            PreconditionFailed: a system field.
        """
        try:
            self._site.call(ops.DELETE_FIELD, ident=key)
        except NotFound:
            return False
        return True
