"""From pydantic's errors to plain English: what is wrong, and what would be right."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from formapp.forms.definition.lines import Location
from formapp.forms.definition.model import TARGET_KINDS, FormDefinition

_SHAPES = {
    "string_type": "text in quotes",
    "bool_type": "true or false, without quotes",
    "int_type": "a whole number, without quotes",
    "tuple_type": "a list in [square brackets]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_PYTHON_TYPES: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}
_MEASURES = {
    "missing": "is missing",
    "string_too_short": "is empty",
    "string_too_long": "is too long; at most {max_length} characters",
    "too_short": "is empty; at least one is needed",
    "greater_than_equal": "{given} is too small; at least {ge}",
    "less_than_equal": "{given} is too large; at most {le}",
    "string_pattern_mismatch": (
        '"{given}" is not a field name; use a letter, then letters, digits, "-" and "_", '
        "64 characters at most"
    ),
}


def a(noun: str) -> str:
    """Return the noun with its article: `a text`, `an email`."""
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def one_of(words: Sequence[str], last: str = "or") -> str:
    """Return `x`, `x or y`, `x, y or z`."""
    head, tail = words[:-1], words[-1]
    return f"{', '.join(head)} {last} {tail}" if head else tail


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """Return `did you mean "x"?` with the nearest right word, or an empty text."""
    known = {word.lower(): word for word in sorted(right)}
    near = difflib.get_close_matches(wrong.lower(), known, n=1, cutoff=0.6)
    return f'did you mean "{known[near[0]]}"?' if near else ""


def unknown(name: str, kind: str, known: Iterable[str]) -> str:
    """Return that no such part, such as `a field`, is in the form, and which may be meant."""
    hint = suggestion(name, known)
    problem = f'"{name}" is not {kind} of this form'
    return f"{problem}; {hint}" if hint else problem


def problem_of(error: ErrorDetails, root: type[BaseModel] = FormDefinition) -> str:
    """Return the text of one pydantic error; `root` is the model of the whole file."""
    kind, given, context, loc = error["type"], error["input"], error.get("ctx", {}), error["loc"]
    if kind == "tuple_type" and loc == ("fields",):
        return "should be written as [[fields]], one such table for each field"
    if kind.startswith("model_") and "options" in loc and loc[0] == "fields":
        return "should be text in quotes, or a table with value and label"
    if kind in _SHAPES:
        return f"should be {_SHAPES[kind]}, not {_type_of(given)}"
    if kind == "extra_forbidden":
        return _unknown_key(loc, root)
    if kind in {"literal_error", "enum"}:
        return _unknown_word(given, str(context["expected"]))
    measure = _MEASURES.get(kind)
    own = error["msg"].removeprefix("Value error, ")
    if kind == "target_kind":
        own = "; ".join([own, *_misspelt(given, TARGET_KINDS)])
    return measure.format(given=given, **context) if measure else own


def _type_of(given: Any) -> str:
    if isinstance(given, bool | int | float):
        return f"{_PYTHON_TYPES[type(given)]} ({str(given).lower()})"
    return _PYTHON_TYPES.get(type(given), "a date or time")


def _unknown_key(loc: Location, root: type[BaseModel]) -> str:
    if loc[-1] == "adds_label":
        return 'belongs to one option: { value = "l", label = "more", adds_label = "Big budget" }'
    known = sorted(field.alias or name for name, field in _model_at(loc, root).model_fields.items())
    hint = suggestion(str(loc[-1]), known) or f"use {one_of(known)}"
    return f"is not a known key; {hint}"


def _misspelt(table: Any, right: Sequence[str]) -> list[str]:
    """Return a hint for each key of a table that resembles a right one."""
    hints = {key: suggestion(key, right) for key in table} if isinstance(table, dict) else {}
    return [f"{key}: {hint}" for key, hint in hints.items() if hint and key not in right]


def _unknown_word(given: Any, expected: str) -> str:
    words = expected.replace("'", "").replace(" or ", ", ").split(", ")
    hint = suggestion(str(given), words)
    shown = f'"{given}"' if isinstance(given, str) else _type_of(given)
    return f"{shown} is not known; {f'{hint} Use' if hint else 'use'} {one_of(words)}"


def _model_at(loc: Location, root: type[BaseModel]) -> type[BaseModel]:
    """Return the model of the table that holds the key at this location."""
    models: list[type[BaseModel]] = [root]
    steps = iter(loc[:-1])
    for step in steps:
        if len(models) > 1:  # kinds of a target: pydantic adds the kind as a step
            models = [model for model in models if step in model.model_fields]
            continue
        annotation = models[0].model_fields[str(step)].annotation
        models = _models_in(annotation)
        if get_origin(annotation) in (tuple, dict):
            next(steps, None)  # the index or key
    return models[0]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def path_of(loc: Location, data: Mapping[str, Any]) -> Location:
    """Return the path in the file of a place as pydantic names it."""
    if loc[:1] == ("fields",) and loc[2:3] == ("to",):
        # pydantic adds the kind of target as a step; a short form has no keys inside.
        short = isinstance(data["fields"][loc[1]]["to"], str)
        return loc[:3] if short else (*loc[:3], *loc[4:])
    # pydantic marks an error of a key itself by an extra step.
    return tuple(step for step in loc if step != "[key]")


def key_of(loc: Location, data: Mapping[str, Any]) -> str:
    """Return the path in the file, such as `fields[2] (budget).options[1].label`."""
    return shown(path_of(loc, data), data)


def field_key(
    data: Mapping[str, Any], index: int, named_by: Sequence[str] = ("name", "label")
) -> str:
    """Return `fields[2] (budget)`: the index counts from 0, the name helps to find the table.

    `named_by` are the keys of the table that may have its name.
    """
    field = data["fields"][index]
    names = [field.get(key) for key in named_by] if isinstance(field, dict) else []
    return next((f"fields[{index}] ({name})" for name in names if name), f"fields[{index}]")


def shown(
    path: Location, data: Mapping[str, Any], named_by: Sequence[str] = ("name", "label")
) -> str:
    """Return a path as problems name it, such as `fields[2] (budget).min`."""
    match path:
        case ("fields", int(index), *steps):
            return dotted(field_key(data, index, named_by), tuple(steps))
    return dotted("", path)


def dotted(start: str, steps: Location) -> str:
    """Return a path behind another, such as `thanks.title` and `options[1].label`."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return (start + "".join(parts)).removeprefix(".")
