"""The names in a post: the field that each stands for, and which came too often.

A field is known by its name and by its aliases. A name may have brackets behind it, as lists are
often written: `name[]` stands for `name`, and in a group of boxes `name[0]`, `name[1]` are its
values in the order of their numbers. An alias that has brackets itself takes precedence.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from formapp.forms.definition.fields import FieldDefinition
from formapp.spam import CHALLENGE_NAMES

RESERVED = ("_token", "_gotcha", "_next", "_subject", "_replyto", "_id")
"""Names of formapp's own; no field's name begins with `_`."""

_KNOWN = frozenset(RESERVED) | CHALLENGE_NAMES
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


@dataclass(frozen=True, slots=True, repr=False)
class Posted:
    """A post, sorted by the fields that its names stand for. Made by `FieldNames.sort`.

    Attributes:
        values: name -> its texts, as they came.
        sent: for each field the names by which it was sent, in the order in which their values
            count.
        texts: for each field the texts that count. Of several names of a single-valued field the
            first that isn't blank counts.
        lists: names that came as a JSON list.
        unknown: how many names are neither a field's nor formapp's own.
    """

    names: "FieldNames"
    values: dict[str, list[str]]
    sent: list[list[str]]
    texts: list[list[str]]
    lists: frozenset[str]
    unknown: int

    def get(self, name: str) -> str | None:
        """Return the first text of this very name, None where there is none."""
        texts = self.values.get(name)
        return texts[0] if texts else None

    def repeated(self) -> list[str]:
        """Return the single-valued names that came more than once or as a JSON list.

        Two names of one field count as a repetition, unless all but one are blank.
        """
        found: list[str] = []
        for field, names in zip(self.names.fields, self.sent, strict=True):
            if names and field.type != "checkboxes":
                several = [name for name in names if self._is_several(name)]
                filled = self.filled(names) if len(names) > 1 else []
                found += several or (filled if len(filled) > 1 else [])
        return found + [name for name in RESERVED if self._is_several(name)]

    def called(self) -> dict[str, str]:
        """Return the sender's name of each field: as it was sent, `name[0]` without its number.

        A field that wasn't sent, such as a box that isn't ticked, is called by its first alias
        where the sender knows the others by aliases alone; else by its own name.
        """
        pairs = list(zip(self.names.fields, self.sent, strict=True))
        called = {field.name: self._called(field, names) for field, names in pairs}
        with_alias = [field for field, names in pairs if field.aliases and names]
        foreign = with_alias and all(_base(called[f.name]) in f.aliases for f in with_alias)
        for field, names in pairs:
            if foreign and field.aliases and not names:
                called[field.name] = field.aliases[0]
        return called

    def filled(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that have a text that isn't blank."""
        return [name for name in names if any(str(text).strip() for text in self.values[name])]

    def _is_several(self, name: str) -> bool:
        return name in self.lists or len(self.values.get(name, ())) > 1

    def _called(self, field: FieldDefinition, names: list[str]) -> str:
        name = next(iter(self.filled(names) or names), field.name)
        return name if name in field.names or _index(name) == _NO_INDEX else _base(name)


class FieldNames:
    """The names of a form's fields, compiled."""

    def __init__(self, fields: Sequence[FieldDefinition]) -> None:
        self.fields = fields
        self._slots = {name: slot for slot, field in enumerate(fields) for name in field.names}

    def sort(self, pairs: Iterable[tuple[str, str]], lists: frozenset[str] = frozenset()) -> Posted:
        """Return a post with what its names stand for; `lists` are names of JSON lists."""
        values: dict[str, list[str]] = {}
        for name, text in pairs:
            if name in values:
                values[name].append(text)
            else:
                values[name] = [text]
        for name in sorted(lists.difference(values)):  # an empty list has no pair
            if name in RESERVED or self._slot(name) is not None:
                values[name] = []
        sent: list[list[str]] = [[] for _ in self.fields]
        unknown = 0
        for name in values:
            slot = self._slots.get(name)
            if slot is None and name not in _KNOWN:
                slot = self._slot(name)
                unknown += slot is None
            if slot is not None:
                sent[slot].append(name)
        texts = [values[names[0]] if len(names) == 1 else [] for names in sent]
        posted = Posted(self, values, sent, texts, lists, unknown)
        for slot, names in enumerate(sent):
            if len(names) > 1:
                self._join(posted, slot)
        return posted

    def _slot(self, name: str) -> int | None:
        field = in_brackets(self.fields, name) if name.endswith("]") else None
        return self._slots.get(name) if field is None else self.fields.index(field)

    def _join(self, posted: Posted, slot: int) -> None:
        """Choose among the names of one field, or join the values of a group."""
        names = posted.sent[slot]
        names.sort(key=lambda name: _NO_INDEX if name in self._slots else _index(name))
        if self.fields[slot].type != "checkboxes":
            names = posted.filled(names)[:1] or names[:1]
        posted.texts[slot] = [text for name in names for text in posted.values[name]]


def _index(name: str) -> int:
    match = _LIST.fullmatch(name)
    return int(match["index"]) if match and match["index"] else _NO_INDEX


def _base(name: str) -> str:
    match = _LIST.fullmatch(name)
    return match["name"] if match else name
