"""JSON Schema (2020-12) of one field: what may be posted for it as JSON.

A text that the schema takes, the server takes, with these exceptions, which no schema can say:

- `email`, `tel` and `url`: the server knows which domains, numbering plans and hosts there are, and
  an address without its scheme gets `https://`, which counts.
- `number` as text with `min` or `max`: JSON Schema compares numbers, not texts of numbers.
- Lengths are counted after Unicode normalisation (NFC), and CR LF is one line end.

The other way round, the server takes some writings that the schema doesn't: a number, true or false
where a text is asked (it is taken as its text); blanks around a choice or beyond `maxLength`;
invisible format characters in numbers and dates; long writings of numbers, such as `0012e3`; rare
tags of languages.
"""

from typing import Any

from formapp.forms.definition.model import LARGEST, FieldDefinition, PropertyTarget
from formapp.forms.fields import patterns

Schema = dict[str, Any]
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"], "pattern": patterns.ANYTHING}
"""Any text, number, true, false or null."""


def value_schema(field: FieldDefinition) -> Schema:
    """Return the schema of the values of a field, without its title and the like."""
    if field.type == "hidden":
        return dict(SCALAR)
    if field.type in {"checkbox", "consent"}:
        return _box(field)
    if field.type == "checkboxes":
        return _boxes(field)
    if field.options:
        return {"oneOf": _choices(field)}
    return _number(field) if field.type == "number" else _text(field)


def _box(field: FieldDefinition) -> Schema:
    if not field.required:
        return dict(SCALAR)
    text = {"type": "string", "pattern": patterns.ticked(field.tick_value)}
    return {"anyOf": [{"const": True}, text]}


def _choices(field: FieldDefinition) -> list[Schema]:
    listed: list[Schema] = [{"const": each.value, "title": each.label} for each in field.options]
    blank = {"title": field.placeholder} if field.placeholder else {}
    return listed if field.required else [*listed, {"const": "", **blank}, {"type": "null"}]


def _boxes(field: FieldDefinition) -> Schema:
    listed = [option.value for option in field.options]
    several: Schema = {"type": "array", "items": {"enum": [*listed, "", None]}}
    if field.required:
        return {"anyOf": [several | {"contains": {"enum": listed}}, {"enum": listed}]}
    return {"anyOf": [several, {"enum": [*listed, "", None]}]}


def _number(field: FieldDefinition) -> Schema:
    smallest = 10 / LARGEST  # the first digit counts: `values.parse_number`
    number: Schema = {
        "type": "number",
        "exclusiveMinimum": -LARGEST,
        "exclusiveMaximum": LARGEST,
        "anyOf": [{"const": 0}, {"minimum": smallest}, {"maximum": -smallest}],
    }
    bounds = {"minimum": field.min, "maximum": field.max}  # numbers: `checks.field` saw to it
    number |= {key: bound for key, bound in bounds.items() if bound is not None}
    pattern = patterns.trimmed(patterns.NUMBER, required=field.required)
    either = [number, {"type": "string", "pattern": pattern}]
    return {"anyOf": either if field.required else [*either, {"type": "null"}]}


def _text(field: FieldDefinition) -> Schema:
    found = [
        patterns.trimmed(pattern, required=field.required) for pattern in _patterns_of(field)
    ] or [patterns.SOMETHING if field.required else patterns.ANYTHING]
    if field.min_length and field.min_length > 1:
        found.append(patterns.at_least(field.min_length, required=field.required))
    schema: Schema = {
        "type": "string" if field.required else ["string", "null"],
        **({"maxLength": field.limit} if field.type != "date" else {}),
        "pattern": found[0],
    }
    return schema | ({"allOf": [{"pattern": each} for each in found[1:]]} if found[1:] else {})


def _patterns_of(field: FieldDefinition) -> list[str]:
    kind = field.to.property if isinstance(field.to, PropertyTarget) else None
    if field.type == "date":
        least = [patterns.not_before(str(field.min))] if field.min is not None else []
        most = [patterns.not_after(str(field.max))] if field.max is not None else []
        return [patterns.DATE, *least, *most]
    of_kind = {"country": patterns.COUNTRY, "locale": patterns.LOCALE}
    of_type = {"email": patterns.EMAIL, "url": patterns.WORD}
    found = of_type.get(field.type) or (of_kind.get(kind) if kind else None)
    return [found] if found else []
