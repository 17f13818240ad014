"""Checks of `show_if` and `[[steps]]`: what they name must be there, once and in order."""

from collections.abc import Iterator

from formapp.forms.definition.checks import Draft, PlacedProblem, repeated
from formapp.forms.definition.explain import a, one_of, unknown
from formapp.forms.definition.layout import Condition
from formapp.forms.definition.model import FieldDefinition

_CHOICES = ("select", "radio", "checkboxes")
_BOXES = ("checkbox", "consent")


def check_layout(draft: Draft) -> Iterator[PlacedProblem]:
    places = {
        field.name: index
        for index, field in reversed([*draft.fields])
        if draft.is_read("fields", index, "name")
    }
    complete = len(places) == len(draft.form.fields)
    for index, field in draft.fields:
        if field.show_if and field.visible:
            for problem in _condition(draft, index, field.show_if, places, complete=complete):
                yield index, "show_if", problem
    if complete:
        for key, problem in _steps(draft, places):
            yield None, key, problem


def _condition(
    draft: Draft, index: int, condition: Condition, places: dict[str, int], *, complete: bool
) -> Iterator[str]:
    name = condition.field
    place = places.get(name)
    if place is None:
        if complete:
            yield unknown(name, "a field", places)
    elif place == index:
        yield f'"{name}" is the field itself; name another one'
    elif circle := _circle(draft, index, places):
        yield f"runs in a circle: {circle}; leave one of them out"
    elif place > index:
        yield f'"{name}" comes after this field; put it before'
    elif draft.is_read("fields", place, "type") and draft.is_read("fields", place, "options"):
        yield from _values(condition, draft.form.fields[place])


def _values(condition: Condition, other: FieldDefinition) -> Iterator[str]:
    given, name = condition.values, condition.field
    if other.type in _BOXES:
        if not isinstance(given, bool):
            yield f'"{name}" is a box; use true or false'
    elif other.type not in _CHOICES:
        kinds = one_of((*_CHOICES, *_BOXES))
        yield f'"{name}" is {a(other.type)} field; name one of type {kinds}'
    elif options := [option.value for option in other.options]:
        for value in [given] if isinstance(given, bool) else given:
            if value not in options:
                shown = str(value).lower() if isinstance(value, bool) else f'"{value}"'
                yield f'{shown} is not a value of "{name}"; use {one_of(options)}'


def _circle(draft: Draft, index: int, places: dict[str, int]) -> str:
    """Return how the conditions lead back to this field, such as `a, b, a`; empty if they don't."""
    fields, names = draft.form.fields, [draft.form.fields[index].name]
    place: int | None = index
    while place is not None and (condition := fields[place].show_if):
        names.append(condition.field)
        place = places.get(condition.field)
        if place == index:
            return ", ".join(names)
        if condition.field in names[:-1]:
            break  # a circle of others
    return ""


def _steps(draft: Draft, places: dict[str, int]) -> Iterator[tuple[str, str]]:
    steps = draft.form.steps
    for number, first in repeated((n, step.title) for n, step in enumerate(steps)):
        yield f"steps[{number}].title", f'"{steps[number].title}" is that of steps[{first}] already'
    holders: dict[str, int] = {}
    latest = -1
    for number, step in enumerate(steps):
        if not step.fields and draft.is_read("steps", number, "fields"):
            yield f"steps[{number}].fields", "is missing; name the fields of this step"
        for n, name in enumerate(step.fields):
            if problem := _misplaced(draft, name, places, holders, latest):
                yield f"steps[{number}].fields[{n}]", problem
            holders.setdefault(name, number)
            latest = max(latest, places.get(name, latest))
    if steps and all(draft.is_read("steps", n) for n, _ in enumerate(steps)):
        for _, field in draft.fields:
            if field.visible and field.name not in holders:
                yield "steps", f'"{field.name}" is in none of them; add it to one'


def _misplaced(
    draft: Draft, name: str, places: dict[str, int], holders: dict[str, int], latest: int
) -> str:
    """Return what is wrong with a name in a step; empty if nothing is."""
    if name not in places:
        return unknown(name, "a field", places)
    if name in holders:
        return f'"{name}" is in steps[{holders[name]}] already'
    if not draft.form.fields[places[name]].visible:
        return f'"{name}" is hidden; leave it out'
    if places[name] < latest:
        after = draft.form.fields[latest].name
        return f'"{name}" comes before "{after}" in this file; keep that order'
    return ""
