"""Further fields of another site's form, preserved while our own page shows its errors.

They belong to the post and must survive a correction on our page. They are hidden controls, never
part of an address: they may be answers.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from markupsafe import Markup

from formapp.forms.fields.base import Control
from formapp.forms.lead_form import LeadForm
from formapp.forms.notes import FILE_DROPPED, Note
from formapp.forms.posted import Posted

FILE = "_file"
"""The names of files that came with the first post."""
_CONTROL = Markup('<input type="hidden" name="{}" value="{}">')


class PreservedFields:
    """A bound form with further hidden controls; has the methods that templates call.

    Args:
        bound: the form.
        posted: what was posted: formapp's own names and unknown fields are preserved.
        next_fields: other names of `_next`.
        notes: on the post.
    """

    def __init__(
        self, bound: LeadForm, posted: Posted, next_fields: Iterable[str], notes: Iterable[Note]
    ) -> None:
        self._bound = bound
        names = ["_next", "_subject", "_replyto", *next_fields]
        self._preserved = [(name, text) for name in names for text in posted.values.get(name, ())]
        self._preserved += posted.unknown_again()
        files = [note.get("value", "") for note in notes if note["code"] == FILE_DROPPED]
        self._preserved += [(FILE, ", ".join(files))] if files else []

    def shown(self) -> Iterator[Control]:
        return self._bound.shown()

    def hidden(self) -> Iterator[Callable[..., Any]]:
        """The hidden controls; calling one gives its HTML."""
        yield from self._bound.hidden()
        for name, value in self._preserved:
            if value:
                yield partial(_CONTROL.format, name, value)
