"""Which fields of a post or a page don't apply, by their `show_if`.

A field whose condition isn't met doesn't apply, nor does one that depends on it: it is never
required, and what was posted for it is kept with the submission as it came, outside of the answers
and of the lead. Readers of posts and controls of pages both ask here.
"""

from collections.abc import Callable, Iterable

from formapp.forms.definition.model import FieldDefinition


class Conditions:
    """The conditions of a form's fields. A condition names an earlier field."""

    def __init__(self, fields: Iterable[FieldDefinition]) -> None:
        self._conditions = [(field.name, field.show_if) for field in fields if field.show_if]

    def unmet(self, shown: Callable[[str], object]) -> frozenset[str]:
        """Return the names of the fields that don't apply.

        `shown` returns the answer of a field as its control shows it (`Field.shown`).
        """
        unmet: set[str] = set()
        for name, condition in self._conditions:
            if condition.field in unmet or not condition.is_met(shown(condition.field)):
                unmet.add(name)
        return frozenset(unmet)
