"""What a form's page looks like beyond its controls: steps, sections, conditions, checks.

The scripts of a page read conditions and checks from `data-` attributes: `conditions.js` shows the
fields that apply, `formapp.js` checks a field that was left, `steps.js` shows one step at a time.
"""

import json
from collections.abc import Iterable
from itertools import groupby

from babel.lists import format_list
from flask import Flask

from formapp.forms.definition.layout import Condition, Step
from formapp.forms.definition.model import FieldDefinition, FormDefinition
from formapp.forms.fields.base import Control, Field
from formapp.forms.form import Form
from formapp.forms.messages import texts_in
from formapp.forms.reading.text import locale_of
from formapp.languages import SOURCE, gettext_noop, spoken_for

Sections = list[tuple[str | None, list[Control]]]

_ONE_OF = gettext_noop("Only if “%(label)s” is %(answer)s.")
_TICKED = gettext_noop("Only if you tick “%(label)s”.")
_NOT_TICKED = gettext_noop("Only if you don't tick “%(label)s”.")

_CHECKED_LENGTHS = {"text", "textarea"}
"""Types whose answers are often as long as allowed."""


def init_app(app: Flask) -> None:
    app.jinja_env.globals |= {
        "by_step": by_step,
        "is_conditional": is_conditional,
        "condition_hint": condition_hint,
        "data_of": data_of,
    }


def by_step(form: Form, controls: Iterable[Control]) -> list[tuple[Step | None, Sections]]:
    """Group controls by step and section; without steps all are in one group."""
    shown = list(controls)
    if not form.definition.steps:
        return [(None, _by_section(shown))]
    return [
        (step, _by_section([control for control in shown if control.name in step.fields]))
        for step in form.definition.steps
    ]


def _by_section(controls: list[Control]) -> Sections:
    groups = groupby(controls, lambda control: control.spec.section)
    return [(section, list(found)) for section, found in groups]


def is_conditional(form: Form) -> bool:
    return any(field.show_if for field in form.definition.fields)


def condition_hint(definition: FormDefinition, field: FieldDefinition) -> str:
    """Return when a field applies, in the form's language; empty if it always does."""
    condition = field.show_if
    if condition is None:
        return ""
    texts, other = texts_in(definition.language), _other(definition, condition)
    if isinstance(condition.values, bool):
        text = _TICKED if condition.values else _NOT_TICKED
        return texts.gettext(text) % {"label": other.label}
    labels = [option.label for option in other.options if option.value in condition.values]
    locale = locale_of(spoken_for(definition.language) or SOURCE)
    answer = format_list(labels, style="or", locale=locale)
    return texts.gettext(_ONE_OF) % {"label": other.label, "answer": answer}


def data_of(definition: FormDefinition, control: Control) -> dict[str, str | int]:
    """Return the attributes from which scripts read a field's condition and checks."""
    condition = control.spec.show_if
    return _checks(control.field) | (_condition(definition, condition) if condition else {})


def _condition(definition: FormDefinition, condition: Condition) -> dict[str, str | int]:
    """Return the field to look at, and the values it may send; none if it is not to be ticked."""
    values: list[str] = []
    if condition.values is True:
        values = [_other(definition, condition).tick_value]
    elif condition.values:
        values = list(condition.values)
    return {"data-if": condition.field, "data-is": json.dumps(values, ensure_ascii=False)}


def _other(definition: FormDefinition, condition: Condition) -> FieldDefinition:
    return next(field for field in definition.fields if field.name == condition.field)


def _checks(field: Field) -> dict[str, str | int]:
    """Return what a browser can check, each with the error that the server would report."""
    texts, label = texts_in(field.language), field.definition.label
    said = {
        code: error.sentence(texts, label, field.language)
        for code, error in field.possible_errors().items()
    }
    found: dict[str, str | int] = {}
    if field.required:
        found["data-empty"] = said["REQUIRED_FIELD_EMPTY"]
    if field.looks_like and field.invalid:
        found |= {"data-like": field.looks_like, "data-wrong": said[field.invalid.code]}
    if field.definition.type in _CHECKED_LENGTHS:
        found |= {"data-most": field.limit, "data-long": said["TOO_LONG"]}
    if field.min_length and field.typed:
        found |= {"data-least": field.min_length, "data-short": said["TOO_SHORT"]}
    return found
