"""Single boxes to tick: `checkbox` and `consent`."""

from collections.abc import Sequence

from wtforms import fields as wtforms

from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.fields import patterns
from formapp.forms.fields.base import Control, Field, Parsed, Schema
from formapp.forms.messages import Message

_TICKED = frozenset({"true", "on", "1"})
_TICKED_PATTERN = "[Tt][Rr][Uu][Ee]|[Oo][Nn]|1"
_BLANK = r"[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


class CheckboxControl(Control, wtforms.BooleanField):
    """A box."""

    def _value(self) -> str:
        return self.spec.tick_value


class Checkbox(Field):
    """A box; its answer is True or False.

    It is ticked by `true`, `on`, `1` (in any case) and its own value. Anything else doesn't tick
    it: a consent must be unmistakable.
    """

    control = CheckboxControl
    widget = None
    typed = autofilled = False

    def __init__(self, definition: FieldDefinition, language: str) -> None:
        super().__init__(definition, language)
        self.value = definition.tick_value

    def read(self, texts: Sequence[str]) -> Parsed:
        """Return whether it is ticked."""
        if self.shown(texts):
            return Parsed(True)  # noqa: FBT003 - the answer
        if self.required:
            self.blank(texts)
        return Parsed(False)  # noqa: FBT003 - the answer

    def shown(self, texts: Sequence[str]) -> bool:
        """Return whether it is ticked."""
        text = texts[0].strip() if texts else ""
        return text == self.value or text.lower() in _TICKED

    def type_errors(self) -> list[Message]:
        """Return none."""
        return []

    def value_schema(self) -> Schema:
        """Return the schema of what ticks a required box, else of anything."""
        if not self.required:
            return dict(patterns.SCALAR)
        ticked = f"^{_BLANK}*(?:{_TICKED_PATTERN}|{patterns.escaped(self.value)}){_BLANK}*$"
        return {"anyOf": [{"const": True}, {"type": "string", "pattern": ticked}]}


class Consent(Checkbox):
    """A box whose exact text is kept with the submission when it is ticked."""
