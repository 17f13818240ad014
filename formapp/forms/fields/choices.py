"""Types whose answer is chosen: `select`, `radio`, `checkboxes`, `checkbox` and `consent`."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from wtforms import fields as wtforms
from wtforms import widgets
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # stubs of 3.2

from formapp.forms.fields import patterns
from formapp.forms.fields.base import Control, Field, Parsed, Schema
from formapp.forms.messages import ErrorMessage

_NOT_TICKED = frozenset({"", "false", "0", "off", "no"})
"""What a hidden input beside a box sends, in any case; anything else ticks the box."""

_JOINTS = re.compile("[,;|\n\u3001\uff0c]")
"""What scripts join the values of a group with."""


class SelectControl(Control, wtforms.SelectField):
    """A drop-down list."""


class _GroupControl(Control):
    @property
    def first_id(self) -> str:
        return f"{self.id}-0"


class RadioControl(_GroupControl, wtforms.RadioField):
    """Buttons that all can be seen."""


class CheckboxesControl(_GroupControl, wtforms.SelectMultipleField):
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label.field_id = False  # type: ignore[assignment] # as WTForms' own RadioField does


class _Options(Field):
    """Choices among options, each of which is known by its value and by its label.

    Visitors can't type such an answer. So one that is none of the options is no error of theirs: it
    is kept for the owner where the field is optional, and counts as no answer where it is required.
    """

    widget = None
    typed = False

    @cached_property
    def _meanings(self) -> dict[str, str | None]:
        """The value that a text means, without regard to case; None where that is not clear."""
        spoken = (self.definition, *self.translations)
        found: dict[str, str | None] = {}
        for pairs in (
            [(value, value) for value in self.options],
            [(option.label, option.value) for option in self.definition.options],
            [(option.label, option.value) for each in spoken for option in each.options],
            [(each.placeholder, "") for each in spoken if each.placeholder],
        ):
            found = _unambiguous(pairs) | found
        return found

    def option(self, text: str) -> str | None:
        """Return the value of the option that a text stands for; None where there is none.

        A blank text, and the field's own placeholder, are "".
        """
        if text in self.options:
            return text
        text = self.clean(text)
        found = text if not text or text in self.options else self._meanings.get(_key(text))
        if found is None and self.read_code and len(text) <= self.limit:
            code = self.read_code(text, self.language)
            found = self._meanings.get(_key(code)) if code else None
        return found

    def unanswered(self, texts: Sequence[str], not_offered: list[str]) -> Parsed:
        """Return the answer of a field for which no option was sent; raises as `blank`."""
        return self.blank(texts)._replace(not_offered=tuple(not_offered))

    def control_options(self) -> dict[str, Any]:
        return {"choices": [SelectChoice(o.value, o.label) for o in self.definition.options]}

    def type_errors(self) -> list[ErrorMessage]:
        return []


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text, value in pairs:
        key = _key(text)
        found[key] = value if found.get(key, value) == value else None
    return found


class _Choice(_Options):
    def read(self, texts: Sequence[str]) -> Parsed:
        text = texts[0] if texts else ""
        if value := self.option(text):
            return Parsed(value)
        return self.unanswered(texts, [] if value == "" else [text])

    def shown(self, texts: Sequence[str]) -> str:
        return (self.option(texts[0]) if texts else "") or ""

    def value_schema(self) -> Schema:
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


class Checkboxes(_Options):
    """Any number of choices, kept once each, in the order of the form file."""

    control = CheckboxesControl
    several = True
    autofilled = False

    def read(self, texts: Sequence[str]) -> Parsed:
        texts = self._apart(texts)
        chosen = self.shown(texts)
        not_offered = [
            text
            for text in texts
            if self.option(text) is None and text.strip().lower() not in _NOT_TICKED
        ]
        if not chosen:
            return self.unanswered(texts, not_offered)
        answer = [value for value in self.options if value in chosen]
        return Parsed(answer, not_offered=tuple(not_offered))

    def shown(self, texts: Sequence[str]) -> list[str]:
        return [value for text in self._apart(texts) if (value := self.option(text))]

    def _apart(self, texts: Sequence[str]) -> list[str]:
        """Split what a script joined, `Delivery, Training`, if all of it is offered."""
        found: list[str] = []
        for text in texts:
            parts = _JOINTS.split(text) if self.option(text) is None else []
            found += parts if parts and all(map(self.option, parts)) else [text]
        return found

    def attributes(self) -> dict[str, Any]:
        """Return the attributes; `required` would demand every single box."""
        return {key: value for key, value in super().attributes().items() if key != "required"}

    def value_schema(self) -> Schema:
        optional = {"enum": [*self.options, "", None]}
        several: Schema = {"type": "array", "items": optional}
        if self.required:
            listed = {"enum": self.options}
            return {"anyOf": [several | {"contains": listed}, listed]}
        return {"anyOf": [several, optional]}


class CheckboxControl(Control, wtforms.BooleanField):
    def _value(self) -> str:
        return self.spec.tick_value


class Checkbox(Field):
    """A box, a consent too; its answer is True or False.

    Any text but a known negative ticks it, since a page chooses the value of its box. A hidden
    input of the same name may send a negative beside it.
    """

    control = CheckboxControl
    widget = None
    several = True
    typed = autofilled = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ticked = self.definition.tick_value

    def read(self, texts: Sequence[str]) -> Parsed:
        if self.shown(texts):
            return Parsed(True)  # noqa: FBT003 - the answer
        if self.required:
            self.blank(texts)
        return Parsed(False)  # noqa: FBT003 - the answer

    def shown(self, texts: Sequence[str]) -> bool:
        return any(t == self.ticked or t.strip().lower() not in _NOT_TICKED for t in texts)

    def type_errors(self) -> list[ErrorMessage]:
        return []

    def value_schema(self) -> Schema:
        if not self.required:
            return dict(patterns.SCALAR)
        return patterns.ticked(self.ticked)
