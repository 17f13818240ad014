"""What labels and extended fields have in common (CONTRACT.md sections 9 and 10)."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.errors import Violations, application_error, envelope
from formapp.sandbox.api.queries import (
    EQUALITY,
    ORDERS,
    RANGE,
    FilterField,
    FilterRules,
    Page,
    Sorting,
    compile_filter,
    read_page,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

MAX_KEY = 80
SUFFIX_LENGTH = 19
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


@dataclass(frozen=True)
class Kind:
    """Labels or extended fields, with the operations that are the same for both.

    Attributes:
        singular: Wire name of one definition.
        plural: Wire name of several, also the attribute of a site that holds them.
        type_name: Wire name of the type, such as `labelType`.
        types: Values of the type.
        max_name: Longest display name, in characters.
        list_default: Limit of a list without one.
        list_max: Highest limit of a list; None if CONTRACT.md knows none.
        filters: Filter fields in addition to the common ones.
    """

    singular: Literal["label", "field"]
    plural: Literal["labels", "fields"]
    type_name: str
    types: tuple[str, ...]
    max_name: int
    list_default: int
    list_max: int | None
    filters: dict[str, tuple[str, ...]]

    def get(self, call: Call) -> Json:
        """Answer Get."""
        return {self.singular: self._find(call)}

    def list_all(self, call: Call) -> Json:
        """Answer List: filtered by type, namespace and start of the name, sorted, one page.

        Without a sort the order is that of creation, system definitions first.
        """
        found = Violations()
        wanted_type = check.choice(found, self.type_name, call.first(self.type_name), self.types)
        namespace = call.first("namespace")
        shortest, longest = NAMESPACE_LENGTHS
        if namespace is not None and not shortest <= len(namespace) <= longest:
            found.add("namespace", f"must have {shortest} to {longest} characters", "MIN_LENGTH")
        start = check.text(found, "startsWith", call.first("startsWith"), self.max_name) or ""
        field = check.choice(found, "sort.fieldName", call.first("sort.fieldName"), SORT_FIELDS)
        order = check.choice(found, "sort.order", call.first("sort.order"), ORDERS)
        paging = {"limit": call.first("paging.limit"), "offset": call.first("paging.offset")}
        page = _read_page(found, "paging", paging, self.list_default, self.list_max)
        found.raise_if_any()
        rows = [
            one
            for one in self._all(call).values()
            if one["displayName"].startswith(start)
            and wanted_type in (None, one[self.type_name])
            and namespace in (None, one["namespace"])
        ]
        return self._answer(rows, Sorting(field, order == "DESC"), page)

    def query(self, call: Call) -> Json:
        """Answer Query, with the page's metadata under both names that are in use.

        Without a sort the newest definition comes first, as in the SDK; system definitions have
        no date and come last.
        """
        found = Violations()
        query = check.mapping(found, "query", call.body.get("query")) or {}
        paging = check.mapping(found, "query.paging", query.get("paging")) or {}
        page = _read_page(found, "query.paging", paging, QUERY_DEFAULT, QUERY_MAX)
        found.raise_if_any()
        sorting = _read_sort(query.get("sort"))
        matches = compile_filter(query.get("filter"), self._filter_rules())
        rows = [one for one in self._all(call).values() if matches(one)]
        answer = self._answer(rows, sorting, page)
        return {**answer, "pagingMetadata": answer["metadata"]}

    def find_by_name(self, call: Call, display_name: str) -> Json | None:
        """Return the definition with exactly this display name; case matters."""
        all_ = self._all(call).values()
        return next((one for one in all_ if one["displayName"] == display_name), None)

    def count_custom(self, call: Call) -> int:
        """Return how many definitions of the site count towards its quota."""
        return sum(one["namespace"] == "custom" for one in self._all(call).values())

    def add(self, call: Call, definition: Json) -> Json:
        """Store a custom definition; return it with its key and dates."""
        stored = self._all(call)
        random_suffix = call.settings.random_key_suffixes
        key = _make_key(definition["displayName"], stored, random_suffix=random_suffix)
        dates = {"createdDate": call.moment, "updatedDate": call.moment}
        stored[key] = {"namespace": "custom", "key": key, **definition, **dates}
        call.site.changes += 1
        return stored[key]

    def rename(self, call: Call, raw: Any, path: str) -> Json:
        """Answer Rename; the key stays. `path` is where the request has the name."""
        name = self.read_display_name(raw, path)
        renamed = {**self._find(call), "displayName": name}
        if "updatedDate" in renamed:
            renamed["updatedDate"] = call.moment
        self._all(call)[renamed["key"]] = renamed
        call.site.changes += 1
        return {self.singular: renamed}

    def remove(self, call: Call) -> str:
        """Remove the definition and return its key.

        Raises:
            WixError: 404 for an unknown key, 428 for a system definition.
        """
        definition = self._find(call)
        if definition[self.type_name] == "SYSTEM":
            raise envelope(428)
        del self._all(call)[definition["key"]]
        call.site.changes += 1
        return str(definition["key"])

    def read_display_name(self, raw: Any, path: str = "displayName") -> str:
        """Return a display name.

        Raises:
            WixError: 400 if it is missing, empty or too long.
        """
        found = Violations()
        name = check.required_text(found, path, raw, self.max_name)
        found.raise_if_any()
        return name or ""

    def _all(self, call: Call) -> dict[str, Json]:
        definitions: dict[str, Json] = getattr(call.site, self.plural)
        return definitions

    def _find(self, call: Call) -> Json:
        definition = self._all(call).get(call.path["key"])
        if definition is None:
            raise envelope(404)
        return definition

    def _answer(self, rows: list[Json], sorting: Sorting, page: Page) -> Json:
        name = sorting.field
        if name is not None:
            rows = sorting.apply(rows, lambda row: row.get(name))
        return {self.plural: page.cut(rows), "metadata": page.metadata(len(rows))}

    def _filter_rules(self) -> FilterRules:
        operators = {**COMMON_FILTERS, **self.filters}

        def find(name: str) -> FilterField | None:
            if name not in operators:
                return None
            return FilterField(
                lambda row: [row[name]] if name in row else [],
                operators[name],
                "moment" if name in MOMENTS else "text",
            )

        return FilterRules(find, "UNSUPPORTED_FILTER_FIELD", "UNSUPPORTED_FILTER_VALUE")


def _make_key(display_name: str, taken: Collection[str], *, random_suffix: bool) -> str:
    """Return a key by the rule of CONTRACT.md section 9.3."""
    slug = re.sub(r"[^a-z0-9_]+", "-", display_name.strip().lower()).strip("-")
    stem = f"custom.{slug or _random_letters(8)}"
    if random_suffix:
        return f"{stem[: MAX_KEY - SUFFIX_LENGTH - 1]}-{_random_letters(SUFFIX_LENGTH)}"
    key, number = stem[:MAX_KEY], 0
    while key in taken:
        number += 1
        key = f"{stem[: MAX_KEY - len(f'-{number}')]}-{number}"
    return key


def _random_letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(count))


def _read_page(
    found: Violations, path: str, paging: Json, default: int, highest: int | None
) -> Page:
    page = read_page(found, path, paging, default)
    if page.limit < 1:
        found.add(f"{path}.limit", "must be at least 1", "MIN", threshold=1)
    if highest is not None and page.limit > highest:
        found.add(f"{path}.limit", f"must be at most {highest}", "MAX", threshold=highest)
    return page


def _read_sort(raw: Any) -> Sorting:
    sorts = (
        [raw] if isinstance(raw, dict) else raw or [{"fieldName": "createdDate", "order": "DESC"}]
    )
    if not isinstance(sorts, list) or len(sorts) != 1 or not isinstance(sorts[0], dict):
        raise application_error("INVALID_SORT")
    field, order = sorts[0].get("fieldName"), sorts[0].get("order") or "ASC"
    if field not in SORT_FIELDS or order not in ORDERS:
        raise application_error("INVALID_SORT")
    return Sorting(field, order == "DESC")
