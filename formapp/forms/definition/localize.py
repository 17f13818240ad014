"""A definition in one of its languages: the same fields and rules, other texts.

What a language has no text for is the form's own text. But the button, the heading of the thank-you
page and what a confirmation says are formapp's own words in that language where nobody wrote them:
no page and no mail should be half in another language.
"""

from typing import Any, TypeVar

from formapp.confirmation.definition import Confirm
from formapp.forms.catalogs import texts_in
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.definition.model import SEND, THANK_YOU, FormDefinition
from formapp.forms.definition.targets import Definition
from formapp.forms.definition.texts import ConfirmTexts, FieldTexts, Texts, ThanksTexts

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
        confirm=_confirm(definition, texts),
        fields=tuple(
            _field(field, texts.fields.get(field.name, FieldTexts())) for field in definition.fields
        ),
    )


def _own(definition: FormDefinition) -> Texts:
    """Return what the form's own language has that could be formapp's words otherwise."""
    thanks = definition.thanks
    return Texts(
        title=definition.title,
        confirm=_confirm_texts(definition.confirm) if definition.confirm else None,
        submit=definition.submit if "submit" in definition.model_fields_set else None,
        thanks=ThanksTexts(title=thanks.title if "title" in thanks.model_fields_set else None),
    )


def _confirm_texts(confirm: Confirm) -> ConfirmTexts:
    said = {key: getattr(confirm, key) for key in ConfirmTexts.model_fields}
    return ConfirmTexts.model_validate(said)


def _confirm(definition: FormDefinition, texts: Texts) -> Confirm | None:
    """Return the confirmation with exactly these texts: None stands for formapp's own."""
    said = (texts.confirm or ConfirmTexts()).model_dump()
    return definition.confirm and definition.confirm.model_copy(update=said)


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
