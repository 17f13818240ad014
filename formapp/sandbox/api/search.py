"""List and Query Contacts: what can be filtered, sorted and searched (CONTRACT.md section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_info import items
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.queries import (
    CHOICE,
    EQUALITY,
    KEYS,
    RANGE,
    TEXT,
    FilterField,
    FilterRules,
    Page,
    Projection,
    Sorting,
    ValueKind,
    compile_filter,
    project,
    read_page,
    read_projection,
    read_sort,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json, Site

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000
MAX_SEARCH = 100

SORT_FIELDS = (
    "createdDate",
    "lastActivity.activityDate",
    "primaryInfo.email",
    "info.name.first",
    "info.name.last",
    "info.company",
    "info.jobTitle",
    "info.birthdate",
)
EXTENDED_PREFIX = "info.extendedFields."


def _value_at(path: str) -> Callable[[Json], Any]:
    """Return the function that reads a contact's value at a dotted path, None if absent."""
    names = path.split(".")

    def read(row: Json) -> Any:
        value: Any = row
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return read


def _extended_value(key: str) -> Callable[[Json], Any]:
    """Return the function that reads a contact's extended field, None if absent."""
    return lambda row: row["info"].get("extendedFields", {}).get("items", {}).get(key)


def _scalar(
    read: Callable[[Json], Any], operators: tuple[str, ...], kind: ValueKind = "text"
) -> FilterField:
    return FilterField(lambda row: [read(row)] if read(row) is not None else [], operators, kind)


def _listed(
    name: str, values_of: Callable[[Any], list[Any]], operators: tuple[str, ...]
) -> FilterField:
    def values(row: Json) -> list[Any]:
        return [one for item in items(row["info"], name) for one in values_of(item) if one]

    return FilterField(values, operators)


def _address_part(part: str) -> Callable[[Json], list[Any]]:
    return lambda item: [item["address"].get(part)]


def _street(item: Json) -> list[Any]:
    address = item["address"]
    return [address.get("addressLine"), address.get("streetAddress", {}).get("name")]


MOMENTS = ("createdDate", "updatedDate", "lastActivity.activityDate", "info.birthdate")
TEXTS = (
    "primaryInfo.email",
    "primaryInfo.phone",
    "info.name.first",
    "info.name.last",
    "info.company",
    "info.jobTitle",
)

AGREED: dict[str, FilterField] = {
    "id": _scalar(_value_at("id"), CHOICE),
    **{name: _scalar(_value_at(name), RANGE, "moment") for name in MOMENTS},
    **{name: _scalar(_value_at(name), TEXT) for name in TEXTS},
    "info.locale": _scalar(_value_at("info.locale"), CHOICE),
    "info.labelKeys": _listed("labelKeys", lambda key: [key], KEYS),
}
"""Fields that every source of CONTRACT.md lists."""

OPTIONAL: dict[str, FilterField] = {
    "info.emails.email": _listed("emails", lambda item: [item["email"]], TEXT),
    "info.phones.phone": _listed("phones", lambda item: [item["phone"]], TEXT),
    "info.phones.e164Phone": _listed("phones", lambda item: [item.get("e164Phone")], TEXT),
    "info.addresses.street": _listed("addresses", _street, TEXT),
    "info.addresses.city": _listed("addresses", _address_part("city"), TEXT),
    "info.addresses.subdivision": _listed("addresses", _address_part("subdivision"), CHOICE),
    "info.addresses.country": _listed("addresses", _address_part("country"), CHOICE),
    "info.locations": _listed("locations", lambda location: [location], KEYS),
}
"""Fields that only some sources list; the setting `refuse_optional_filters` refuses them."""

_CUSTOM_TEXT = (*EQUALITY, "$in", "$startsWith")
CUSTOM_FIELDS: dict[str, tuple[tuple[str, ...], ValueKind]] = {
    "TEXT": (_CUSTOM_TEXT, "text"),
    "URL": (_CUSTOM_TEXT, "text"),
    "NUMBER": (RANGE, "number"),
    "DATE": (RANGE, "moment"),
}
_SYSTEM_CHOICE = (*EQUALITY, "$in", "$nin")
SYSTEM_FIELDS: dict[str, tuple[str, ...]] = {
    "emailSubscriptions.subscriptionStatus": _SYSTEM_CHOICE,
    "emailSubscriptions.deliverabilityStatus": _SYSTEM_CHOICE,
    "members.membershipStatus": _SYSTEM_CHOICE,
    "emailSubscriptions.effectiveEmail": ("$exists",),
}


