"""List and Query Contacts: what can be filtered, sorted and searched (CONTRACT.md section 8)."""

from typing import Any

from formapp.sandbox.api.call import Call
from formapp.sandbox.api.contact_info import items
from formapp.sandbox.api.errors import application_error
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
    Read,
    Sorting,
    ValueKind,
    project,
    read_page,
    read_projection,
    read_sort,
    value_at,
)
from formapp.sandbox.api.validation import Sent
from formapp.sandbox.state import Json, Site

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000
MAX_SEARCH = 100

EXTENDED = "info.extendedFields.items"
EXTENDED_PREFIX = "info.extendedFields."


def _scalar(read: Read, operators: tuple[str, ...], kind: ValueKind = "text") -> FilterField:
    return FilterField(lambda row: [read(row)] if read(row) is not None else [], operators, kind)


def _listed(name: str, operators: tuple[str, ...], *parts: Read) -> FilterField:
    """Return the field of a list: the values that `parts` read from its items."""

    def values(row: Json) -> list[Any]:
        found = [part(item) for item in items(row["info"], name) for part in parts]
        return [value for value in found if value]

    return FilterField(values, operators)


MOMENTS = ("createdDate", "updatedDate", "lastActivity.activityDate", "info.birthdate")
TEXTS = (
    "primaryInfo.email",
    "primaryInfo.phone",
    "info.name.first",
    "info.name.last",
    "info.company",
    "info.jobTitle",
)
SORT_FIELDS = {*MOMENTS, *TEXTS} - {"updatedDate", "primaryInfo.phone"}

AGREED: dict[str, FilterField] = {
    **{name: _scalar(value_at(name), CHOICE) for name in ("id", "info.locale")},
    **{name: _scalar(value_at(name), RANGE, "moment") for name in MOMENTS},
    **{name: _scalar(value_at(name), TEXT) for name in TEXTS},
    "info.labelKeys": _listed("labelKeys", KEYS, str),
}
"""Fields that every source of CONTRACT.md lists."""

_STREET = (value_at("address.addressLine"), value_at("address.streetAddress.name"))
OPTIONAL: dict[str, FilterField] = {
    "info.emails.email": _listed("emails", TEXT, value_at("email")),
    "info.phones.phone": _listed("phones", TEXT, value_at("phone")),
    "info.phones.e164Phone": _listed("phones", TEXT, value_at("e164Phone")),
    "info.addresses.street": _listed("addresses", TEXT, *_STREET),
    "info.addresses.city": _listed("addresses", TEXT, value_at("address.city")),
    "info.addresses.subdivision": _listed("addresses", CHOICE, value_at("address.subdivision")),
    "info.addresses.country": _listed("addresses", CHOICE, value_at("address.country")),
    "info.locations": _listed("locations", KEYS, str),
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
    sent = call.parameters()
    page = read_page(sent["paging.limit"], sent["paging.offset"], DEFAULT_LIMIT)
    field, order = sent["sort.fieldName"].value, sent["sort.order"].value
    sort = [{"fieldName": field, "order": order}] if field else None
    sorting = read_sort(Sent(sort, "sort", sent.violations))
    sent.raise_violations()
    projection = read_projection(call.many("fields"), call.many("fieldsets"))
    rows = call.site.indexed(call.now, call.settings.list_delay)
    return _answer(call, rows, sorting, page, projection)


def query_contacts(call: Call) -> Json:
    """Answer Query Contacts; an empty body matches everything."""
    sent = Sent(call.body)
    query = sent["query"]
    paging = query["paging"]
    page = read_page(paging["limit"], paging["offset"], DEFAULT_LIMIT)
    sorting = read_sort(query["sort"])
    search = read_search(sent)
    fields, fieldsets = _strings(query["fields"]), _strings(query["fieldsets"])
    sent.raise_violations()
    projection = read_projection(fields, fieldsets)
    rows = find_contacts(call, query["filter"].value, search)
    return _answer(call, rows, sorting, page, projection)


def _strings(sent: Sent) -> list[Any]:
    """Return an array, or the parts of a comma-separated string."""
    if isinstance(sent.value, str):
        return [part.strip() for part in sent.value.split(",") if part.strip()]
    return [one.value for one in sent.items(MAX_LIMIT) or []]


def read_search(sent: Sent) -> str | None:
    """Return the plain-text search of a request; an empty one counts as none."""
    return sent["search"].text(MAX_SEARCH) or None


def find_contacts(call: Call, condition: Any, search: str | None) -> list[Json]:
    """Return the contacts in the query index that match a filter and a search."""

    def find(name: str) -> FilterField | None:
        if name.startswith(EXTENDED_PREFIX):
            return _extended_field(call.site, name.removeprefix(EXTENDED_PREFIX))
        if name in OPTIONAL and call.settings.refuse_optional_filters:
            return None
        return AGREED.get(name) or OPTIONAL.get(name)

    rules = FilterRules(find, "UNSUPPORTED_FILTER_FIELD_UNKNOWN", "UNSUPPORTED_FILTER_VALUE_TYPE")
    matches = rules.compile(condition)
    rows = call.site.indexed(call.now, call.settings.query_delay)
    return [row for row in rows if matches(row) and (search is None or _contains(row, search))]


def _extended_field(site: Site, key: str) -> FilterField | None:
    definition = site.fields.get(key)
    if definition is None:
        return None
    if definition["fieldType"] == "SYSTEM":
        return _scalar(value_at(EXTENDED, key), SYSTEM_FIELDS.get(key, ()))
    return _scalar(value_at(EXTENDED, key), *CUSTOM_FIELDS[definition["dataType"]])


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
    call: Call, rows: list[Json], sorting: Sorting, page: Page, projection: Projection
) -> Json:
    """Sort by `sorting`, else by `createdDate` ascending; equal values by id."""
    if not 1 <= page.limit <= MAX_LIMIT:
        raise application_error("ILLEGAL_LIMIT")
    value_of = _sort_value(call.site, sorting.field or "createdDate")
    if value_of is None:
        raise application_error("UNSUPPORTED_SORT_FIELD")
    ordered = sorting.apply(sorted(rows, key=value_at("id")), value_of)
    return {
        "contacts": [project(row, projection) for row in page.cut(ordered)],
        "pagingMetadata": page.metadata(len(ordered)),
    }


def _sort_value(site: Site, name: str) -> Read | None:
    """Return the function that reads a contact's value of a sort field; None if unsupported."""
    if name in SORT_FIELDS:
        return value_at(name)
    key = name.removeprefix(EXTENDED_PREFIX)
    definition = site.fields.get(key) if name.startswith(EXTENDED_PREFIX) else None
    if definition is None:
        return None
    sortable = definition["fieldType"] != "SYSTEM" or key == "emailSubscriptions.effectiveEmail"
    return value_at(EXTENDED, key) if sortable else None
