"""What the keys of a form file must be to each other: field by field, then across the form.

Checks yield problems: the key and the text, and the index of a field where one is concerned.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from formapp.forms.definition.explain import a, one_of, suggestion
from formapp.forms.definition.lines import Location
from formapp.forms.definition.links import wrong_addresses
from formapp.forms.definition.model import (
    ADDRESS_PARTS,
    RESERVED,
    TAGS,
    ExtendedFieldTarget,
    FieldDefinition,
    FormDefinition,
    LabelTarget,
    PropertyTarget,
    in_brackets,
    iso_date,
    limit_of,
)
from formapp.forms.definition.theme import unreadable
from formapp.forms.fields.autofill import TOKENS, is_autocomplete
from formapp.forms.origins import matches, origin_of
from formapp.forms.reading.contact import REGIONS, read_url
from formapp.forms.reading.numbers import read_number
from formapp.forms.reading.places import COUNTRIES
from formapp.forms.reading.text import read_locale
from formapp.lead import Merge
from formapp.spam.providers import CHALLENGE_NAMES

Problem = tuple[str, str]
"""The key, and what is wrong with it."""

PlacedProblem = tuple[int | None, str, str]
"""The index of the field, None for the form itself; the key within it; what is wrong."""

_SHOWN = {"label", "help", "required", "to", "section", "show_if"}
_TYPED = _SHOWN | {"placeholder", "autocomplete", "prefill", "width"}
_LINE = _TYPED | {"min_length", "max_length"}
_RANGE = _SHOWN | {"autocomplete", "min", "max", "prefill", "width"}
_CHOICE = _SHOWN | {"options", "prefill", "width"}
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
    "checkbox": _SHOWN | {"value"},
    "consent": _SHOWN,
    "hidden": {"label", "to", "value", "from_query", "from"},
    "file": _SHOWN | {"width", "accept", "max_size", "max_files", "strip_metadata"},
}
"""The keys that each type takes beside `name`, `type` and `aliases`."""

_CHOSEN = ("select", "radio", "hidden")
_TEXTUAL = ("text", "textarea", *_CHOSEN)
_PROPERTY_TYPES = {
    "email": ("email",),
    "phone": ("tel",),
    "birthdate": ("date", *_CHOSEN),
    "country": ("text", *_CHOSEN),
    "locale": ("text", *_CHOSEN),
}
_DATA_TYPES = {
    "number": ("NUMBER", "TEXT"),
    "date": ("DATE", "TEXT"),
    "url": ("URL", "TEXT"),
    "file": ("URL",),
    **dict.fromkeys(_CHOSEN, ("TEXT", "NUMBER", "DATE", "URL")),
}
_FIELD_TYPE_OF_DATA = {"NUMBER": "number", "DATE": "date", "URL": "url"}
_VALUES: dict[str, tuple[Callable[[str], object], str]] = {
    "NUMBER": (lambda text: read_number(text, "en"), "a number"),
    "DATE": (iso_date, "a date such as 2026-12-31"),
    "URL": (lambda text: read_url(text) or None, "a web address"),
    "birthdate": (iso_date, "a date such as 1990-12-31"),
    "country": (
        lambda text: text.upper() in COUNTRIES or None,
        "two letters of ISO 3166-1 such as GB",
    ),
    "locale": (read_locale, "a language tag such as pt-BR"),
}
"""Data type or property -> what parses its values in a form file, and what they should be."""


def repeated(items: Iterable[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """Yield each index whose text came before, and the index of the first one."""
    seen: dict[str, int] = {}
    for index, text in items:
        first = seen.setdefault(text, index)
        if first != index:
            yield index, first


def wrong_links(texts: Mapping[str, str | None]) -> Iterator[Problem]:
    """Yield the links of texts by their keys that lead nowhere a page may lead to."""
    for key, text in texts.items():
        for address in wrong_addresses(text or ""):
            yield key, f'"{address}" is no address of a link; use https://… or mailto:…'


# One field.


def check_field(field: FieldDefinition) -> Iterator[Problem]:
    for key in sorted(field.given - KEYS[field.type] - {"name", "type", "aliases"}):
        homes = [kind for kind, keys in KEYS.items() if key in keys]
        yield key, f"{a(field.type)} field can't have it; it is for {one_of(homes, 'and')}"
    if field.visible and not field.label.strip():
        yield "label", "is missing; every field that a visitor sees needs one"
    yield from wrong_links({"label": field.label_text, "help": field.help})
    sources = field.given & {"value", "from_query", "from"}
    if field.type == "hidden" and len(sources) != 1:
        yield "value", "a hidden field needs exactly one of value, from_query and from"
    if "options" in KEYS[field.type]:
        yield from _options(field)
    if field.type in {"number", "date"}:
        yield from _range(field)
    yield from _lengths(field)
    if field.autocomplete is not None and not is_autocomplete(field.autocomplete):
        hint = suggestion(field.autocomplete, TOKENS) or 'such as "given-name", "tel" or "off"'
        yield "autocomplete", f'"{field.autocomplete}" is not an HTML autofill token; {hint}'
    if field.region is not None and field.region not in REGIONS:
        yield "region", f'"{field.region}" is not a country; use two capitals such as "GB"'
    yield from _target(field)


def _options(field: FieldDefinition) -> Iterator[Problem]:
    if not field.options:
        yield "options", f"is missing; {a(field.type)} field needs at least one option"
    for index, first in repeated(enumerate(option.value for option in field.options)):
        value = field.options[index].value
        yield f"options[{index}].value", f'"{value}" is already that of options[{first}]'


def _range(field: FieldDefinition) -> Iterator[Problem]:
    is_date = field.type == "date"
    right = "a date such as 2026-12-31" if is_date else "a number"
    bounds = {key: getattr(field, key) for key in ("min", "max") if getattr(field, key) is not None}
    wrong = [key for key, bound in bounds.items() if isinstance(bound, date) != is_date]
    yield from ((key, f"should be {right}") for key in wrong)
    if not wrong and len(bounds) > 1 and bounds["min"] > bounds["max"]:
        yield "min", f"{field.min} is above max, which is {field.max}"


def _lengths(field: FieldDefinition) -> Iterator[Problem]:
    if field.max_length and field.max_length > field.hard_limit:
        where = "Wix takes there" if field.to else f"{a(field.type)} field takes"
        yield "max_length", f"{field.max_length} is more than {where}; at most {field.hard_limit}"
    elif field.min_length and field.min_length > field.limit:
        yield "min_length", f"{field.min_length} is more than max_length, which is {field.limit}"


def _target(field: FieldDefinition) -> Iterator[Problem]:
    match field.to:
        case PropertyTarget():
            yield from _property(field, field.to)
        case ExtendedFieldTarget():
            yield from _extended_field(field, field.to)
        case LabelTarget() if field.type not in {"checkbox", "consent"}:
            yield "to.label", f'{a(field.type)} field can\'t add it; use type = "checkbox"'


def _property(field: FieldDefinition, target: PropertyTarget) -> Iterator[Problem]:
    name = target.property
    types = _PROPERTY_TYPES.get(name, _TEXTUAL)
    if name == "birthdate" and field.type == "hidden" and field.value is None:
        text = '"birthdate" can\'t take what a page sends unseen; use type = "date", or a value'
        yield "to", text
    elif field.type not in types:
        use = one_of([f'"{kind}"' for kind in types])
        yield "to", f'"{name}" can\'t take the answers of {a(field.type)} field; use type = {use}'
    else:
        yield from _values(field, name)
    tags = TAGS.get(name, ())
    if target.tag is not None and target.tag not in tags:
        yield (
            "to.tag",
            f'"{target.tag}" is not a tag of {name}; use {one_of(tags)}'
            if tags
            else f"{name} takes none; only e-mail, phone and address parts do",
        )
    if name == "email" and target.merge is not Merge.FILL:
        yield "to.merge", 'email takes only "fill": it says who the contact is'
    elif name != "phone" and name not in ADDRESS_PARTS:
        yield from _no_append(target, name)


def _extended_field(field: FieldDefinition, target: ExtendedFieldTarget) -> Iterator[Problem]:
    kind, types = target.data_type, _DATA_TYPES.get(field.type, ("TEXT",))
    if field.type == "hidden" and field.value is None:
        types = ("TEXT", "URL") if field.from_ else ("TEXT",)
    if field.type == "consent":
        text = 'a consent goes to no extended field; use to = { label = "..." } or leave it out'
        yield "to", text
    elif kind not in types:
        right = _FIELD_TYPE_OF_DATA.get(kind)
        other = f', or type = "{right}"' if right else ""
        problem = f'"{kind}" can\'t take the answers of {a(field.type)} field'
        yield "to.data_type", f"{problem}; use {one_of(types)}{other}"
    else:
        yield from _values(field, kind)
    yield from _no_append(target, "an extended field")


def _no_append(target: PropertyTarget | ExtendedFieldTarget, name: str) -> Iterator[Problem]:
    if target.merge is Merge.APPEND:
        text = f'{name} can\'t hold several; use "fill" or "overwrite"'
        yield "to.merge", f'"append" is for phone and address parts; {text}'


def _values(field: FieldDefinition, kind: str) -> Iterator[Problem]:
    """Yield the values of the form file that the target can't take."""
    given = [(f"options[{n}].value", option.value) for n, option in enumerate(field.options)]
    if field.value is not None:
        given.append(("value", field.value))
    parser, example = _VALUES.get(kind, (str, ""))
    limit = limit_of(field.to)
    for key, value in given:
        if parser(value) is None:
            yield key, f'"{value}" can\'t go to {kind}; it should be {example}'
        elif limit and len(value) > limit:
            yield key, f"has {len(value)} characters; Wix takes at most {limit} there"
    together = len(", ".join(option.value for option in field.options))
    if field.type == "checkboxes" and limit and together > limit:
        yield "options", f"all values together have {together} characters; Wix takes {limit} there"


