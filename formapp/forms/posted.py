"""The names that come with a post: which field each stands for, which came too often.

A field is known by its name and by its aliases. A name may have brackets behind it, as lists are
often written: `name[]` stands for `name`, and in a group of boxes `name[0]`, `name[1]` are its
values in the order of their numbers. An alias that has brackets itself goes before that.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from werkzeug.datastructures import MultiDict

from formapp.forms.definition.model import FieldDefinition, FormDefinition
from formapp.spam import CHALLENGE_NAMES

RESERVED = ("_token", "_gotcha", "_next", "_subject", "_replyto", "_id")
"""Names of formapp's own; no field's name begins with `_`."""

_LIST = re.compile(r"(?P<name>.+)\[(?P<index>[0-9]{0,9})\]", re.DOTALL)
_NO_INDEX = -1


def in_brackets(fields: Iterable[FieldDefinition], sent: str) -> FieldDefinition | None:
    """Return the field that a name with brackets behind it stands for, if any."""
    match = _LIST.fullmatch(sent)
    if match is None:
        return None
    for field in fields:
        if match["name"] in field.names and (not match["index"] or field.type == "checkboxes"):
            return field
    return None


@dataclass(frozen=True, repr=False)
class Sent:
    """A post, and by which names each field was sent. Made by `sent`.

    Attributes:
        definition: The form's.
        pairs: As they came.
        names: Field name -> the names by which it was sent, in the order in which their values
            count.
    """

    definition: FormDefinition
    pairs: MultiDict[str, str]
    names: Mapping[str, list[str]]

    def own(self) -> MultiDict[str, str]:
        """Return the same pairs by the fields' own names; what is no field's stays as it is.

        Of several names of a single-valued field the first that isn't blank counts.
        """
        if all(names == [field] for field, names in self.names.items()):
            return self.pairs
        fields = {name for names in self.names.values() for name in names}
        named = {name: self.pairs.getlist(name) for name in self.pairs if name not in fields}
        for field in self.definition.fields:
            names = self.names.get(field.name, [])
            if field.type != "checkboxes" and len(names) > 1:
                names = self._filled(names)[:1] or names[:1]
            named[field.name] = [text for name in names for text in self.pairs.getlist(name)]
        return MultiDict(named)  # which leaves out what has no text

    def called(self) -> dict[str, str]:
        """Return what the sender calls each field: as it was sent, `name[0]` without its number.

        A field that wasn't sent, such as a box that isn't ticked, is called by its first alias
        where the sender knows the others by aliases alone; else by its own name.
        """
        fields = self.definition.fields
        called = {field.name: self._called(field) for field in fields}
        with_alias = [field for field in fields if field.aliases and field.name in self.names]
        foreign = with_alias and all(_base(called[f.name]) in f.aliases for f in with_alias)
        for field in fields:
            if foreign and field.aliases and field.name not in self.names:
                called[field.name] = field.aliases[0]
        return called

    def repeated(self, lists: frozenset[str] = frozenset()) -> list[str]:
        """Return the single-valued names that came more than once or as a JSON list (`lists`).

        Two names of one field count as a repetition, unless all but one are blank.
        """
        empty = sorted(lists - set(self.pairs))  # an empty list has no pair
        sent = _names(self.definition, [*self.pairs, *empty]) if empty else self.names
        found: list[str] = []
        for field in self.definition.fields:
            if field.type != "checkboxes":
                names = sent.get(field.name, [])
                filled = self._filled(names) if len(names) > 1 else []
                found += self._several(names, lists) or (filled if len(filled) > 1 else [])
        return found + self._several(RESERVED, lists)

    def unknown(self) -> int:
        """Return how many names are neither fields' nor formapp's own."""
        known = {name for names in self.names.values() for name in names}
        return len(set(self.pairs) - known.union(RESERVED, CHALLENGE_NAMES))

    def _called(self, field: FieldDefinition) -> str:
        names = self.names.get(field.name, [])
        name = next(iter(self._filled(names) or names), field.name)
        return name if name in field.names or _index(name) == _NO_INDEX else _base(name)

    def _filled(self, names: Iterable[str]) -> list[str]:
        return [
            name for name in names if any(t.strip() for t in map(str, self.pairs.getlist(name)))
        ]

    def _several(self, names: Iterable[str], lists: frozenset[str]) -> list[str]:
        return [name for name in names if name in lists or len(self.pairs.getlist(name)) > 1]


def sent(definition: FormDefinition, pairs: MultiDict[str, str]) -> Sent:
    """Return a post with what its names stand for."""
    return Sent(definition, pairs, _names(definition, pairs))


def _names(definition: FormDefinition, posted: Iterable[str]) -> dict[str, list[str]]:
    exact = {name: field for field in definition.fields for name in field.names}
    found: dict[str, list[tuple[int, str]]] = {}
    for name in posted:
        if field := exact.get(name):
            found.setdefault(field.name, []).append((_NO_INDEX, name))
        elif field := in_brackets(definition.fields, name):
            found.setdefault(field.name, []).append((_index(name), name))
    return {
        field: [name for _, name in sorted(names, key=itemgetter(0))]
        for field, names in found.items()
    }


def _index(name: str) -> int:
    match = _LIST.fullmatch(name)
    return int(match["index"]) if match and match["index"] else _NO_INDEX


def _base(name: str) -> str:
    match = _LIST.fullmatch(name)
    return match["name"] if match else name
