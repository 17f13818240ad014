"""A definition in one of its languages: the same fields and rules, other texts.

What a language has no text for is the form's own text. But the button, and the heading of the
thank-you page, are formapp's own words in that language where nobody wrote them: they are on every
form, and no page should be half in another language.
"""

from typing import Any, TypeVar

from formapp.forms.definition import SEND, THANK_YOU, FormDefinition
from formapp.forms.fields import FieldDefinition
from formapp.forms.speech import texts_in
from formapp.forms.targets import Definition
from formapp.forms.texts import FieldTexts, Texts, ThanksTexts

_Part = TypeVar("_Part", bound=Definition)


def in_language(definition: FormDefinition, language: str) -> FormDefinition:
    """Return the definition with its texts in one of its languages."""
    texts = definition.texts.get(language) or _own(definition)
    ours = texts_in(language)
    return _with(
        definition,
        language=language,
        title=texts.title,
        intro=texts.intro,
        submit=texts.submit or ours.gettext(SEND),
        thanks=_with(
            definition.thanks,
            title=texts.thanks.title or ours.gettext(THANK_YOU),
            text=texts.thanks.text,
        ),
        fields=tuple(
            _field(field, texts.fields.get(field.name, FieldTexts())) for field in definition.fields
        ),
    )


def _own(definition: FormDefinition) -> Texts:
    """Return what the form's own language has that could be formapp's words otherwise."""
    thanks = definition.thanks
    return Texts(
        title=definition.title,
        submit=definition.submit if "submit" in definition.model_fields_set else None,
        thanks=ThanksTexts(title=thanks.title if "title" in thanks.model_fields_set else None),
    )


def _field(field: FieldDefinition, texts: FieldTexts) -> FieldDefinition:
    options = tuple(_with(o, label=texts.options.get(o.value)) for o in field.options)
    return _with(
        field,
        label=texts.label,
        help=texts.help,
        placeholder=texts.placeholder,
        options=options,
    )


def _with(part: _Part, **texts: Any) -> _Part:
    """Return a copy with other texts; None leaves the one that is there."""
    changed = {
        key: text for key, text in texts.items() if text is not None and text != getattr(part, key)
    }
    return part.model_copy(update=changed) if changed else part