# All fields of one form, and the form itself.


@dataclass(frozen=True)
class Draft:
    """As much of a form file as could be read.

    `form` has stand-ins at the paths in `unread`; `texts` are the tables of further languages,
    spelled as in the file.
    """

    form: FormDefinition
    unread: frozenset[Location]
    texts: Mapping[str, Any]

    @property
    def fields(self) -> Iterator[tuple[int, FieldDefinition]]:
        return enumerate(self.form.fields)

    @property
    def properties(self) -> list[tuple[int, PropertyTarget]]:
        """Index and target of each field that fills a property of the contact."""
        return [(n, field.to) for n, field in self.fields if isinstance(field.to, PropertyTarget)]

    def is_read(self, *path: int | str) -> bool:
        """Return whether all at a path could be read."""
        return not any(
            lost[: len(path)] == path or path[: len(lost)] == lost for lost in self.unread
        )

    def called(self, index: int) -> str:
        """Return `fields[2] (budget)`."""
        is_named = self.is_read("fields", index, "name")
        return f"fields[{index}]" + (f" ({self.form.fields[index].name})" if is_named else "")


def check_form(draft: Draft) -> Iterator[PlacedProblem]:
    """Yield every problem, field by field, then those between fields and of the form."""
    for index, field in draft.fields:
        if draft.is_read("fields", index, "type"):
            yield from ((index, key, text) for key, text in check_field(field))
    yield from _names(draft)
    yield from _aliases(draft)
    yield from _properties(draft)
    yield from _alike(draft)
    form = draft.form
    for key, text in (
        *wrong_links({"intro": form.intro, "thanks.text": form.thanks.text}),
        *_foreign_names(draft),
        *_identity(draft),
        *_redirect(draft),
        *_confirm(draft),
        *_notifications(draft),
    ):
        yield None, key, text
    for key, text in unreadable(draft.form.theme) if draft.form.theme else ():
        yield None, f"theme.{key}", text


