"""Labels and extended fields, which have almost all in common (CONTRACT.md sections 9 and 10)."""

import re
import secrets
import string
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from formapp.sandbox.api import records
from formapp.sandbox.api.call import Call
from formapp.sandbox.api.errors import application_error, envelope
from formapp.sandbox.api.queries import (
    EQUALITY,
    ORDERS,
    RANGE,
    FilterField,
    FilterRules,
    Page,
    Sorting,
    read_page,
)
from formapp.sandbox.api.validation import MAX_KEY, Sent
from formapp.sandbox.state import Json, Site

SUFFIX_LENGTH = 19
QUERY_DEFAULT = 50
QUERY_MAX = 1000
NAMESPACE_LENGTHS = (3, 25)
DATA_TYPES = ("TEXT", "NUMBER", "DATE", "URL")
MOMENTS = ("createdDate", "updatedDate")
SORT_FIELDS = ("displayName", *MOMENTS)
COMMON_FILTERS: dict[str, tuple[str, ...]] = {
    "key": (*EQUALITY, "$in"),
    "displayName": (*EQUALITY, "$in", "$startsWith"),
    "createdDate": RANGE,
    "updatedDate": RANGE,
    "namespace": EQUALITY,
}


@dataclass(frozen=True)
class Kind:
    """Labels or extended fields, with their operations: names on the wire, and limits.

    `plural` is also the attribute of a site that holds them, `part` what refers to them in a
    contact's `info`. A rename may have the name in one of `flat_names`, if it is not nested. The
    `filters` are those beside the common ones.
    """

    singular: Literal["label", "field"]
    plural: Literal["labels", "fields"]
    part: Literal["labelKeys", "extendedFields"]
    type_name: str
    types: tuple[str, ...]
    flat_names: tuple[str, ...]
    max_name: int
    list_default: int
    list_max: int | None
    filters: dict[str, tuple[str, ...]]

    def find_or_create(self, call: Call) -> Json:
        """Answer Find Or Create: the definition with exactly this display name; case matters."""
        sent, stored = Sent(call.body), self._all(call)
        name = sent["displayName"].required(self.max_name)
        if self.singular == "label":
            more = {"namespaceDisplayName": ""}
        else:
            more = {"dataType": sent["dataType"].choice(DATA_TYPES) or "TEXT"}
        sent.raise_violations()
        is_new = f"new{self.singular.capitalize()}"
        for known in stored.values():
            if known["displayName"] == name:
                return {self.singular: known, is_new: False}
        self._check_quota(call, sum(one["namespace"] == "custom" for one in stored.values()))
        key = _make_key(name, stored, random_suffix=call.settings.random_key_suffixes)
        stored[key] = {
            "namespace": "custom",
            "key": key,
            "displayName": name,
            **more,
            self.type_name: "USER_DEFINED",
            "createdDate": call.moment,
            "updatedDate": call.moment,
        }
        call.site.changes += 1
        return {self.singular: stored[key], is_new: True}

    def _check_quota(self, call: Call, total: int) -> None:
        labels, fields = call.settings.labels_quota, call.settings.fields_quota
        if self.singular == "field" and total >= fields:
            raise application_error("FIELDS_QUOTA_EXCEEDED")
        if self.singular == "label" and total >= labels:
            data = {"labelsQuota": str(labels), "labelsCurrentTotal": str(total)}
            raise application_error("LABELS_QUOTA_REACHED", **data)

    def get(self, call: Call) -> Json:
        return {self.singular: self._find(call)}

    def list_all(self, call: Call) -> Json:
        """Answer List: filtered by type, namespace and start of the name, sorted, one page.

        Without a sort the order is that of creation, system definitions first.
        """
        sent = call.parameters()
        wanted_type = sent[self.type_name].choice(self.types)
        namespace = sent["namespace"]
        shortest, longest = NAMESPACE_LENGTHS
        if namespace.value is not None and not shortest <= len(namespace.value) <= longest:
            namespace.refuse(f"must have {shortest} to {longest} characters", "MIN_LENGTH")
        start = sent["startsWith"].text(self.max_name) or ""
        field = sent["sort.fieldName"].choice(SORT_FIELDS)
        order = sent["sort.order"].choice(ORDERS)
        limit, offset = sent["paging.limit"], sent["paging.offset"]
        page = _read_page(limit, offset, self.list_default, self.list_max)
        sent.raise_violations()
        rows = [
            one
            for one in self._all(call).values()
            if one["displayName"].startswith(start)
            and wanted_type in (None, one[self.type_name])
            and namespace.value in (None, one["namespace"])
        ]
        return self._answer(rows, Sorting(field, order == "DESC"), page)

    def query(self, call: Call) -> Json:
        """Answer Query, with the page's metadata under both names that are in use.

        Without a sort the newest definition comes first, as in the SDK; system definitions have
        no date and come last.
        """
        query = Sent(call.body)["query"]
        paging = query["paging"]
        page = _read_page(paging["limit"], paging["offset"], QUERY_DEFAULT, QUERY_MAX)
        query.raise_violations()
        sorting = _read_sort(query["sort"].value)
        matches = self._filter_rules().compile(query["filter"].value)
        rows = [one for one in self._all(call).values() if matches(one)]
        answer = self._answer(rows, sorting, page)
        return {**answer, "pagingMetadata": answer["metadata"]}

    def rename(self, call: Call) -> Json:
        """Answer Rename: the name is nested or flat; the key stays."""
        sent = Sent(call.body)
        if isinstance(call.body.get(self.singular), dict):
            name = sent[self.singular]["displayName"]
        else:
            given = (one for one in self.flat_names if one in call.body)
            name = sent[next(given, "displayName")]
        display_name = name.required(self.max_name)
        sent.raise_violations()
        renamed = {**self._find(call), "displayName": display_name}
        if "updatedDate" in renamed:
            renamed["updatedDate"] = call.moment
        self._all(call)[renamed["key"]] = renamed
        call.site.changes += 1
        return {self.singular: renamed}

    def delete(self, call: Call) -> Json:
        """Answer Delete: remove the definition from all contacts too, without new revisions."""
        definition = self._find(call)
        if definition[self.type_name] == "SYSTEM":
            raise envelope(428)
        key = definition["key"]
        del self._all(call)[key]
        call.site.changes += 1
        for record in call.site.contacts.values():
            info = record.body["info"]
            held: Any = info.get(self.part, {}).get("items", ())
            if key in held:
                rest: Any = [one for one in held if one != key]
                if isinstance(held, dict):
                    rest = {one: held[one] for one in rest}
                records.replace_info(call, record, {**info, self.part: {"items": rest}})
        return {}

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


