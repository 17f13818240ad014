"""A definition in one of its languages: the same fields and rules with other texts.

A text that a language lacks falls back to the form's own text. The button, the heading of the
thank-you page and the texts of a confirmation fall back to formapp's translations instead: no page
or mail should mix two languages.
"""

from typing import Any, TypeVar

from formapp.confirmation.definition import ConfirmTexts
from formapp.forms.definition.base import Definition
from formapp.forms.definition.model import (
    SEND,
    THANK_YOU,
    FieldDefinition,
    FieldTexts,
    FormDefinition,
    Texts,
    ThanksTexts,
)
from formapp.languages import load_texts

_Part = TypeVar("_Part", bound=Definition)


def in_language(definition: FormDefinition, language: str) -> FormDefinition:
    """Return the definition with its texts in one of its languages."""
    texts = definition.texts.get(language) or _own_texts(definition)
    translations, confirm = load_texts(language), definition.confirm
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
        fields=tuple(
            _field(field, texts.fields.get(field.name, FieldTexts())) for field in definition.fields
        ),
    )


def _own_texts(definition: FormDefinition) -> Texts:
    """Return the owner's texts in the form's own language, without formapp's defaults."""
    thanks = definition.thanks
    return Texts(
        title=definition.title,
        confirm=definition.confirm,
        submit=definition.submit if "submit" in definition.model_fields_set else None,
        thanks=ThanksTexts(title=thanks.title if "title" in thanks.model_fields_set else None),
    )


def _field(field: FieldDefinition, texts: FieldTexts) -> FieldDefinition:
    return _with(
        field,
        label=texts.label,
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
