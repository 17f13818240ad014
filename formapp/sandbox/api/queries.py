"""The query language of all resources: filter, sort, page, projection.

CONTRACT.md sections 7.2, 8.1, 8.3, 8.4, 9.4 and 10.5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.validation import Sent
from formapp.sandbox.state import Json

Matcher = Callable[[Json], bool]
Read = Callable[[Any], Any]
ValueKind = Literal["text", "number", "moment"]
Projection = tuple[str, ...] | None
"""Paths to show; None shows everything."""

EQUALITY = ("$eq", "$ne")
RANGE = (*EQUALITY, "$gt", "$gte", "$lt", "$lte")
CHOICE = (*EQUALITY, "$in", "$exists")
TEXT = (*CHOICE, "$startsWith")
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

    def comparable(self, value: Any) -> Any:
        """Return the form in which values are compared; None for a text that is no time."""
        return _parse_iso(value) if self.kind == "moment" else value


@dataclass(frozen=True)
class FilterRules:
    """The filter fields of a resource, with its error codes for other names and wrong types."""

    find: Callable[[str], FilterField | None]
    unknown_field: str
    wrong_type: str

    def compile(self, raw: Any, depth: int = 0) -> Matcher:
        """Return the function that decides whether a row matches `raw`; null matches all rows.

        All errors, a 400 with a filter code, are raised here, before any row is read.
        """
        condition = {} if raw is None and not depth else raw
        if not isinstance(condition, dict):
            raise application_error("MALFORMED_FILTER")
        if depth > MAX_DEPTH:
            raise application_error("UNSUPPORTED_FILTER")
        return _all([self._part(name, value, depth) for name, value in condition.items()])

    def _part(self, name: str, value: Any, depth: int) -> Matcher:
        if name in ("$and", "$or"):
            if not isinstance(value, list) or not value:
                raise application_error("MALFORMED_FILTER")
            parts = [self.compile(one, depth + 1) for one in value]
            return _all(parts) if name == "$and" else lambda row: any(part(row) for part in parts)
        if name == "$not":
            inner = self.compile(value, depth + 1)
            return lambda row: not inner(row)
        if name.startswith("$"):
            raise application_error("MALFORMED_FILTER")
        field = self.find(name)
        if field is None:
            raise application_error(self.unknown_field)
        # A bare value means `$eq`; several operators mean AND.
        operands = value if isinstance(value, dict) else {"$eq": value}
        if not operands or not all(operator.startswith("$") for operator in operands):
            raise application_error("MALFORMED_FILTER")
        return _all([self._condition(field, *one) for one in operands.items()])

    def _condition(self, field: FilterField, name: str, operand: Any) -> Matcher:
        operator = ALIASES.get(name, name)
        if operator not in field.operators:
            raise application_error("UNSUPPORTED_FILTER_OPERATOR")
        wanted = self._operand(field, operator, operand)
        test = _TESTS[operator]
        return lambda row: test([field.comparable(one) for one in field.values(row)], wanted)

    def _operand(self, field: FilterField, operator: str, operand: Any) -> Any:
        if operator in LIST_OPERATORS and isinstance(operand, list):
            return [self._single(field, one) for one in operand]
        if operator == "$exists" and isinstance(operand, bool):
            return operand
        if operator in (*LIST_OPERATORS, "$exists"):
            raise application_error(self.wrong_type)
        return self._single(field, operand)

    def _single(self, field: FilterField, operand: Any) -> Any:
        if operand is None:
            raise application_error("UNSUPPORTED_FILTER_VALUE")
        expected = (int, float) if field.kind == "number" else str
        if isinstance(operand, bool) or not isinstance(operand, expected):
            raise application_error(self.wrong_type)
        value = field.comparable(operand)
        if value is None:
            raise application_error("UNSUPPORTED_FILTER_VALUE")
        return value


def _all(parts: list[Matcher]) -> Matcher:
    return lambda row: all(part(row) for part in parts)


def _parse_iso(text: str) -> datetime | None:
    """Return a date or time in UTC, None if `text` is neither; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


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


def read_sort(sent: Sent) -> Sorting:
    """Return the sort in an array of at most one, or in one object as some examples show.

    The caller checks the name of the field.
    """
    if isinstance(sent.value, dict):
        sent.value = [sent.value]
    first = next(iter(sent.items(1) or []), None)
    if first is None:
        return Sorting()
    return Sorting(first["fieldName"].required(200), first["order"].choice(ORDERS) == "DESC")


@dataclass(frozen=True)
class Page:
    limit: int
    offset: int

    def cut(self, rows: list[Json]) -> list[Json]:
        return rows[self.offset : self.offset + self.limit]

    def metadata(self, total: int) -> Json:
        count = max(0, min(self.limit, total - self.offset))
        return {"count": count, "offset": self.offset, "total": total, "tooManyToCount": False}


def read_page(limit: Sent, offset: Sent, default: int) -> Page:
    """Return the page; the caller checks the limit, as each resource has its own error for it."""
    page = Page(limit.integer(default), offset.integer(0))
    if page.offset < 0:
        offset.refuse("must be at least 0", "MIN", threshold=0)
    return page


def read_projection(fields: Sequence[Any], fieldsets: Sequence[Any]) -> Projection:
    """Return the union of the requested fields and fieldsets; FULL if there are none.

    A field that no contact has shows nothing; CONTRACT.md names no error for it.
    """
    violations: list[Json] = []
    names = Sent([*fields], "fields", violations).items(MAX_FIELDS)
    sets = Sent([*fieldsets], "fieldsets", violations).items(MAX_FIELDSETS)
    for one in names or []:
        if not isinstance(one.value, str) or len(one.value) > MAX_FIELD_LENGTH:
            one.refuse(f"must be a string of at most {MAX_FIELD_LENGTH} characters")
    for one in sets or []:
        if not isinstance(one.value, str) or one.value not in FIELDSETS:
            one.refuse(f"must be one of {', '.join(FIELDSETS)}")
    Sent(None, "", violations).raise_violations()
    if "FULL" in fieldsets or not (fields or fieldsets):
        return None
    return (*fields, *(path for one in fieldsets for path in FIELDSETS[one]))


def value_at(path: str, *keys: str) -> Read:
    """Return the function that reads a row's value at a dotted path and keys, None if absent."""
    names = [*path.split("."), *keys]

    def read(row: Json) -> Any:
        value: Any = row
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return read


def project(body: Json, wanted: Projection) -> Json:
    """Return the part of `body` that `wanted` names, with `id` and `revision`."""
    if wanted is None:
        return body
    shown: Json = {"id": body["id"], "revision": body["revision"]}
    for path in wanted:
        value = value_at(path)(body)
        *parents, name = path.split(".")
        if value is not None:
            target = shown
            for parent in parents:  # copied, since it may be a part of the stored body
                target[parent] = target = dict(target.get(parent, {}))
            target[name] = value
    return shown
