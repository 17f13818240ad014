"""From pydantic's errors to plain English: what was wrong, and what would be right."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from formapp.confirmation.definition import Confirm
from formapp.forms.definition.checks_wording import one_of, suggestion
from formapp.forms.definition.fields import FieldDefinition, Option
from formapp.forms.definition.model import FormDefinition, Thanks
from formapp.forms.definition.targets import ExtendedFieldTarget, LabelTarget, PropertyTarget
from formapp.forms.definition.texts import ConfirmTexts, FieldTexts, Texts, ThanksTexts
from formapp.forms.definition.theme import Palette, Theme
from formapp.spam.definition import Spam

Location = tuple[int | str, ...]

_KINDS: dict[str, type[BaseModel]] = {
    "property": PropertyTarget,
    "extended_field": ExtendedFieldTarget,
    "label": LabelTarget,
}
_TABLES: dict[str, type[BaseModel]] = {
    "fields": FieldDefinition,
    "confirm": Confirm,
    "spam": Spam,
    "thanks": Thanks,
    "theme": Theme,
}
_TEXTS: dict[Location, type[BaseModel]] = {
    (): Texts,
    ("thanks",): ThanksTexts,
    ("confirm",): ConfirmTexts,
}
_SHAPES = {
    "string_type": "text in quotes",
    "bool_type": "true or false, without quotes",
    "int_type": "a whole number, without quotes",
    "tuple_type": "a list in [square brackets]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_NAMED: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}


def problem_of(error: ErrorDetails) -> str:
    """Return the text for one pydantic error."""
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "tuple_type" and error["loc"] == ("fields",):
        return "should be written as [[fields]], one such table for each field"
    if kind.startswith("model_") and "options" in error["loc"] and error["loc"][0] == "fields":
        return "should be text in quotes, or a table with value and label"
    if kind in _SHAPES:
        return f"should be {_SHAPES[kind]}, not {_named(given)}"
    if kind == "extra_forbidden":
        return _unknown_key(error["loc"])
    if kind in {"literal_error", "enum"}:
        return _not_listed(given, str(context["expected"]))
    return _measure(kind, given, context) or error["msg"].removeprefix("Value error, ")


def _measure(kind: str, given: Any, context: Mapping[str, Any]) -> str:
    texts: dict[str, Callable[[], str]] = {
        "missing": lambda: "is missing",
        "string_too_short": lambda: "is empty",
        "string_too_long": lambda: f"is too long; at most {context['max_length']} characters",
        "too_short": lambda: "is empty; at least one is needed",
        "greater_than_equal": lambda: f"{given} is too small; at least {context['ge']}",
        "less_than_equal": lambda: f"{given} is too large; at most {context['le']}",
        "string_pattern_mismatch": lambda: (
            f'"{given}" is not a field name; use a letter, then letters, digits, "-" and "_", '
            "64 characters at most"
        ),
    }
    return texts[kind]() if kind in texts else ""


def _named(given: Any) -> str:
    if isinstance(given, bool | int | float):
        return f"{_NAMED[type(given)]} ({str(given).lower()})"
    return _NAMED.get(type(given), "a date or time")


def _unknown_key(loc: Location) -> str:
    if loc[-1] == "adds_label":
        return 'belongs to one option: { value = "l", label = "more", adds_label = "Big budget" }'
    known = sorted(field.alias or name for name, field in _model_at(loc).model_fields.items())
    hint = suggestion(str(loc[-1]), known) or f"use {one_of(known)}"
    return f"is not a known key; {hint}"


def _model_at(loc: Location) -> type[BaseModel]:
    for step in reversed(loc[:-1]):
        if step in _KINDS and "to" in loc:
            return _KINDS[str(step)]
    if loc[0] == "texts" and len(loc) > 2:  # noqa: PLR2004 - the table and a language
        return _TEXTS.get(loc[2:-1], FieldTexts)
    if "options" in loc[:-1]:
        return Option
    if loc[:2] == ("theme", "dark") and len(loc) > 2:  # noqa: PLR2004 - a key of the dark table
        return Palette
    return _TABLES.get(str(loc[0]), FormDefinition) if len(loc) > 1 else FormDefinition


def _not_listed(given: Any, expected: str) -> str:
    words = expected.replace("'", "").replace(" or ", ", ").split(", ")
    hint = suggestion(str(given), words)
    shown = f'"{given}"' if isinstance(given, str) else _named(given)
    return f"{shown} is not known; {f'{hint} Use' if hint else 'use'} {one_of(words)}"


def key_of(loc: Location, data: Mapping[str, Any]) -> str:
    """Return the path in the file, such as `fields[2] (budget).options[1].label`."""
    if len(loc) < 2 or loc[0] != "fields":  # noqa: PLR2004 - the list and an index
        # pydantic marks what is wrong with a key itself by a step of its own.
        return _dotted("", tuple(step for step in loc if step != "[key]"))
    rest = loc[2:]
    if rest[:1] == ("to",):
        # pydantic names the kind of target as a step of its own; a short form has no keys inside.
        short = isinstance(data["fields"][loc[1]]["to"], str)
        rest = ("to",) if short else ("to", *rest[2:])
    return _dotted(field_key(data, int(loc[1])), rest)


def field_key(data: Mapping[str, Any], index: int) -> str:
    """Return `fields[2] (budget)`: the index counts from 0, the name helps to find it."""
    field = data["fields"][index]
    known = [field[key] for key in ("name", "label") if field.get(key)] if _is_table(field) else []
    return f"fields[{index}] ({known[0]})" if known else f"fields[{index}]"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _dotted(start: str, steps: Location) -> str:
    path = start
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")
