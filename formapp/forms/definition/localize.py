"""Further languages: checking their texts, and a definition in one of them.

A definition in another language has the same fields and rules with other texts.

A text that a language lacks falls back to the form's own text. The button, the heading of the
thank-you page and the texts of mails fall back to formapp's translations instead: no page
or mail should mix two languages.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

from formapp.confirmation.definition import ConfirmTexts
from formapp.forms.definition.base import Definition
from formapp.forms.definition.checks import KEYS, Draft, Problem, repeated, wrong_links
from formapp.forms.definition.explain import a, one_of, unknown
from formapp.forms.definition.model import (
    SEND,
    THANK_YOU,
    FieldDefinition,
    FieldTexts,
    FormDefinition,
    Texts,
    ThanksTexts,
)
from formapp.forms.reading.text import read_locale
from formapp.languages import load_texts
from formapp.notifications.definition import ReplyTexts

_Part = TypeVar("_Part", bound=Definition)


def check_texts(draft: Draft) -> Iterator[Problem]:
    own = draft.form.language if draft.is_read("language") else None
    tags = list(draft.texts)
    for index, first in repeated(enumerate(read_locale(tag) or tag for tag in tags)):
        yield f"texts.{tags[index]}", f"is the same language as texts.{tags[first]}"
    for tag in tags:
        if read_locale(tag) == own:
            yield f"texts.{tag}", "is the form's own language; its texts are at the top"
        else:
            texts = Texts.model_validate(draft.texts[tag])
            if texts.confirm and not draft.form.confirm and draft.is_read("confirm"):
                yield f"texts.{tag}.confirm", "has nothing to say; the form has no [confirm]"
            if texts.reply and not draft.form.reply and draft.is_read("reply"):
                yield f"texts.{tag}.reply", "has nothing to say; the form has no [reply]"
            found = _texts_of_form(texts, draft)
            yield from ((f"texts.{tag}.{key}", text) for key, text in found)


def _texts_of_form(texts: Texts, draft: Draft) -> Iterator[Problem]:
    if not texts.title.strip():
        yield "title", "is empty"
    sections = [field.section for _, field in draft.fields if field.section]
    steps = [step.title for step in draft.form.steps]
    yield from _unknown("sections", "a section", texts.sections, sections)
    yield from _unknown("steps", "a step", texts.steps, steps)
    yield from wrong_links({"intro": texts.intro, "thanks.text": texts.thanks.text})
    named = {
        field.name: (index, field)
        for index, field in draft.fields
        if draft.is_read("fields", index, "name")
    }
    if len(named) == len(draft.form.fields):
        yield from _unknown("fields", "a field", texts.fields, named)
    for name, (index, field) in named.items():
        if draft.is_read("fields", index, "type"):
            given = texts.fields.get(name, FieldTexts())
            options_read = draft.is_read("fields", index, "options")
            found = _texts_of_field(given, field, options_read=options_read)
            yield from ((f"fields.{name}.{key}", text) for key, text in found)


def _unknown(
    table: str, kind: str, texts: Mapping[str, object], known: Collection[str]
) -> Iterator[Problem]:
    for name in sorted(texts.keys() - set(known)):
        yield f"{table}.{name}", unknown(name, kind, known)


def _texts_of_field(
    texts: FieldTexts, field: FieldDefinition, *, options_read: bool
) -> Iterator[Problem]:
    if field.visible and not (texts.label or "").strip():
        yield "label", "is missing; every field that a visitor sees needs one in each language"
    yield from wrong_links({"label": texts.label, "help": texts.help})
    for key in sorted(texts.model_fields_set - KEYS[field.type]):
        yield key, f"{a(field.type)} field can't have it"
    values = [option.value for option in field.options]
    for value in texts.options if values and options_read else ():
        if value not in values:
            yield f"options.{value}", f"is not a value of this field; use {one_of(values)}"


def in_language(definition: FormDefinition, language: str) -> FormDefinition:
    texts = definition.texts.get(language) or _own_texts(definition)
    translations, confirm, reply = load_texts(language), definition.confirm, definition.reply
    return _with(
        definition,
        language=language,
        title=texts.title,
        intro=texts.intro,
        submit=texts.submit or translations.gettext(SEND),
        thanks=_with(
            definition.thanks,
            title=texts.thanks.title or translations.gettext(THANK_YOU),
            text=texts.thanks.text,
        ),
        # None replaces the form's own text too: it means formapp's translation.
        confirm=confirm
        and confirm.model_copy(update=(texts.confirm or ConfirmTexts()).model_dump()),
        reply=reply and reply.model_copy(update=(texts.reply or ReplyTexts()).model_dump()),
        steps=tuple(_with(step, title=texts.steps.get(step.title)) for step in definition.steps),
        fields=tuple(
            _with(
                _field(field, texts.fields.get(field.name, FieldTexts())),
                section=texts.sections.get(field.section or ""),
            )
            for field in definition.fields
        ),
    )


def _own_texts(definition: FormDefinition) -> Texts:
    """Return the owner's texts in the form's own language, without formapp's defaults."""
    thanks = definition.thanks
    return Texts(
        title=definition.title,
        confirm=definition.confirm,
        reply=definition.reply,
        submit=definition.submit if "submit" in definition.model_fields_set else None,
        thanks=ThanksTexts(title=thanks.title if "title" in thanks.model_fields_set else None),
    )


def _field(field: FieldDefinition, texts: FieldTexts) -> FieldDefinition:
    return _with(
        field,
        label_text=texts.label,
        help=texts.help,
        placeholder=texts.placeholder,
        options=tuple(_with(o, label=texts.options.get(o.value)) for o in field.options),
    )


def _with(part: _Part, **texts: Any) -> _Part:
    """Return a copy with these texts; None keeps the text of the original."""
    changed = {
        key: text for key, text in texts.items() if text is not None and text != getattr(part, key)
    }
    return part.model_copy(update=changed) if changed else part
