"""List and Query Contacts (contract section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_filters import contact_rules, sort_value, value_at
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.paging import Page, Sorting, read_page, read_sort
from formapp.sandbox.api.projection import Projection, project, read_projection
from formapp.sandbox.api.queries import compile_filter

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.api.queries import Matcher
    from formapp.sandbox.state import Json

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000
MAX_SEARCH = 100


def list_contacts(call: Call) -> Json:
    """Answer List Contacts.

    Raises:
        WixError: 400 for a bad parameter, UNSUPPORTED_SORT_FIELD or ILLEGAL_LIMIT.
    """
    found = Violations()
    paging = {"limit": call.first("paging.limit"), "offset": call.first("paging.offset")}
    page = read_page(found, "paging", paging, DEFAULT_LIMIT)
    field = call.first("sort.fieldName")
    order = call.first("sort.order")
    sorts = read_sort(found, "sort", [{"fieldName": field, "order": order}] if field else None)
    found.raise_if_any()
    shown = read_projection(call.many("fields"), call.many("fieldsets"))
    rows = call.site.indexed(call.now, call.settings.list_delay)
    return _answer(call, rows, sorts, page, shown)


def query_contacts(call: Call) -> Json:
    """Answer Query Contacts; an empty body asks for everything.

    Raises:
        WixError: 400 with the code that the contract lists, or a validation error.
    """
    found = Violations()
    query = check.mapping(found, "query", call.body.get("query")) or {}
    paging = check.mapping(found, "query.paging", query.get("paging")) or {}
    page = read_page(found, "query.paging", paging, DEFAULT_LIMIT)
    sorts = read_sort(found, "query.sort", query.get("sort"))
    search = read_search(found, call.body.get("search"))
    fields = _strings(found, "query.fields", query.get("fields"))
    fieldsets = _strings(found, "query.fieldsets", query.get("fieldsets"))
    found.raise_if_any()
    shown = read_projection(fields, fieldsets)
    matches = compile_filter(query.get("filter"), contact_rules(call))
    return _answer(call, find_indexed(call, matches, search), sorts, page, shown)


def _strings(found: Violations, path: str, raw: Any) -> list[Any]:
    """Return an array, or the parts of a comma-separated string."""
    if isinstance(raw, str):
        return [part.strip() for part in raw.split(",") if part.strip()]
    return check.sequence(found, path, raw, MAX_LIMIT) or []


def read_search(found: Violations, raw: Any) -> str | None:
    """Return the plain-text search; an empty one counts as none."""
    return check.text(found, "search", raw, MAX_SEARCH) or None


def find_indexed(call: Call, matches: Matcher, search: str | None) -> list[Json]:
    """Return the contacts that the query index shows and that match."""
    rows = call.site.indexed(call.now, call.settings.query_delay)
    return [row for row in rows if matches(row) and (search is None or _holds(row, search))]


def _holds(row: Json, search: str) -> bool:
    """Tell whether a name, an email or a phone is exactly `search`, without regard to case.

    The contract says "exact plain-text match" and is silent about case.
    """
    info = row["info"]
    values = [
        *info.get("name", {}).values(),
        *(item["email"] for item in info.get("emails", {}).get("items", [])),
        *(item["phone"] for item in info.get("phones", {}).get("items", [])),
    ]
    return any(value.casefold() == search.casefold() for value in values)


def _answer(
    call: Call, rows: list[Json], sorts: list[Sorting], page: Page, shown: Projection
) -> Json:
    if not 1 <= page.limit <= MAX_LIMIT:
        raise application_error("ILLEGAL_LIMIT")
    ordered = _ordered(call, rows, sorts)
    return {
        "contacts": [project(row, shown) for row in page.cut(ordered)],
        "pagingMetadata": page.metadata(len(ordered)),
    }


def _ordered(call: Call, rows: list[Json], sorts: list[Sorting]) -> list[Json]:
    """Sort by what was asked, else by `createdDate` ascending; equal values by id."""
    rows = sorted(rows, key=value_at("id"))
    sorting = sorts[0] if sorts else Sorting("createdDate")
    value_of = sort_value(call.site, sorting.field or "")
    if value_of is None:
        raise application_error("UNSUPPORTED_SORT_FIELD")
    return sorting.apply(rows, value_of)
