"""JSON Schema (2020-12) of a whole form: valid JSON posts, and what a front end needs to draw it.

`fields.patterns` lists where the server is stricter than the schema of a value. The schema of a
post leaves out the limit of its length, the Unicode normalisation (NFC) of names, and origins. It
takes a single-valued field by its name or one alias; the server also takes `name[]`, a second name
with a blank value, and nested objects as `name[key]`. Keywords that JSON Schema lacks are under
`x-formapp`.
"""

from itertools import combinations

from formapp.forms.definition.layout import Condition
from formapp.forms.definition.links import plain
from formapp.forms.definition.model import RESERVED, FieldDefinition
from formapp.forms.fields import patterns
from formapp.forms.fields.base import Field, Schema
from formapp.forms.form import Form
from formapp.forms.messages import texts_in
from formapp.spam.providers import ALTCHA_FIELD, PROVIDERS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXTRA = "x-formapp"
_PURPOSES = {
    "_gotcha": "a honeypot: people leave it empty",
    "_next": "where to go on to, on a listed origin",
    "_subject": "kept with the submission",
    "_replyto": "kept with the submission; the address where the field for it is blank",
    "_id": "makes repeating the same post harmless",
    "_file": "names of files that were dropped; kept with the submission",
    "_token": "of formapp's own pages alone",
}
_ANYTHING: Schema = {
    "anyOf": [patterns.SCALAR, {"type": "array", "items": patterns.SCALAR}],
}
_DRAWN = {"type", "required", "aliases", "placeholder", "region", "rows", "from_query"}
_DRAWN |= {"min", "max", "min_length"}
"""Keys of a form file that a front end gets as they are."""


def form_schema(form: Form, address: str, *, limit: int) -> Schema:
    """Return the schema of a form, with its texts in the form's language.

    `address` is the base URL of this server, `limit` the most names that a post may have.
    """
    definition = form.definition
    post = f"{address}/f/{form.name}"
    schema: Schema = {
        "$schema": DIALECT,
        "$id": f"{post}/schema.json?lang={form.language}",
        "title": definition.title,
        **({"description": definition.intro} if definition.intro else {}),
        "type": "object",
        **_names(form.fields),
        "additionalProperties": _ANYTHING,
        "propertyNames": {"pattern": patterns.ANYTHING},
        "maxProperties": limit,
        EXTRA: _extra(form, post),
    }
    for field in form.fields:
        schema["properties"][field.name] |= _drawing(field)
    return schema


def _extra(form: Form, post: str) -> Schema:
    return {
        "form": form.name,
        "version": form.version,
        "language": form.language,
        "languages": list(form.languages),
        "post": {
            "url": post,
            "method": "POST",
            "headers": {"Accept": "application/json"},
            "content_types": [
                "application/json",
                "multipart/form-data",
                "application/x-www-form-urlencoded",
            ],
        },
        "order": [field.name for field in form.definition.fields],
        "steps": [step.model_dump(mode="json") for step in form.definition.steps],
        "submit": form.definition.submit,
        "own_names": _PURPOSES,
        **_challenge(form, post),
    }


def _challenge(form: Form, post: str) -> Schema:
    """The form's challenge: where to get it and the name of its solution in a post."""
    kind = form.definition.spam.challenge
    if kind is None:
        return {}
    if kind == "altcha":
        return {"challenge": {"kind": kind, "name": ALTCHA_FIELD, "url": f"{post}/challenge"}}
    return {"challenge": {"kind": kind, "name": PROVIDERS[kind].field}}


def _names(compiled: tuple[Field, ...]) -> Schema:
    """Keywords for the names of a post: fields, aliases as references to them, own names."""
    fields = tuple(field.definition for field in compiled)
    properties: Schema = {
        field.name: _unread(field) if field.definition.show_if else field.value_schema()
        for field in compiled
    }
    for field in fields:
        properties |= {alias: _same(field) for alias in field.aliases}
    needed = [field for field in fields if field.required and not field.show_if]
    several = [_any_name(field) for field in needed if field.aliases] + _conditions(compiled)
    apart = _apart(fields)
    return {
        "properties": properties,
        "patternProperties": {
            **_in_brackets(fields, properties),
            f"^(?:{'|'.join(RESERVED)})$": patterns.SCALAR,
        },
        "required": [field.name for field in needed if not field.aliases],
        **({"allOf": several} if several else {}),
        **({"dependentSchemas": apart} if apart else {}),
    }


