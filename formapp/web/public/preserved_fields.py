"""What another site's form brings beside its fields, kept while a page of ours shows the errors.

`_next`, `_subject` and `_replyto` belong to the post; the visitor who corrects an answer on our
page must not lose them. They travel as hidden controls, never in an address: `_replyto` may be
what the visitor typed.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from markupsafe import Markup

from formapp.forms.fields.base import Control
from formapp.forms.lead_form import LeadForm
from formapp.forms.posted import Posted

NAMES = ("_next", "_subject", "_replyto")
_CONTROL = Markup('<input type="hidden" name="{}" value="{}">')


class PreservedFields:
    """A bound form with further hidden controls, as far as a template knows a form."""

    def __init__(self, bound: LeadForm, posted: Posted) -> None:
        self._bound = bound
        self._carried = {name: text for name in NAMES if (text := posted.get(name))}

    def shown(self) -> Iterator[Control]:
        """The controls that the visitor sees."""
        return self._bound.shown()

    def hidden(self) -> Iterator[Callable[..., Any]]:
        """The hidden controls; calling one gives its HTML."""
        yield from self._bound.hidden()
        for name, value in self._carried.items():
            yield partial(_CONTROL.format, name, value)
