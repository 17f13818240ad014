"""Posts to a form, without HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from formapp.forms.posted import Posted, Reading

Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]

EMAIL_FIELD = """
[[fields]]
name = "email"
type = "email"
label = "E-mail"
to = "email"
"""
"""The field of a form file that makes a contact."""


def posted(form: Form, given: Pairs, lists: frozenset[str] = frozenset()) -> Posted:
    """A sorted post; in a mapping a list stands for a repeated name."""
    pairs = (
        [
            (name, text)
            for name, texts in given.items()
            for text in (texts if isinstance(texts, list) else [texts])
        ]
        if isinstance(given, Mapping)
        else given
    )
    return form.reader.sort(pairs, lists)


def read(
    form: Form,
    bound: LeadForm,
    *,
    default_site: str = "main",
    page: str | None = None,
    referrer: str | None = None,
) -> Reading:
    """What the post that a form is bound to says."""
    assert bound.posted
    return form.reader.read(bound.posted, default_site=default_site, page=page, referrer=referrer)
