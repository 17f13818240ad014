"""What the fields of one form must be to each other.

Problems are triples: the index of the field (None for the form itself), the key and the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from formapp.confirmation.definition import Confirm
from formapp.forms.definition.checks_confirm import check_confirm
from formapp.forms.definition.checks_field import check_field, repeated
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.definition.model import Thanks
from formapp.forms.definition.targets import ADDRESS_PARTS, ExtendedFieldTarget, PropertyTarget
from formapp.forms.definition.theme import Theme, unreadable
from formapp.forms.origins import matches, origin_of
from formapp.forms.posted import in_brackets
from formapp.spam import CHALLENGE_NAMES

Problem = tuple[int | None, str, str]


@dataclass(frozen=True)
class Draft:
    """As much of a form file as could be read.

    `fields` are pairs of index and field, `complete` says whether none is missing. `origins` and
    `thanks` are None where they could not be read, and so are `confirm`, `keep_days` and
    `theme`, or where there is none.
    """

    fields: tuple[tuple[int, FieldDefinition], ...]
    complete: bool
    origins: tuple[str, ...] | None
    thanks: Thanks | None
    confirm: Confirm | None
    keep_days: int | None
    theme: Theme | None


def check_form(draft: Draft) -> Iterator[Problem]:
    """Yield every problem, field by field, then those of the form as a whole."""
    for index, field in draft.fields:
        yield from ((index, key, text) for key, text in check_field(field))
    yield from _names(draft)
    yield from _aliases(draft)
    yield from _properties(draft)
    yield from _full_name(draft)
    yield from _addresses(draft)
    yield from _extended_fields(draft)
    yield from _identity(draft)
    yield from _redirect(draft)
    yield from _confirm(draft)
    for key, text in unreadable(draft.theme) if draft.theme else ():
        yield None, f"theme.{key}", text


def _properties_of(draft: Draft) -> Iterator[tuple[int, PropertyTarget]]:
    for index, field in draft.fields:
        if isinstance(field.to, PropertyTarget):
            yield index, field.to


def _called(draft: Draft, index: int) -> str:
    return f"fields[{index}] ({dict(draft.fields)[index].name})"


def _names(draft: Draft) -> Iterator[Problem]:
    for index, first in repeated((index, field.name) for index, field in draft.fields):
        name = dict(draft.fields)[index].name
        yield index, "name", f'"{name}" is already the name of fields[{first}]'
    for index, field in draft.fields:
        if CHALLENGE_NAMES.intersection(field.names):
            yield index, "name", "is what a challenge sends; choose another"


def _aliases(draft: Draft) -> Iterator[Problem]:
    """A name that is posted must stand for one field."""
    holders: dict[str, int] = {}
    for index, field in draft.fields:
        holders.setdefault(field.name, index)
    for index, field in draft.fields:
        others = [other for place, other in draft.fields if place != index]
        for number, alias in enumerate(field.aliases):
            if alias in holders:
                text = f'"{alias}" is already a name of {_called(draft, holders[alias])}'
                yield index, f"aliases[{number}]", text
            elif other := in_brackets(others, alias):
                text = f'"{alias}" stands for a value of "{other.name}" already'
                yield index, f"aliases[{number}]", text
            holders.setdefault(alias, index)


def _slot(target: PropertyTarget) -> str:
    """Return the place in the contact that this target fills."""
    several = target.property == "phone" or target.property in ADDRESS_PARTS
    return f"{target.property} {target.tag or 'UNTAGGED'}" if several else target.property


def _properties(draft: Draft) -> Iterator[Problem]:
    slots = ((index, _slot(target)) for index, target in _properties_of(draft))
    for index, first in repeated(slots):
        filled = _slot(dict(_properties_of(draft))[index])
        hint = "; give it another tag" if " " in filled else ""
        yield index, "to", f'"{filled}" is already filled by {_called(draft, first)}{hint}'


def _full_name(draft: Draft) -> Iterator[Problem]:
    properties = {target.property: index for index, target in _properties_of(draft)}
    rivals = [name for name in ("first_name", "last_name") if name in properties]
    if "full_name" in properties and rivals:
        other = _called(draft, properties[rivals[0]])
        problem = (
            f'"full_name" fills first and last name, and so does {other}; use one or the other'
        )
        yield properties["full_name"], "to", problem


def _addresses(draft: Draft) -> Iterator[Problem]:
    first: dict[str, tuple[int, PropertyTarget]] = {}
    for index, target in _properties_of(draft):
        if target.property not in ADDRESS_PARTS:
            continue
        start, rule = first.setdefault(target.tag or "UNTAGGED", (index, target))
        if rule.merge is not target.merge:
            other = f'{_called(draft, start)} of the same address says "{rule.merge}"'
            yield index, "to.merge", f'"{target.merge}", but {other}; they must be alike'


def _extended_fields(draft: Draft) -> Iterator[Problem]:
    first: dict[str, tuple[int, str]] = {}
    for index, field in draft.fields:
        if not isinstance(field.to, ExtendedFieldTarget):
            continue
        name, kind = field.to.extended_field, field.to.data_type
        start, other = first.setdefault(name, (index, kind))
        if other != kind:
            problem = f'"{kind}", but {_called(draft, start)} says "{other}" for "{name}"'
            yield index, "to.data_type", f"{problem}; they must be alike"


def _identity(draft: Draft) -> Iterator[Problem]:
    who = [target for _, target in _properties_of(draft) if target.property in ("email", "phone")]
    if draft.complete and not who:
        hint = 'give an email field to = "email" or a tel field to = "phone"'
        yield None, "fields", f"none goes to the contact's e-mail or phone; {hint}"


def _confirm(draft: Draft) -> Iterator[Problem]:
    if draft.confirm is not None and draft.complete:
        fields = [field for _, field in draft.fields]
        found = check_confirm(draft.confirm, fields, draft.keep_days)
        yield from ((None, key, text) for key, text in found)


def _redirect(draft: Draft) -> Iterator[Problem]:
    if draft.thanks is None or draft.thanks.redirect is None:
        return
    address = draft.thanks.redirect
    origin = origin_of(address)
    if origin is None:
        example = "write it as https://www.example.com/thanks"
        yield None, "thanks.redirect", f'"{address}" is not an absolute web address; {example}'
    elif draft.origins is not None and not any(
        # `*` lets everybody embed the form; where it leads to is named on purpose or not at all.
        listed != "*" and matches(listed, origin)
        for listed in draft.origins
    ):
        yield None, "thanks.redirect", f'{origin} is not listed; add "{origin}" to origins'
