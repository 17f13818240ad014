"""The names that come with a post: which field each stands for, which came too often.

A field is known by its name and by its aliases. A name may have brackets behind it, as lists are
often written: `name[]` stands for `name`, and in a group of boxes `name[0]`, `name[1]` are its
values in the order of their numbers. An alias that has brackets itself goes before that.
"""

import re
from collections.abc import Iterable
from operator import itemgetter

from werkzeug.datastructures import MultiDict

from formapp.forms.definition import FormDefinition
from formapp.forms.fields import FieldDefinition
from formapp.spam import CHALLENGE_NAMES

RESERVED = ("_token", "_gotcha", "_next", "_subject", "_replyto", "_id")
"""Names of formapp's own; no field's name begins with `_`."""

_LIST = re.compile(r"(?P<name>.+)\[(?P<index>[0-9]{0,9})\]", re.DOTALL)
_NO_INDEX = -1

Sent = dict[str, list[str]]
"""Field name -> the names by which it was sent, in the order in which their values count."""


def in_brackets(fields: Iterable[FieldDefinition], sent: str) -> FieldDefinition | None:
    """Return the field that a name with brackets behind it stands for, if any."""
    match = _LIST.fullmatch(sent)
    if match is None:
        return None
    for field in fields:
        if match["name"] in field.names and (not match["index"] or field.type == "checkboxes"):
            return field
    return None


def own_names(definition: FormDefinition, posted: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the same pairs by the fields' own names; what is no field's stays as it is.

    Of several names of a single-valued field the first that isn't blank counts.
    """
    sent = _sent(definition, posted)
    fields = {name for names in sent.values() for name in names}
    named = {name: posted.getlist(name) for name in posted if name not in fields}
    for field in definition.fields:
        names = sent.get(field.name, [])
        if field.type != "checkboxes" and len(names) > 1:
            names = _filled(posted, names)[:1] or names[:1]
        named[field.name] = [text for name in names for text in posted.getlist(name)]
    return MultiDict(named)  # which leaves out what has no text


def callers_names(definition: FormDefinition, posted: MultiDict[str, str]) -> dict[str, str]:
    """Return what the sender calls each field: as it was sent, `name[0]` without its number.

    A field that wasn't sent, such as a box that isn't ticked, is called by its first alias where
    the sender knows the others by aliases alone; else by its own name.
    """
    sent = _sent(definition, posted)
    called = {
        field.name: _called(field, posted, sent.get(field.name, [])) for field in definition.fields
    }
    with_alias = [field for field in definition.fields if field.aliases and field.name in sent]
    foreign = with_alias and all(_base(called[f.name]) in f.aliases for f in with_alias)
    for field in definition.fields:
        if foreign and field.aliases and field.name not in sent:
            called[field.name] = field.aliases[0]
    return called


def repeated(
    definition: FormDefinition, posted: MultiDict[str, str], lists: frozenset[str]
) -> list[str]:
    """Return the single-valued names that came more than once or as a JSON list (`lists`).

    Two names of one field count as a repetition, unless all but one are blank.
    """
    sent = _sent(definition, [*posted, *sorted(lists - set(posted))])  # an empty list has no pair
    found: list[str] = []
    for field in definition.fields:
        if field.type != "checkboxes":
            names = sent.get(field.name, [])
            filled = _filled(posted, names) if len(names) > 1 else []
            found += _several(posted, names, lists) or (filled if len(filled) > 1 else [])
    return found + _several(posted, RESERVED, lists)


def unknown(definition: FormDefinition, posted: MultiDict[str, str]) -> int:
    """Return how many names are neither fields' nor formapp's own."""
    known = {name for names in _sent(definition, posted).values() for name in names}
    return len(set(posted) - known.union(RESERVED, CHALLENGE_NAMES))


def _sent(definition: FormDefinition, posted: Iterable[str]) -> Sent:
    found: dict[str, list[tuple[int, str]]] = {}
    for name in posted:
        if field := definition.by_name.get(name):
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


def _called(field: FieldDefinition, posted: MultiDict[str, str], names: list[str]) -> str:
    name = next(iter(_filled(posted, names) or names), field.name)
    return name if name in field.names or _index(name) == _NO_INDEX else _base(name)


def _filled(posted: MultiDict[str, str], names: Iterable[str]) -> list[str]:
    return [name for name in names if any(str(text).strip() for text in posted.getlist(name))]


def _several(posted: MultiDict[str, str], names: Iterable[str], lists: frozenset[str]) -> list[str]:
    return [name for name in names if name in lists or len(posted.getlist(name)) > 1]