def _same(field: FieldDefinition) -> Schema:
    return {"$ref": f"#/properties/{field.name}"}


def _any_name(field: FieldDefinition) -> Schema:
    return {"anyOf": [{"required": [name]} for name in field.names]}


def _unread(field: Field) -> Schema:
    """What a post may hold for a field that doesn't apply."""
    return _ANYTHING if field.definition.type == "checkboxes" else dict(patterns.SCALAR)


def _conditions(compiled: tuple[Field, ...]) -> list[Schema]:
    """What holds for the fields that apply only by the answer of another: `if` and `then`."""
    found: dict[str, list[Schema]] = {}
    rules: list[Schema] = []
    by_name = {field.name: field for field in compiled}
    for field in compiled:
        condition = field.definition.show_if
        if condition is None:
            continue
        met = _is_met(condition, by_name[condition.field])
        # One that depends on a field that doesn't apply doesn't apply, either.
        found[field.name] = [*found.get(condition.field, ()), met]
        required = [_any_name(field.definition)] if field.required else []
        values = {"properties": dict.fromkeys(field.definition.names, field.value_schema())}
        rules.append({"if": {"allOf": found[field.name]}, "then": {"allOf": [values, *required]}})
    return rules


def _is_met(condition: Condition, other: Field) -> Schema:
    """What a post holds if the other field has one of the values of the condition."""
    values, names = condition.values, other.definition.names
    if isinstance(values, bool):
        met = patterns.ticked(other.definition.tick_value)
    else:
        listed = {"enum": list(values)}
        met = {"anyOf": [listed, {"type": "array", "contains": listed}]}
    is_met: Schema = {"anyOf": [{"required": [name], "properties": {name: met}} for name in names]}
    return {"not": is_met} if values is False else is_met


def _apart(fields: tuple[FieldDefinition, ...]) -> Schema:
    """Only one name of a single-valued field may be in a post."""
    apart: dict[str, dict[str, bool]] = {}
    for field in fields:
        if field.type != "checkboxes":
            for name, other in combinations(field.names, 2):
                apart.setdefault(name, {})[other] = False
    return {name: {"properties": others} for name, others in apart.items()}


def _in_brackets(fields: tuple[FieldDefinition, ...], known: Schema) -> Schema:
    """Names with brackets: values of a group of boxes; the schema allows no others."""
    groups = {
        patterns.names_in_brackets(field.names, "[0-9]{0,9}"): _same(field)
        for field in fields
        if field.type == "checkboxes"
    }
    singles = [
        name
        for field in fields
        if field.type != "checkboxes"
        for name in field.names
        if f"{name}[]" not in known
    ]
    return groups | ({patterns.names_in_brackets(singles, ""): False} if singles else {})


def _drawing(compiled: Field) -> Schema:
    """What a front end needs to draw a field; empty values are left out."""
    field, texts = compiled.definition, texts_in(compiled.language)
    extra = field.model_dump(mode="json", include=_DRAWN) | {
        "autocomplete": compiled.autocomplete(),
        "max_length": field.limit if compiled.typed else None,
        "options": [{"value": option.value, "label": option.label} for option in field.options],
        "value": field.tick_value if field.type in {"checkbox", "consent"} else None,
        "show_if": {field.show_if.field: field.show_if.values} if field.show_if else None,
        "messages": {
            code: text.localize(texts) for code, text in compiled.possible_errors().items()
        },
    }
    kept = {key: value for key, value in extra.items() if value not in (None, "", [], {})}
    shown = {"title": field.label, "description": plain(field.help)}
    return {key: text for key, text in shown.items() if text} | {EXTRA: kept}
