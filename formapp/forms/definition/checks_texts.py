"""What the texts of further languages must be to the form that they are texts of.

Each check yields problems as pairs: the key and what is wrong with it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from formapp.forms.definition.checks_field import KEYS, Problem, repeated
from formapp.forms.definition.checks_wording import a, one_of, suggestion
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.definition.texts import FieldTexts, Texts
from formapp.forms.fields.values import parse_locale

_DEFAULT = "en"


def check_texts(
    data: Mapping[str, Any], fields: Sequence[FieldDefinition] | None, broken: Collection[object]
) -> Iterator[Problem]:
    """Yield every problem of all further languages.

    Args:
        data: the form file.
        fields: the form's fields; None where not all could be read.
        broken: the languages, as written, whose table is wrong already.
    """
    tables = data.get("texts")
    if not isinstance(tables, Mapping):
        return
    own = parse_locale(str(data.get("language", _DEFAULT)))
    tags = list(tables)
    for index, first in repeated(enumerate(parse_locale(tag) or tag for tag in tags)):
        yield f"texts.{tags[index]}", f"is the same language as texts.{tags[first]}"
    for tag in tags:
        if parse_locale(tag) == own:
            yield f"texts.{tag}", "is the form's own language; its texts stand at the top"
        elif fields is not None and tag not in broken:
            texts = Texts.model_validate(tables[tag])
            if texts.confirm and "confirm" not in data:
                yield f"texts.{tag}.confirm", "has nothing to say; the form has no [confirm]"
            yield from ((f"texts.{tag}.{key}", text) for key, text in _of_form(texts, fields))


def _of_form(texts: Texts, fields: Sequence[FieldDefinition]) -> Iterator[Problem]:
    if not texts.title.strip():
        yield "title", "is empty"
    by_name = {field.name: field for field in fields}
    for name in sorted(texts.fields.keys() - by_name.keys()):
        hint = suggestion(name, by_name)
        yield f"fields.{name}", f'"{name}" is not a field of this form{f"; {hint}" if hint else ""}'
    for name, field in by_name.items():
        own = texts.fields.get(name, FieldTexts())
        yield from ((f"fields.{name}.{key}", text) for key, text in _of_field(own, field))


def _of_field(texts: FieldTexts, field: FieldDefinition) -> Iterator[Problem]:
    if field.visible and not (texts.label or "").strip():
        yield "label", "is missing; every field that a visitor sees needs one in each language"
    for key in sorted(texts.model_fields_set - KEYS[field.type]):
        yield key, f"{a(field.type)} field can't have it"
    values = [option.value for option in field.options]
    for value in texts.options if values else ():
        if value not in values:
            yield f"options.{value}", f"is not a value of this field; use {one_of(values)}"
