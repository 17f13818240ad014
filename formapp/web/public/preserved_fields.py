"""Special fields of another site's form, preserved while our own page shows its errors.

`_next`, `_subject` and `_replyto` belong to the post and must survive a correction on our page.
They are hidden controls, never part of an address: `_replyto` may be an answer.
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
    """A bound form with further hidden controls; has the methods that templates call."""

    def __init__(self, bound: LeadForm, posted: Posted) -> None:
        self._bound = bound
        self._preserved = {name: text for name in NAMES if (text := posted.get(name))}

    def shown(self) -> Iterator[Control]:
        """The controls that the visitor sees."""
        return self._bound.shown()

    def hidden(self) -> Iterator[Callable[..., Any]]:
        """The hidden controls; calling one gives its HTML."""
        yield from self._bound.hidden()
        for name, value in self._preserved.items():
            yield partial(_CONTROL.format, name, value)
