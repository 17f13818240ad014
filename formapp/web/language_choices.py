"""The other languages of a form's page, and how to get to them."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import url_for

from formapp.forms.form import Form
from formapp.forms.tokens import Use
from formapp.web.i18n import LANG
from formapp.web.public.attribution import USE


@dataclass(frozen=True)
class Choice:
    """A page in some language (`x-default`: in whatever the visitor's browser asks for)."""

    language: str
    address: str


def others(form: Form, said: str, use: Use) -> list[Choice]:
    """The same page in the form's other languages.

    Args:
        form: the form in the language of the page at hand.
        said: what the addresses say besides the language, as of `said_by_links`.
        use: whether the page stands in an iframe.
    """
    if len(form.languages) == 1:
        return []
    page = url_for("forms.embed" if use == "embed" else "forms.show", name=form.name)
    return [
        Choice(tag, f"{page}?{said}{urlencode({LANG: tag})}")
        for tag in form.languages
        if tag != form.language
    ]


def said_by_links(action: str) -> str:
    """What of an action's query links to other languages say as well, with an `&` at its end."""
    pairs = parse_qsl(urlsplit(action).query, keep_blank_values=True)
    query = [(name, value) for name, value in pairs if name not in {USE, LANG}]
    return f"{urlencode(query)}&" if query else ""


def alternates(form: Form, address: str) -> list[Choice]:
    """The hosted page in all languages, for search engines; empty where it has but one.

    `address` is what addresses of this server begin with.
    """
    if len(form.languages) == 1:
        return []
    page = address + url_for("forms.show", name=form.name)
    spoken = [Choice(tag, f"{page}?{urlencode({LANG: tag})}") for tag in form.languages]
    return [*spoken, Choice("x-default", page)]