LABELS = Kind(
    singular="label",
    plural="labels",
    part="labelKeys",
    type_name="labelType",
    types=("SYSTEM", "USER_DEFINED", "WIX_APP_DEFINED"),
    flat_names=("displayName",),
    max_name=180,
    list_default=1000,
    list_max=2000,
    filters={"labelType": ("$eq",)},
)
FIELDS = Kind(
    singular="field",
    plural="fields",
    part="extendedFields",
    type_name="fieldType",
    types=("SYSTEM", "USER_DEFINED"),
    flat_names=("displayName", "name"),
    max_name=150,
    list_default=100,
    list_max=None,
    filters={"fieldType": ("$eq",), "dataType": ("$eq", "$ne")},
)


def require_labels(site: Site, keys: Iterable[str], path: str) -> None:
    """Refuse labels that do not exist, with a violation for each (CONTRACT.md section 9.5)."""
    sent = Sent(None)
    for index, key in enumerate(keys):
        if key not in site.labels:
            Sent(key, f"{path}[{index}]", sent.violations).refuse("label does not exist")
    sent.raise_violations()


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


def _read_page(limit: Sent, offset: Sent, default: int, highest: int | None) -> Page:
    page = read_page(limit, offset, default)
    if page.limit < 1:
        limit.refuse("must be at least 1", "MIN", threshold=1)
    if highest is not None and page.limit > highest:
        limit.refuse(f"must be at most {highest}", "MAX", threshold=highest)
    return page


def _read_sort(raw: Any) -> Sorting:
    default = [{"fieldName": "createdDate", "order": "DESC"}]
    sorts = [raw] if isinstance(raw, dict) else raw or default
    if not isinstance(sorts, list) or len(sorts) != 1 or not isinstance(sorts[0], dict):
        raise application_error("INVALID_SORT")
    field, order = sorts[0].get("fieldName"), sorts[0].get("order") or "ASC"
    if field not in SORT_FIELDS or order not in ORDERS:
        raise application_error("INVALID_SORT")
    return Sorting(field, order == "DESC")
