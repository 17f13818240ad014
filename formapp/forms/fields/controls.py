"""WTForms fields for each type of a form file.

Each holds `spec` (its definition) and, after `validate()`, `answer`: the value that is kept, or
None where the visitor gave none; `identity` is whom an e-mail address or a telephone number names.
What was typed stays in `data` and is shown again.
"""

from typing import Any

from wtforms import fields as wtforms
from wtforms import widgets
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # stubs of 3.2
from wtforms.form import BaseForm
from wtforms.validators import StopValidation

from formapp.forms import messages
from formapp.forms.definition.model import FieldDefinition
from formapp.forms.fields.validate import Identity, InvalidValueError, clean, judge
from formapp.forms.fields.values import ticked

Answer = str | int | float | bool | list[str]


class Control(wtforms.Field):
    """What all controls share: the definition, and judging as WTForms' `pre_validate`."""

    def __init__(self, *args: Any, spec: FieldDefinition, **kwargs: Any) -> None:
        self.spec = spec
        self.answer: Answer | None = None
        self.identity: Identity | None = None
        super().__init__(*args, **kwargs)

    @property
    def first_id(self) -> str:
        """The id of the first thing in this control that can have the focus."""
        return self.id

    def pre_validate(self, form: BaseForm) -> None:  # noqa: ARG002 - WTForms' interface
        """Judge what was posted.

        Raises:
            StopValidation: With a `Message` for the visitor.
        """
        if any(not isinstance(item, str) for item in self.raw_data or ()):
            raise StopValidation(messages.TEXT)
        try:
            self.answer = self.judged()
        except InvalidValueError as err:
            raise StopValidation(err.message) from None
        if self.spec.required and (self.answer is None or self.answer is False):
            raise StopValidation(messages.demand(self.spec.type, posted=bool(self.raw_data)))

    def judged(self) -> Answer | None:
        """Return the answer, None for a blank one; raises `InvalidValueError`."""
        if not self.data:
            return None
        value, self.identity = judge(self.spec, self.data)
        return value

    def process_data(self, value: Any) -> None:
        """Take a text that the control begins with."""
        self.process_formdata([] if value is None else [value])

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was posted; only the first text counts."""
        given = valuelist[0] if valuelist else ""
        self.data = clean(self.spec, given) if given and isinstance(given, str) else ""


class TextControl(Control, wtforms.StringField):
    """One line of text."""


class TextAreaControl(Control, wtforms.TextAreaField):
    """Several lines of text."""


class EmailControl(Control, wtforms.EmailField):
    """An e-mail address."""


class TelControl(Control, wtforms.TelField):
    """A telephone number."""


class UrlControl(Control, wtforms.URLField):
    """A web address."""


class NumberControl(Control, wtforms.StringField):
    """A number; what isn't one stays as it was typed."""

    widget = widgets.NumberInput()


class DateControl(Control, wtforms.StringField):
    """A date as `YYYY-MM-DD`; what isn't one stays as it was typed."""

    widget = widgets.DateInput()


class HiddenControl(Control, wtforms.HiddenField):
    """A value that the page carries. It is cut at its limit and never a visitor's fault."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was posted, unless the form file says what it is."""
        super().process_formdata(valuelist)
        fixed = self.spec.value
        self.data = (self.data or "")[: self.spec.limit].strip() if fixed is None else fixed

    def pre_validate(self, form: BaseForm) -> None:  # noqa: ARG002 - WTForms' interface
        """Keep it as it is."""
        self.answer = self.data or None


class _Choosing(Control, wtforms.SelectField):
    def __init__(self, *args: Any, spec: FieldDefinition, **kwargs: Any) -> None:
        choices = [SelectChoice(option.value, option.label) for option in spec.options]
        super().__init__(*args, spec=spec, choices=[*self.before(spec), *choices], **kwargs)

    def before(self, spec: FieldDefinition) -> list[SelectChoice]:  # noqa: ARG002 - for subclasses
        """Return the choices that stand before the listed ones."""
        return []


class SelectControl(_Choosing):
    """One choice from a drop-down list, which begins with a blank one."""

    def before(self, spec: FieldDefinition) -> list[SelectChoice]:
        """Return the blank choice; its text is the field's placeholder."""
        return [SelectChoice("", spec.placeholder)]


class RadioControl(_Choosing, wtforms.RadioField):
    """One choice from buttons that all can be seen."""

    @property
    def first_id(self) -> str:
        """The id of the first button."""
        return f"{self.id}-0"


class CheckboxesControl(Control, wtforms.SelectMultipleField):
    """Any number of choices."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def __init__(self, *args: Any, spec: FieldDefinition, **kwargs: Any) -> None:
        choices = [SelectChoice(option.value, option.label) for option in spec.options]
        super().__init__(*args, spec=spec, choices=choices, **kwargs)
        self.label.field_id = False  # type: ignore[assignment] # as WTForms' own RadioField does

    @property
    def first_id(self) -> str:
        """The id of the first box."""
        return f"{self.id}-0"

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take all texts that were posted, without blanks."""
        texts = [clean(self.spec, item) for item in valuelist if isinstance(item, str)]
        self.data = [text for text in texts if text]

    def judged(self) -> Answer | None:
        """Return the chosen values, each once, in the order of the form file."""
        chosen = set(self.data or ())
        values = [option.value for option in self.spec.options]
        if chosen - set(values):
            raise InvalidValueError(messages.NOT_AN_OPTION)
        return [value for value in values if value in chosen] or None


class CheckboxControl(Control, wtforms.BooleanField):
    """A box to tick; also a consent."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was posted: see `values.ticked`."""
        given = valuelist[0] if valuelist else ""
        self.data = isinstance(given, str) and ticked(given, self.spec.tick_value)

    def judged(self) -> Answer | None:
        """Return whether the box is ticked."""
        return bool(self.data)

    def _value(self) -> str:
        return self.spec.tick_value


CONTROLS: dict[str, type[Control]] = {
    "text": TextControl,
    "textarea": TextAreaControl,
    "email": EmailControl,
    "tel": TelControl,
    "number": NumberControl,
    "date": DateControl,
    "url": UrlControl,
    "select": SelectControl,
    "radio": RadioControl,
    "checkboxes": CheckboxesControl,
    "checkbox": CheckboxControl,
    "consent": CheckboxControl,
    "hidden": HiddenControl,
}
"""Field type -> control."""
