"""When a field applies (`show_if`) and the steps of a long form (`[[steps]]`)."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

from formapp.forms.definition.base import Definition, Listed, Text
from formapp.forms.reading.text import clean_line

_SHAPE = (
    'should name one field and its answer, such as show_if = { topic = "service" }; a list names '
    "several answers, and a box takes true or false"
)


class Condition(Definition):
    """The answer of an earlier field by which a field applies.

    `values` are options, one of which is chosen; of a box, whether it is ticked.
    """

    field: str
    values: tuple[str, ...] | bool

    def is_met(self, answer: object) -> bool:
        """Return whether this answer, as `Field.shown` returns it, is one of the values."""
        if isinstance(self.values, bool):
            return answer is self.values
        chosen = answer if isinstance(answer, list) else [answer]
        return not set(chosen).isdisjoint(self.values)


def _condition(given: Any) -> Condition:
    if isinstance(given, dict) and len(given) == 1:
        [(field, wanted)] = given.items()
        if isinstance(wanted, bool):
            return Condition(field=field, values=wanted)
        values = wanted if isinstance(wanted, list) else [wanted]
        if values and all(isinstance(value, str) for value in values):
            return Condition(field=field, values=tuple(map(clean_line, values)))
    raise ValueError(_SHAPE)


ShowIf = Annotated[Condition, BeforeValidator(_condition)]
"""The `show_if` of a field."""


def unmet(
    conditions: Iterable[tuple[str, Condition]], shown: Callable[[str], object]
) -> frozenset[str]:
    """Return the names of the fields that don't apply; readers of posts and controls call this.

    A field whose condition isn't met doesn't apply, nor does one that depends on it: it is never
    required, and what was posted for it is kept with the submission as it came, outside of the
    answers and of the lead. `conditions` are by the names of their fields and in the order of the
    form file; `shown` returns the answer of a field as its control shows it (`Field.shown`).
    """
    found: set[str] = set()
    for name, condition in conditions:
        if condition.field in found or not condition.is_met(shown(condition.field)):
            found.add(name)
    return frozenset(found)


class Step(Definition):
    """One `[[steps]]` table: a heading and the fields below it, by their names."""

    title: Text
    fields: Listed[str] = ()
