"""The texts of a form in another language: `[texts.de]` of a form file."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic import Field as Key

from formapp.confirmation.definition import Line, Paragraphs
from formapp.forms.definition.targets import Definition
from formapp.forms.fields.values import parse_locale

Text = Annotated[str, Key(min_length=1)]


def _language(tag: str) -> str:
    if (language := parse_locale(tag)) is None:
        raise ValueError(f'"{tag}" is not a language tag; write it as "en" or "pt-BR" (BCP 47)')
    return language


Language = Annotated[str, AfterValidator(_language)]
"""A tag of BCP 47, in its usual capitals."""


class FieldTexts(Definition):
    """The texts of one field; `options` has a text by the option's value."""

    label: Text | None = None
    help: Text | None = None
    placeholder: Text | None = None
    options: dict[str, Text] = Key(default_factory=dict)


class ThanksTexts(Definition):
    """The texts of the thank-you page."""

    title: Text | None = None
    text: Text | None = None


class ConfirmTexts(Definition):
    """The texts of a confirmation: of the mail, of its button and of the page after the form."""

    subject: Line | None = None
    text: Paragraphs | None = None
    button: Line | None = None
    title: Line | None = None
    notice: Paragraphs | None = None


class Texts(Definition):
    """All texts of a form in one language. What is missing is said in `speaking`."""

    title: Text
    intro: Text | None = None
    submit: Text | None = None
    thanks: ThanksTexts = ThanksTexts()
    confirm: ConfirmTexts | None = None
    fields: dict[str, FieldTexts] = Key(default_factory=dict)
