"""Whether a field's answers can be delivered into its target."""

from collections.abc import Callable, Iterator

from formapp.forms.definition.checks_wording import a, one_of
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.definition.targets import (
    ADDRESS_PARTS,
    TAGS,
    ExtendedFieldTarget,
    LabelTarget,
    PropertyTarget,
    limit_of,
)
from formapp.forms.fields.values import (
    parse_country,
    parse_date,
    parse_locale,
    parse_number,
    parse_url,
)
from formapp.lead import Merge

Problem = tuple[str, str]

_CHOSEN = ("select", "radio", "hidden")
_TEXTUAL = ("text", "textarea", *_CHOSEN)
_PROPERTY_TYPES = {
    "email": ("email",),
    "phone": ("tel",),
    "birthdate": ("date", *_CHOSEN),
    "country": ("text", *_CHOSEN),
    "locale": ("text", *_CHOSEN),
}
_DATA_TYPES = {
    "number": ("NUMBER", "TEXT"),
    "date": ("DATE", "TEXT"),
    "url": ("URL", "TEXT"),
    "select": ("TEXT", "NUMBER", "DATE", "URL"),
    "radio": ("TEXT", "NUMBER", "DATE", "URL"),
    "hidden": ("TEXT", "NUMBER", "DATE", "URL"),
}
_TYPE_OF_DATA = {"NUMBER": "number", "DATE": "date", "URL": "url"}
_PARSERS: dict[str, Callable[[str], object]] = {
    "NUMBER": parse_number,
    "DATE": parse_date,
    "URL": parse_url,
    "birthdate": parse_date,
    "country": parse_country,
    "locale": parse_locale,
}
_EXAMPLES = {
    "NUMBER": "a number",
    "DATE": "a date such as 2026-12-31",
    "URL": "a web address",
    "birthdate": "a date such as 1990-12-31",
    "country": "two letters of ISO 3166-1 such as GB",
    "locale": "a language tag such as pt-BR",
}


def check_target(field: FieldDefinition) -> Iterator[Problem]:
    """Yield every problem of a field's `to`, and of the values that would go there."""
    match field.to:
        case PropertyTarget():
            yield from _property(field, field.to)
        case ExtendedFieldTarget():
            yield from _extended_field(field, field.to)
        case LabelTarget():
            if field.type not in ("checkbox", "consent"):
                yield "to.label", f'{a(field.type)} field can\'t add it; use type = "checkbox"'


def _property(field: FieldDefinition, target: PropertyTarget) -> Iterator[Problem]:
    name = target.property
    types = _PROPERTY_TYPES.get(name, _TEXTUAL)
    if name == "birthdate" and field.type == "hidden" and field.value is None:
        yield (
            "to",
            '"birthdate" can\'t take what a page sends unseen; use type = "date", or a value',
        )
    elif field.type not in types:
        use = one_of([f'"{kind}"' for kind in types])
        yield "to", f'"{name}" can\'t take the answers of {a(field.type)} field; use type = {use}'
    else:
        yield from _values(field, name)
    yield from _tag(target)
    yield from _merge(target)


def _tag(target: PropertyTarget) -> Iterator[Problem]:
    tags = TAGS.get(target.property)
    if target.tag is None or (tags and target.tag in tags):
        return
    if tags:
        yield "to.tag", f'"{target.tag}" is not a tag of {target.property}; use {one_of(tags)}'
    else:
        yield "to.tag", f"{target.property} takes none; only e-mail, phone and address parts do"


def _merge(target: PropertyTarget | ExtendedFieldTarget) -> Iterator[Problem]:
    name = target.property if isinstance(target, PropertyTarget) else "an extended field"
    if name == "email" and target.merge is not Merge.FILL:
        yield "to.merge", 'email takes only "fill": it says who the contact is'
    elif target.merge is Merge.APPEND and name != "phone" and name not in ADDRESS_PARTS:
        text = f'{name} can\'t hold several; use "fill" or "overwrite"'
        yield "to.merge", f'"append" is for phone and address parts; {text}'


def _extended_field(field: FieldDefinition, target: ExtendedFieldTarget) -> Iterator[Problem]:
    types = _data_types(field)
    kind = target.data_type
    if field.type == "consent":
        yield (
            "to",
            'a consent goes to no extended field; use to = { label = "..." } or leave it out',
        )
    elif kind not in types:
        other = f', or type = "{_TYPE_OF_DATA[kind]}"' if kind in _TYPE_OF_DATA else ""
        problem = f'"{kind}" can\'t take the answers of {a(field.type)} field'
        yield "to.data_type", f"{problem}; use {one_of(types)}{other}"
    else:
        yield from _values(field, kind)
    yield from _merge(target)


def _data_types(field: FieldDefinition) -> tuple[str, ...]:
    if field.type == "hidden" and field.value is None:
        return ("TEXT", "URL") if field.from_ else ("TEXT",)
    return _DATA_TYPES.get(field.type, ("TEXT",))


def _values(field: FieldDefinition, kind: str) -> Iterator[Problem]:
    """Yield the values of the form file that the target could not take."""
    given = [(f"options[{n}].value", option.value) for n, option in enumerate(field.options)]
    if field.value is not None:
        given.append(("value", field.value))
    parser, limit = _PARSERS.get(kind), limit_of(field.to)
    for key, value in given:
        if parser and parser(value) is None:
            yield key, f'"{value}" can\'t go to {kind}; it should be {_EXAMPLES[kind]}'
        elif limit and len(value) > limit:
            yield key, f"has {len(value)} characters; Wix takes at most {limit} there"
    together = len(", ".join(option.value for option in field.options))
    if field.type == "checkboxes" and limit and together > limit:
        yield "options", f"all values together have {together} characters; Wix takes {limit} there"