def list_contacts(call: Call) -> Json:
    """Answer List Contacts."""
    found = Violations()
    paging = {"limit": call.first("paging.limit"), "offset": call.first("paging.offset")}
    page = read_page(found, "paging", paging, DEFAULT_LIMIT)
    field, order = call.first("sort.fieldName"), call.first("sort.order")
    sorts = read_sort(found, "sort", [{"fieldName": field, "order": order}] if field else None)
    found.raise_if_any()
    projection = read_projection(call.many("fields"), call.many("fieldsets"))
    rows = call.site.indexed(call.now, call.settings.list_delay)
    return _answer(call, rows, sorts, page, projection)


def query_contacts(call: Call) -> Json:
    """Answer Query Contacts; an empty body matches everything."""
    found = Violations()
    query = check.mapping(found, "query", call.body.get("query")) or {}
    paging = check.mapping(found, "query.paging", query.get("paging")) or {}
    page = read_page(found, "query.paging", paging, DEFAULT_LIMIT)
    sorts = read_sort(found, "query.sort", query.get("sort"))
    search = read_search(found, call.body.get("search"))
    fields = _strings(found, "query.fields", query.get("fields"))
    fieldsets = _strings(found, "query.fieldsets", query.get("fieldsets"))
    found.raise_if_any()
    projection = read_projection(fields, fieldsets)
    rows = find_contacts(call, query.get("filter"), search)
    return _answer(call, rows, sorts, page, projection)


def _strings(found: Violations, path: str, raw: Any) -> list[Any]:
    """Return an array, or the parts of a comma-separated string."""
    if isinstance(raw, str):
        return [part.strip() for part in raw.split(",") if part.strip()]
    return check.sequence(found, path, raw, MAX_LIMIT) or []


def read_search(found: Violations, raw: Any) -> str | None:
    """Return the plain-text search; an empty one counts as none."""
    return check.text(found, "search", raw, MAX_SEARCH) or None


def find_contacts(call: Call, condition: Any, search: str | None) -> list[Json]:
    """Return the contacts in the query index that match a filter and a search.

    Raises:
        WixError: 400 with a filter code.
    """

    def find(name: str) -> FilterField | None:
        if name.startswith(EXTENDED_PREFIX):
            return _extended_field(call.site, name.removeprefix(EXTENDED_PREFIX))
        if name in OPTIONAL and call.settings.refuse_optional_filters:
            return None
        return AGREED.get(name) or OPTIONAL.get(name)

    rules = FilterRules(find, "UNSUPPORTED_FILTER_FIELD_UNKNOWN", "UNSUPPORTED_FILTER_VALUE_TYPE")
    matches = compile_filter(condition, rules)
    rows = call.site.indexed(call.now, call.settings.query_delay)
    return [row for row in rows if matches(row) and (search is None or _contains(row, search))]


def _extended_field(site: Site, key: str) -> FilterField | None:
    definition = site.fields.get(key)
    if definition is None:
        return None
    if definition["fieldType"] == "SYSTEM":
        return _scalar(_extended_value(key), SYSTEM_FIELDS.get(key, ()))
    return _scalar(_extended_value(key), *CUSTOM_FIELDS[definition["dataType"]])


def _contains(row: Json, search: str) -> bool:
    """Return whether a name, an email or a phone equals `search`, ignoring case.

    CONTRACT.md says "exact plain-text match" and nothing about case.
    """
    info = row["info"]
    values = [
        *info.get("name", {}).values(),
        *(item["email"] for item in items(info, "emails")),
        *(item["phone"] for item in items(info, "phones")),
    ]
    return any(value.casefold() == search.casefold() for value in values)


def _answer(
    call: Call, rows: list[Json], sorts: list[Sorting], page: Page, projection: Projection
) -> Json:
    """Sort by the first sort, else by `createdDate` ascending; equal values by id."""
    if not 1 <= page.limit <= MAX_LIMIT:
        raise application_error("ILLEGAL_LIMIT")
    sorting = sorts[0] if sorts else Sorting("createdDate")
    value_of = _sort_value(call.site, sorting.field or "")
    if value_of is None:
        raise application_error("UNSUPPORTED_SORT_FIELD")
    ordered = sorting.apply(sorted(rows, key=_value_at("id")), value_of)
    return {
        "contacts": [project(row, projection) for row in page.cut(ordered)],
        "pagingMetadata": page.metadata(len(ordered)),
    }


def _sort_value(site: Site, name: str) -> Callable[[Json], Any] | None:
    """Return the function that reads a contact's value of a sort field; None if unsupported."""
    if name in SORT_FIELDS:
        return _value_at(name)
    key = name.removeprefix(EXTENDED_PREFIX)
    definition = site.fields.get(key) if name.startswith(EXTENDED_PREFIX) else None
    if definition is None:
        return None
    sortable = definition["fieldType"] != "SYSTEM" or key == "emailSubscriptions.effectiveEmail"
    return _extended_value(key) if sortable else None
