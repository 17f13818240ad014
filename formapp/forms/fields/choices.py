"""Types whose answer is chosen: `select`, `radio`, `checkboxes`, `checkbox` and `consent`."""

from collections.abc import Sequence
from typing import Any

from wtforms import fields as wtforms
from wtforms import widgets
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # stubs of 3.2

from formapp.forms import messages
from formapp.forms.definition.model import FieldDefinition
from formapp.forms.fields import patterns
from formapp.forms.fields.base import Control, Field, InvalidValueError, Parsed, Schema
from formapp.forms.messages import ErrorMessage

_TICKED = frozenset({"true", "on", "1"})
_TICKED_PATTERN = "[Tt][Rr][Uu][Ee]|[Oo][Nn]|1"
_BLANK = r"[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


class SelectControl(Control, wtforms.SelectField):
    """A drop-down list."""


class RadioControl(Control, wtforms.RadioField):
    """Buttons that all can be seen."""

    @property
    def first_id(self) -> str:
        """The id of the first button."""
        return f"{self.id}-0"


class CheckboxesControl(Control, wtforms.SelectMultipleField):
    """A group of boxes."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label.field_id = False  # type: ignore[assignment] # as WTForms' own RadioField does

    @property
    def first_id(self) -> str:
        """The id of the first box."""
        return f"{self.id}-0"


class _Choice(Field):
    """One choice; the country's and the language's error come before that of the list."""

    widget = None
    typed = False

    def parse(self, text: str) -> Parsed:
        """Return the listed value."""
        parsed = super().parse(text)
        if text not in self.options:
            raise InvalidValueError(messages.NOT_AN_OPTION)
        return parsed

    def control_options(self) -> dict[str, Any]:
        """Return the choices."""
        return {"choices": [SelectChoice(o.value, o.label) for o in self.definition.options]}

    def type_errors(self) -> list[ErrorMessage]:
        """Return the errors with that of the list."""
        return [*super().type_errors(), messages.NOT_AN_OPTION]

    def value_schema(self) -> Schema:
        """Return the schema of a listed value."""
        given = self.definition
        listed: list[Schema] = [{"const": o.value, "title": o.label} for o in given.options]
        blank = {"title": given.placeholder} if given.placeholder else {}
        none: list[Schema] = [] if self.required else [{"const": "", **blank}, {"type": "null"}]
        return {"oneOf": [*listed, *none]}


class Select(_Choice):
    """One choice from a drop-down list, which begins with a blank one."""

    control = SelectControl

    def control_options(self) -> dict[str, Any]:
        """Return the choices after a blank one, whose text is the placeholder."""
        choices = super().control_options()["choices"]
        return {"choices": [SelectChoice("", self.definition.placeholder), *choices]}

    def attributes(self) -> dict[str, Any]:
        """Return the attributes; the placeholder is a choice."""
        return {key: value for key, value in super().attributes().items() if key != "placeholder"}


class Radio(_Choice):
    """One choice from buttons."""

    control = RadioControl
    autofilled = False


class Checkboxes(Field):
    """Any number of choices, kept once each, in the order of the form file."""

    control = CheckboxesControl
    widget = None
    several = True
    typed = autofilled = False

    def read(self, texts: Sequence[str]) -> Parsed:
        """Return the chosen values."""
        chosen = set(self.shown(texts))
        if not chosen:
            return self.blank(texts)
        if not chosen.issubset(self.options):
            raise InvalidValueError(messages.NOT_AN_OPTION)
        return Parsed([value for value in self.options if value in chosen])

    def shown(self, texts: Sequence[str]) -> list[str]:
        """Return all texts but blanks."""
        return [text for text in map(self.clean, texts) if text]

    def control_options(self) -> dict[str, Any]:
        """Return the choices."""
        return {"choices": [SelectChoice(o.value, o.label) for o in self.definition.options]}

    def attributes(self) -> dict[str, Any]:
        """Return the attributes; `required` would demand every single box."""
        return {key: value for key, value in super().attributes().items() if key != "required"}

    def type_errors(self) -> list[ErrorMessage]:
        """Return the error of a value that isn't listed."""
        return [messages.NOT_AN_OPTION]

    def value_schema(self) -> Schema:
        """Return the schema of a list of values, or of one."""
        several: Schema = {"type": "array", "items": {"enum": [*self.options, "", None]}}
        if self.required:
            listed = {"enum": self.options}
            return {"anyOf": [several | {"contains": listed}, listed]}
        return {"anyOf": [several, {"enum": [*self.options, "", None]}]}


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

    def type_errors(self) -> list[ErrorMessage]:
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
