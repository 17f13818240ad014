"""What the keys of one field must be to each other.

Each check yields problems as pairs: the key within the field, and what is wrong with it.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from formapp.forms.definition.checks_target import check_target
from formapp.forms.definition.checks_wording import a, one_of, suggestion
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.fields.autofill import TOKENS, is_autocomplete
from formapp.forms.phones import REGIONS

Problem = tuple[str, str]

_TYPED = {"label", "help", "required", "to", "placeholder", "autocomplete", "prefill"}
_LINE = _TYPED | {"min_length", "max_length"}
_RANGE = {"label", "help", "required", "to", "autocomplete", "min", "max", "prefill"}
_CHOICE = {"label", "help", "required", "to", "options", "prefill"}
KEYS = {
    "text": _LINE,
    "textarea": _LINE | {"rows"},
    "email": _LINE,
    "tel": _LINE | {"region"},
    "url": _LINE,
    "number": _RANGE | {"placeholder"},
    "date": _RANGE,
    "select": _CHOICE | {"placeholder", "autocomplete"},
    "radio": _CHOICE,
    "checkboxes": _CHOICE,
    "checkbox": {"label", "help", "required", "to", "value"},
    "consent": {"label", "help", "required", "to"},
    "hidden": {"label", "to", "value", "from_query", "from"},
}
"""The keys that each type takes beside `name`, `type` and `aliases`."""

_SOURCES = ("value", "from_query", "from")


def check_field(field: FieldDefinition) -> Iterator[Problem]:
    """Yield every problem of one field."""
    yield from _keys(field)
    yield from _label(field)
    yield from _source(field)
    yield from _options(field)
    yield from _range(field)
    yield from _lengths(field)
    yield from _tokens(field)
    yield from check_target(field)


def _keys(field: FieldDefinition) -> Iterator[Problem]:
    for key in sorted(field.given - KEYS[field.type] - {"name", "type", "aliases"}):
        homes = [kind for kind, keys in KEYS.items() if key in keys]
        yield key, f"{a(field.type)} field can't have it; it is for {one_of(homes, 'and')}"


def _label(field: FieldDefinition) -> Iterator[Problem]:
    if field.visible and not field.label.strip():
        yield "label", "is missing; every field that a visitor sees needs one"


def _source(field: FieldDefinition) -> Iterator[Problem]:
    named = [key for key in _SOURCES if key in field.given]
    if field.type == "hidden" and len(named) != 1:
        yield "value", "a hidden field needs exactly one of value, from_query and from"


def _options(field: FieldDefinition) -> Iterator[Problem]:
    if "options" not in KEYS[field.type]:
        return
    if not field.options:
        yield "options", f"is missing; {a(field.type)} field needs at least one option"
    for index, first in repeated(enumerate(option.value for option in field.options)):
        value = field.options[index].value
        yield f"options[{index}].value", f'"{value}" is already that of options[{first}]'


def _range(field: FieldDefinition) -> Iterator[Problem]:
    if field.type not in ("number", "date"):
        return
    wanted = date if field.type == "date" else (int, float)
    right = "a date such as 2026-12-31" if field.type == "date" else "a number"
    wrong = [key for key in ("min", "max") if not _fits(getattr(field, key), wanted)]
    yield from ((key, f"should be {right}") for key in wrong)
    if not wrong and _above(field.min, field.max):
        yield "min", f"{field.min} is above max, which is {field.max}"


def _fits(bound: object, wanted: type | tuple[type, ...]) -> bool:
    return bound is None or isinstance(bound, wanted)


def _above(low: float | date | None, high: float | date | None) -> bool:
    # Both are numbers or both are dates here.
    return low is not None and high is not None and low > high  # type: ignore[operator] # see above


def _lengths(field: FieldDefinition) -> Iterator[Problem]:
    if field.max_length and field.max_length > field.hard_limit:
        where = "Wix takes there" if field.to else f"{a(field.type)} field takes"
        yield "max_length", f"{field.max_length} is more than {where}; at most {field.hard_limit}"
    elif field.min_length and field.min_length > field.limit:
        yield "min_length", f"{field.min_length} is more than max_length, which is {field.limit}"


def _tokens(field: FieldDefinition) -> Iterator[Problem]:
    if field.autocomplete is not None and not is_autocomplete(field.autocomplete):
        hint = suggestion(field.autocomplete, TOKENS) or 'such as "given-name", "tel" or "off"'
        yield "autocomplete", f'"{field.autocomplete}" is not an HTML autofill token; {hint}'
    if field.region is not None and field.region not in REGIONS:
        yield "region", f'"{field.region}" is not a country; use two capitals such as "GB"'


def repeated(items: Iterable[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Yield each index whose text came before, and the index of the first one."""
    seen: dict[str, int] = {}
    for index, text in items:
        first = seen.setdefault(text, index)
        if first != index:
            yield index, first
