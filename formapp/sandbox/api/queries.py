"""The filter language: what may be asked of which field, and whether a row matches.

Contract sections 8.3, 8.4, 9.4 and 10.5. A filter is compiled once into a function from a row
to a truth value; all errors come up while compiling, whatever the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from formapp.sandbox.api.errors import application_error
from formapp.sandbox.clock import parse_iso

if TYPE_CHECKING:
    from formapp.sandbox.state import Json

Matcher = Callable[["Json"], bool]

EQUALITY = ("$eq", "$ne")
RANGE = (*EQUALITY, "$gt", "$gte", "$lt", "$lte")
TEXT = (*EQUALITY, "$in", "$exists", "$startsWith")
CHOICE = (*EQUALITY, "$in", "$exists")
KEYS = ("$hasSome", "$hasAll")

ALIASES = {"$begins": "$startsWith"}
LIST_OPERATORS = ("$in", "$nin", "$hasSome", "$hasAll")
MAX_DEPTH = 20


@dataclass(frozen=True)
class FilterField:
    """A field that can be filtered.

    Attributes:
        values: Gives all values that a row has there; an empty list if it has none.
        operators: What may be asked.
        kind: How a value is compared; a moment is a date or a date and time.
    """

    values: Callable[[Json], list[Any]]
    operators: tuple[str, ...]
    kind: Literal["text", "number", "moment"] = "text"


@dataclass(frozen=True)
class FilterRules:
    """What a resource lets be filtered.

    Attributes:
        find: Gives the field of a name, or None.
        unknown_field: Error code for any other name.
        wrong_type: Error code for a value of the wrong type.
    """

    find: Callable[[str], FilterField | None]
    unknown_field: str
    wrong_type: str


def compile_filter(raw: Any, rules: FilterRules) -> Matcher:
    """Return the function that tells whether a row matches `raw`; null matches all rows.

    Raises:
        WixError: 400 with the code that fits.
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
        return _junction(name, value, rules, depth)
    if name == "$not":
        inner = _object(value, rules, depth + 1)
        return lambda row: not inner(row)
    if name.startswith("$"):
        raise application_error("MALFORMED_FILTER")
    field = rules.find(name)
    if field is None:
        raise application_error(rules.unknown_field)
    return _conditions(field, value, rules)


def _junction(name: str, value: Any, rules: FilterRules, depth: int) -> Matcher:
    if not isinstance(value, list) or not value:
        raise application_error("MALFORMED_FILTER")
    parts = [_object(one, rules, depth + 1) for one in value]
    combine = all if name == "$and" else any
    return lambda row: combine(part(row) for part in parts)


def _conditions(field: FilterField, value: Any, rules: FilterRules) -> Matcher:
    """Compile one field's value: a bare one means `$eq`, several operators are joined by AND."""
    asked = value if isinstance(value, dict) else {"$eq": value}
    if not asked or not all(name.startswith("$") for name in asked):
        raise application_error("MALFORMED_FILTER")
    parts = [_condition(field, name, operand, rules) for name, operand in asked.items()]
    return lambda row: all(part(row) for part in parts)


def _condition(field: FilterField, name: str, operand: Any, rules: FilterRules) -> Matcher:
    operator = ALIASES.get(name, name)
    if operator not in field.operators:
        raise application_error("UNSUPPORTED_FILTER_OPERATOR")
    wanted = _operand(field, operator, operand, rules)
    test = _TESTS[operator]

    def matches(row: Json) -> bool:
        return test([_comparable(field, value) for value in field.values(row)], wanted)

    return matches


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