def _names(draft: Draft) -> Iterator[PlacedProblem]:
    for index, first in repeated((index, field.name) for index, field in draft.fields):
        name = draft.form.fields[index].name
        yield index, "name", f'"{name}" is already the name of fields[{first}]'
    for index, field in draft.fields:
        if CHALLENGE_NAMES.intersection(field.names):
            yield index, "name", "is what a challenge sends; choose another"


def _aliases(draft: Draft) -> Iterator[PlacedProblem]:
    """A posted name must belong to one field only."""
    holders: dict[str, int] = {}
    for index, field in draft.fields:
        holders.setdefault(field.name, index)
    for index, field in draft.fields:
        others = [other for place, other in draft.fields if place != index]
        for number, alias in enumerate(field.aliases):
            if alias in holders:
                text = f'"{alias}" is already a name of {draft.called(holders[alias])}'
                yield index, f"aliases[{number}]", text
            elif other := in_brackets(others, alias):
                text = f'"{alias}" means a value of "{other.name}" already'
                yield index, f"aliases[{number}]", text
            holders.setdefault(alias, index)


def _foreign_names(draft: Draft) -> Iterator[Problem]:
    """A honeypot, or where to go on to, is neither a field nor the other of the two."""
    holders = {
        name: f"is a name of {draft.called(index)}"
        for index, field in draft.fields
        for name in field.names
    }
    form = draft.form
    lists = {"spam.honeypots": form.spam.honeypots, "next_fields": form.next_fields}
    holders |= dict.fromkeys((*RESERVED, *CHALLENGE_NAMES), "is one of formapp's own names")
    for key, names in lists.items():
        for number, name in enumerate(names):
            if field := in_brackets(form.fields, name):
                holders.setdefault(name, f'means a value of "{field.name}"')
            if name in holders:
                yield f"{key}[{number}]", f'"{name}" {holders[name]} already'
            holders.setdefault(name, f"is in {key}")


