"""The query language of all resources: filter, sort, page, projection.

CONTRACT.md sections 7.2, 8.1, 8.3, 8.4, 9.4 and 10.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.clock import parse_iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from formapp.sandbox.state import Json

Matcher = Callable[["Json"], bool]
ValueKind = Literal["text", "number", "moment"]
Projection = tuple[str, ...] | None
"""Paths to show; None shows everything."""

EQUALITY = ("$eq", "$ne")
RANGE = (*EQUALITY, "$gt", "$gte", "$lt", "$lte")
TEXT = (*EQUALITY, "$in", "$exists", "$startsWith")
CHOICE = (*EQUALITY, "$in", "$exists")
KEYS = ("$hasSome", "$hasAll")
ALIASES = {"$begins": "$startsWith"}
LIST_OPERATORS = ("$in", "$nin", "$hasSome", "$hasAll")
MAX_DEPTH = 20

ORDERS = ("ASC", "DESC")

BASIC = ("primaryInfo", "info.name")
FIELDSETS: dict[str, tuple[str, ...]] = {
    "BASIC": BASIC,
    "COMMUNICATION_DETAILS": (*BASIC, "info.emails", "info.phones", "info.addresses"),
    "EXTENDED": (*BASIC, "info.extendedFields"),
    "FULL": (),
}
MAX_FIELDS = 100
MAX_FIELD_LENGTH = 100
MAX_FIELDSETS = 10


@dataclass(frozen=True)
class FilterField:
    """A field that can be filtered: how to read its values from a row, and to compare them."""

    values: Callable[[Json], list[Any]]
    operators: tuple[str, ...]
    kind: ValueKind = "text"


@dataclass(frozen=True)
class FilterRules:
    """The filter fields of a resource, with its error codes for other names and wrong types."""

    find: Callable[[str], FilterField | None]
    unknown_field: str
    wrong_type: str


def compile_filter(raw: Any, rules: FilterRules) -> Matcher:
    """Return the function that decides whether a row matches `raw`; null matches all rows.

    All errors are raised here, before any row is read.

    Raises:
        WixError: 400 with a filter code.
    """
    return _object({} if raw is None else raw, rules, 0)


def _object(raw: Any, rules: FilterRules, depth: int) -> Matcher:
    if not isinstance(raw, dict):
        raise application_error("MALFORMED_FILTER")
    if depth > MAX_DEPTH:
        raise application_error("UNSUPPORTED_FILTER")
    parts = [_part(name, value, rules, depth) for name, value in raw.items()]
    return lambda row: all(part(row) for part in parts)


def _part(name: str, value: Any, rules: FilterRules, depth: int) -> Matcher:
    if name in ("$and", "$or"):
        if not isinstance(value, list) or not value:
            raise application_error("MALFORMED_FILTER")
        parts = [_object(one, rules, depth + 1) for one in value]
        combine = all if name == "$and" else any
        return lambda row: combine(part(row) for part in parts)
    if name == "$not":
        inner = _object(value, rules, depth + 1)
        return lambda row: not inner(row)
    if name.startswith("$"):
        raise application_error("MALFORMED_FILTER")
    field = rules.find(name)
    if field is None:
        raise application_error(rules.unknown_field)
    return _conditions(field, value, rules)


def _conditions(field: FilterField, value: Any, rules: FilterRules) -> Matcher:
    """Compile the value of one field: a bare one means `$eq`; several operators mean AND."""
    operands = value if isinstance(value, dict) else {"$eq": value}
    if not operands or not all(name.startswith("$") for name in operands):
        raise application_error("MALFORMED_FILTER")
    parts = [_condition(field, name, operand, rules) for name, operand in operands.items()]
    return lambda row: all(part(row) for part in parts)


def _condition(field: FilterField, name: str, operand: Any, rules: FilterRules) -> Matcher:
    operator = ALIASES.get(name, name)
    if operator not in field.operators:
        raise application_error("UNSUPPORTED_FILTER_OPERATOR")
    wanted = _operand(field, operator, operand, rules)
    test = _TESTS[operator]
    return lambda row: test([_comparable(field, one) for one in field.values(row)], wanted)


def _operand(field: FilterField, operator: str, operand: Any, rules: FilterRules) -> Any:
    if operator == "$exists":
        if not isinstance(operand, bool):
            raise application_error(rules.wrong_type)
        return operand
    if operator in LIST_OPERATORS:
        if not isinstance(operand, list):
            raise application_error(rules.wrong_type)
        return [_single(field, one, rules) for one in operand]
    return _single(field, operand, rules)


def _single(field: FilterField, operand: Any, rules: FilterRules) -> Any:
    if operand is None:
        raise application_error("UNSUPPORTED_FILTER_VALUE")
    expected = (int, float) if field.kind == "number" else str
    if isinstance(operand, bool) or not isinstance(operand, expected):
        raise application_error(rules.wrong_type)
    value = _comparable(field, operand)
    if value is None:
        raise application_error("UNSUPPORTED_FILTER_VALUE")
    return value


def _comparable(field: FilterField, value: Any) -> Any:
    return parse_iso(value) if field.kind == "moment" else value


def _starts_with(values: list[Any], wanted: str) -> bool:
    return any(value.casefold().startswith(wanted.casefold()) for value in values)


_TESTS: dict[str, Callable[[list[Any], Any], bool]] = {
    "$eq": lambda values, wanted: wanted in values,
    "$ne": lambda values, wanted: wanted not in values,
    "$in": lambda values, wanted: any(value in wanted for value in values),
    "$nin": lambda values, wanted: all(value not in wanted for value in values),
    "$exists": lambda values, wanted: bool(values) is wanted,
    "$startsWith": _starts_with,
    "$gt": lambda values, wanted: any(value > wanted for value in values),
    "$gte": lambda values, wanted: any(value >= wanted for value in values),
    "$lt": lambda values, wanted: any(value < wanted for value in values),
    "$lte": lambda values, wanted: any(value <= wanted for value in values),
    "$hasSome": lambda values, wanted: any(one in values for one in wanted),
    "$hasAll": lambda values, wanted: all(one in values for one in wanted),
}


@dataclass(frozen=True)
class Sorting:
    """One sort; without a field it is the default order."""

    field: str | None = None
    descending: bool = False

    def apply(self, rows: list[Json], value_of: Callable[[Json], Any]) -> list[Json]:
        """Return the rows in order of `value_of`; rows without a value come last."""
        known = [row for row in rows if value_of(row) is not None]
        unknown = [row for row in rows if value_of(row) is None]
        return [*sorted(known, key=value_of, reverse=self.descending), *unknown]


def read_sort(found: Violations, path: str, raw: Any) -> list[Sorting]:
    """Return the sorts in `raw`: an array, or one object as some examples show.

    The caller checks the field names.
    """
    if isinstance(raw, dict):
        raw = [raw]
    sorts = []
    for index, one in enumerate(check.sequence(found, path, raw, 1) or []):
        sent = check.mapping(found, f"{path}[{index}]", one) or {}
        name = check.required_text(found, f"{path}[{index}].fieldName", sent.get("fieldName"), 200)
        order = check.choice(found, f"{path}[{index}].order", sent.get("order"), ORDERS)
        sorts.append(Sorting(name, order == "DESC"))
    return sorts


@dataclass(frozen=True)
class Page:
    """A window on a result."""

    limit: int
    offset: int

    def cut(self, rows: list[Json]) -> list[Json]:
        """Return the rows inside the window."""
        return rows[self.offset : self.offset + self.limit]

    def metadata(self, total: int) -> Json:
        """Return `pagingMetadata` for a result of `total` rows."""
        count = max(0, min(self.limit, total - self.offset))
        return {"count": count, "offset": self.offset, "total": total, "tooManyToCount": False}


def read_page(found: Violations, path: str, paging: Json, default: int) -> Page:
    """Return the page that `paging` (`limit` and `offset`, both optional) describes.

    The caller checks the range of the limit, as each resource has its own error for it.
    """
    limit = _number(found, f"{path}.limit", paging.get("limit"), default)
    offset = _number(found, f"{path}.offset", paging.get("offset"), 0)
    if offset < 0:
        found.add(f"{path}.offset", "must be at least 0", "MIN", threshold=0)
    return Page(limit, offset)


def _number(found: Violations, path: str, value: Any, default: int) -> int:
    number = None if value is None else check.integer(found, path, value)
    return default if number is None else number


def read_projection(fields: Sequence[Any], fieldsets: Sequence[Any]) -> Projection:
    """Return the union of the requested fields and fieldsets; FULL if there are none.

    A field that no contact has shows nothing; CONTRACT.md names no error for it.

    Raises:
        WixError: 400 for too many or too long fields, or an unknown fieldset.
    """
    found = Violations()
    if len(fields) > MAX_FIELDS:
        found.add("fields", f"must have at most {MAX_FIELDS} items", "MAX_SIZE")
    if len(fieldsets) > MAX_FIELDSETS:
        found.add("fieldsets", f"must have at most {MAX_FIELDSETS} items", "MAX_SIZE")
    for index, field in enumerate(fields):
        if not isinstance(field, str) or len(field) > MAX_FIELD_LENGTH:
            found.add(f"fields[{index}]", "must be a string of at most 100 characters")
    for index, fieldset in enumerate(fieldsets):
        if not isinstance(fieldset, str) or fieldset not in FIELDSETS:
            found.add(f"fieldsets[{index}]", f"must be one of {', '.join(FIELDSETS)}")
    found.raise_if_any()
    if "FULL" in fieldsets or not (fields or fieldsets):
        return None
    return (*fields, *(path for one in fieldsets for path in FIELDSETS[one]))


def project(body: Json, wanted: Projection) -> Json:
    """Return the part of `body` that `wanted` names, with `id` and `revision`."""
    if wanted is None:
        return body
    shown: Json = {"id": body["id"], "revision": body["revision"]}
    for path in wanted:
        _copy(body, shown, path.split("."))
    return shown


def _copy(source: Json, target: Json, names: list[str]) -> None:
    name, rest = names[0], names[1:]
    if name not in source:
        return
    value = source[name]
    if not rest:
        target[name] = value
    elif isinstance(value, dict):
        inner = target.get(name)
        copied = dict(inner) if isinstance(inner, dict) else {}
        _copy(value, copied, rest)
        if copied:
            target[name] = copied
