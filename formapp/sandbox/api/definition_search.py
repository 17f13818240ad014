"""List and query of labels and of extended fields (contract sections 9.4 and 10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.paging import ORDERS, Page, Sorting, read_page
from formapp.sandbox.api.queries import EQUALITY, RANGE, FilterField, FilterRules, compile_filter

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.api.definitions import Kind
    from formapp.sandbox.state import Json

QUERY_DEFAULT = 50
QUERY_MAX = 1000
NAMESPACE_LENGTHS = (3, 25)
SORT_FIELDS = ("displayName", "createdDate", "updatedDate")
MOMENTS = ("createdDate", "updatedDate")
COMMON_FILTERS: dict[str, tuple[str, ...]] = {
    "key": (*EQUALITY, "$in"),
    "displayName": (*EQUALITY, "$in", "$startsWith"),
    "createdDate": RANGE,
    "updatedDate": RANGE,
    "namespace": EQUALITY,
}


def list_all(kind: Kind, call: Call) -> Json:
    """Answer a list: filtered by type, namespace and start of the name, sorted, one page.

    Without a sort the order is that of creation, system definitions first.

    Raises:
        WixError: 400 for a bad parameter.
    """
    found = Violations()
    wanted_type = check.choice(found, kind.type_name, call.first(kind.type_name), kind.types)
    namespace = call.first("namespace")
    shortest, longest = NAMESPACE_LENGTHS
    if namespace is not None and not shortest <= len(namespace) <= longest:
        found.add("namespace", f"must have {shortest} to {longest} characters", "MIN_LENGTH")
    start = check.text(found, "startsWith", call.first("startsWith"), kind.longest_name) or ""
    field = check.choice(found, "sort.fieldName", call.first("sort.fieldName"), SORT_FIELDS)
    order = check.choice(found, "sort.order", call.first("sort.order"), ORDERS)
    paging = {"limit": call.first("paging.limit"), "offset": call.first("paging.offset")}
    page = _page(found, "paging", paging, kind.list_default, kind.list_max)
    found.raise_if_any()
    rows = [
        one
        for one in kind.of(call).values()
        if one["displayName"].startswith(start)
        and wanted_type in (None, one[kind.type_name])
        and namespace in (None, one["namespace"])
    ]
    return _answer(kind, rows, Sorting(field, order == "DESC"), page)


def _page(found: Violations, path: str, paging: Json, default: int, highest: int | None) -> Page:
    page = read_page(found, path, paging, default)
    if page.limit < 1:
        found.add(f"{path}.limit", "must be at least 1", "MIN", threshold=1)
    if highest is not None and page.limit > highest:
        found.add(f"{path}.limit", f"must be at most {highest}", "MAX", threshold=highest)
    return page


def _answer(kind: Kind, rows: list[Json], sorting: Sorting, page: Page) -> Json:
    if sorting.field is not None:
        name = sorting.field
        rows = sorting.apply(rows, lambda row: row.get(name))
    metadata = page.metadata(len(rows))
    return {kind.plural: page.cut(rows), "metadata": metadata}


def query(kind: Kind, call: Call) -> Json:
    """Answer a query; the page's metadata goes out under both names that are in use.

    Without a sort the latest created comes first, as the SDK has it; system definitions have
    no date and come last.

    Raises:
        WixError: 400 with the code that the contract lists, or a validation error.
    """
    found = Violations()
    asked = check.mapping(found, "query", call.body.get("query")) or {}
    paging = check.mapping(found, "query.paging", asked.get("paging")) or {}
    page = _page(found, "query.paging", paging, QUERY_DEFAULT, QUERY_MAX)
    found.raise_if_any()
    sorting = _query_sort(asked.get("sort"))
    matches = compile_filter(asked.get("filter"), _rules(kind))
    rows = [one for one in kind.of(call).values() if matches(one)]
    answer = _answer(kind, rows, sorting, page)
    return {**answer, "pagingMetadata": answer["metadata"]}


def _query_sort(raw: Any) -> Sorting:
    sorts = (
        [raw] if isinstance(raw, dict) else raw or [{"fieldName": "createdDate", "order": "DESC"}]
    )
    if not isinstance(sorts, list) or len(sorts) != 1 or not isinstance(sorts[0], dict):
        raise application_error("INVALID_SORT")
    field, order = sorts[0].get("fieldName"), sorts[0].get("order") or "ASC"
    if field not in SORT_FIELDS or order not in ORDERS:
        raise application_error("INVALID_SORT")
    return Sorting(field, order == "DESC")


def _rules(kind: Kind) -> FilterRules:
    operators = {**COMMON_FILTERS, **kind.filters}

    def find(name: str) -> FilterField | None:
        if name not in operators:
            return None
        return FilterField(
            lambda row: [row[name]] if name in row else [],
            operators[name],
            "moment" if name in MOMENTS else "text",
        )

    return FilterRules(find, "UNSUPPORTED_FILTER_FIELD", "UNSUPPORTED_FILTER_VALUE")