def _properties(draft: Draft) -> Iterator[PlacedProblem]:
    slots = {index: _slot(target) for index, target in draft.properties}
    for index, first in repeated(slots.items()):
        hint = "; give it another tag" if " " in slots[index] else ""
        text = f'"{slots[index]}" is already filled by {draft.called(first)}{hint}'
        yield index, "to", text
    holders = {slot: index for index, slot in slots.items()}
    rivals = [holders[name] for name in ("first_name", "last_name") if name in holders]
    if "full_name" in holders and rivals:
        text = f'"full_name" fills first and last name, and so does {draft.called(rivals[0])}'
        yield holders["full_name"], "to", f"{text}; use one or the other"


def _slot(target: PropertyTarget) -> str:
    """Return the place in the contact that this target fills."""
    several = target.property == "phone" or target.property in ADDRESS_PARTS
    return f"{target.property} {target.tag or 'UNTAGGED'}" if several else target.property


def _alike(draft: Draft) -> Iterator[PlacedProblem]:
    """Fields of one address share a merge rule, and those of one extended field a data type."""
    firsts: dict[str, tuple[int, str]] = {}
    for index, field in draft.fields:
        match field.to:
            case PropertyTarget(property=part, merge=value, tag=tag) if part in ADDRESS_PARTS:
                key, shared = "to.merge", f"the address {tag or 'UNTAGGED'}"
            case ExtendedFieldTarget(extended_field=name, data_type=value):
                key, shared = "to.data_type", f'"{name}"'
            case _:
                continue
        start, first = firsts.setdefault(shared, (index, value))
        if first != value:
            text = f'"{value}", but {draft.called(start)} says "{first}" for {shared}'
            yield index, key, f"{text}; they must be alike"


def _identity(draft: Draft) -> Iterator[Problem]:
    targets_read = all(draft.is_read("fields", index, "to") for index, _ in draft.fields)
    known = any(target.property in {"email", "phone"} for _, target in draft.properties)
    if draft.form.fields and targets_read and not known:
        hint = 'give an email field to = "email" or a tel field to = "phone"'
        yield "fields", f"none goes to the contact's e-mail or phone; {hint}"


def _redirect(draft: Draft) -> Iterator[Problem]:
    address = draft.form.thanks.redirect
    if address is None:
        return
    origin = origin_of(address)
    # `*` lets every site embed the form, but a redirect needs an origin that is listed by name.
    named = [listed for listed in draft.form.origins if listed != "*"]
    if origin is None:
        example = "write it as https://www.example.com/thanks"
        yield "thanks.redirect", f'"{address}" is not an absolute web address; {example}'
    elif ("origins",) not in draft.unread and not any(matches(each, origin) for each in named):
        yield "thanks.redirect", f'{origin} is not listed; add "{origin}" to origins'


def _confirm(draft: Draft) -> Iterator[Problem]:
    confirm, keep_days = draft.form.confirm, draft.form.keep_days
    if confirm is None:
        return
    if draft.form.fields and not any(_may_ask_for_email(draft, *each) for each in draft.fields):
        hint = 'give an email field required = true and to = "email"'
        yield "confirm", f"needs an address that every visitor gives; {hint}"
    if keep_days is not None and keep_days < confirm.days:
        text = f"{confirm.days} is more than keep_days, which is {keep_days}"
        yield "confirm.days", f"{text}; the answers would be gone before the link"


def _may_ask_for_email(draft: Draft, index: int, field: FieldDefinition) -> bool:
    """Return whether each visitor gives an address there, or does once all could be read."""
    is_target = isinstance(field.to, PropertyTarget) and field.to.property == "email"
    always = field.required and not field.show_if
    right = {"to": is_target, "type": field.type == "email", "required": always}
    return all(ok or not draft.is_read("fields", index, key) for key, ok in right.items())


def _notifications(draft: Draft) -> Iterator[Problem]:
    notify = draft.form.notify
    if notify and draft.is_read("notify"):
        if not notify.notifies:
            yield "notify", "has no receiver; give it email, webhook or chat"
        elif "every" in notify.model_fields_set and not notify.email:
            yield "notify.every", "is for mails, and there is no email; leave it out"
    targets_read = all(draft.is_read("fields", index, "to") for index, _ in draft.fields)
    known = any(target.property == "email" for _, target in draft.properties)
    if draft.form.reply and draft.form.fields and targets_read and not known:
        yield "reply", 'needs an address to reply to; give an email field to = "email"'
