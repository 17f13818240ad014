"""From kept answers to a lead: a pure function of the answers and the definition.

Answers that were kept years ago can be mapped again by a corrected form file. So nothing here
trusts that an answer fits its field: what doesn't fit its target is left out of the lead (it
stays with the submission), and text is cut at Wix's limit.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from formapp.forms.definition.model import (
    ADDRESS_PARTS,
    ExtendedFieldTarget,
    FieldDefinition,
    FormDefinition,
    LabelTarget,
    PropertyTarget,
    limit_of,
)
from formapp.forms.reading.contact import (
    PhoneNumber,
    read_email,
    read_phone,
    read_url,
    split_full_name,
)
from formapp.forms.reading.dates import read_birthdate, read_date
from formapp.forms.reading.numbers import read_number
from formapp.forms.reading.places import read_country, read_subdivision
from formapp.forms.reading.text import read_locale
from formapp.lead import FILES_OF, Address, Email, ExtendedField, Lead, Phone, Text

Answers = Mapping[str, Any]
"""Kept answers by field name, and by `<name>.e164` (with the extension) for telephone numbers: JSON
values."""

Identities = Mapping[str, str | PhoneNumber]

E164 = ".e164"
# By property, and by data type of an extended field: what reads a text in a language.
_PROPERTY: dict[str, Callable[[str, str], str | None]] = {
    "birthdate": lambda text, language: read_birthdate(text, language, datetime.now(UTC).date()),
    "country": read_country,
    "locale": lambda text, _: read_locale(text),
}
_DATA: dict[str, Callable[[str, str], str | int | float | None]] = {
    # Numbers are kept as such, and form files have a decimal point.
    "NUMBER": lambda text, _: read_number(text, "en"),
    "DATE": read_date,
    "URL": lambda text, _: read_url(text) or None,
    "TEXT": lambda text, _: text,
}

# Parts of a lead by the names of its attributes; addresses are still dicts by their tags.
_Parts = dict[str, Any]
_Step = Callable[[_Parts, str, Answers, Identities], None]


class LeadMapping:
    """The way from a form's answers to leads, compiled.

    The definition needn't be of the version that was filled in.
    """

    def __init__(self, definition: FormDefinition, name: str) -> None:
        self._name = name
        self._site = definition.site
        self._language = language = definition.language
        self._steps = [
            (field, _step(field, field.to, language))
            for field in definition.fields
            if isinstance(field.to, PropertyTarget | ExtendedFieldTarget)
        ]
        self._labels = tuple(dict.fromkeys(definition.labels))
        self._labelling = [
            field
            for field in definition.fields
            if isinstance(field.to, LabelTarget) or any(o.adds_label for o in field.options)
        ]

    def lead_of(
        self, answers: Answers, default_site: str, identities: Identities = MappingProxyType({})
    ) -> Lead:
        """Return the lead that these answers make, perhaps kept long ago.

        `default_site` is the lead's where the form names none; `identities` are what the fields
        found in these very answers by this very definition.
        """
        parts: _Parts = {"phones": (), "addresses": {}, "extended_fields": {}}
        for field, step in self._steps:
            answer = answers.get(field.name)
            if type(answer) is not str:
                answer = _as_text(field, answer)
            if answer:
                step(parts, answer, answers, identities)
        parts["addresses"] = tuple(map(self._address, parts["addresses"].values()))
        parts["extended_fields"] = tuple(parts["extended_fields"].values())
        labels = self._labels
        if self._labelling:
            labels = tuple(dict.fromkeys([*labels, *self._chosen_labels(answers)]))
        return Lead(form=self._name, site=self._site or default_site, labels=labels, **parts)

    def _address(self, parts: dict[str, Any]) -> Address:
        """Return the address, with the code of its subdivision where that is known."""
        typed, country = parts.get("subdivision"), parts.get("country")
        code = read_subdivision(typed, country, self._language) if typed and country else None
        return Address(**(parts | {"subdivision": code} if code else parts))

    def _chosen_labels(self, answers: Answers) -> list[str]:
        labels: list[str] = []
        for field in self._labelling:
            answer = answers.get(field.name)
            chosen = answer if isinstance(answer, list) else [answer]
            labels += [o.adds_label for o in field.options if o.adds_label and o.value in chosen]
            if isinstance(field.to, LabelTarget) and answer is True:
                labels.append(field.to.label)
        return labels


def _as_text(field: FieldDefinition, answer: Any) -> str:
    if answer is None or answer is False:
        return ""
    if answer is True:
        return field.tick_value
    return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)


def _step(
    field: FieldDefinition, target: PropertyTarget | ExtendedFieldTarget, language: str
) -> _Step:
    """Return the function that puts a field's answer, as text, into a lead's parts."""
    if isinstance(target, ExtendedFieldTarget):
        is_file = field.type == "file"
        return _files(field.name, target) if is_file else _extended_field(target, language)
    if target.property == "email":
        return _email(field, target)
    if target.property == "phone":
        return _phone(field, target)
    return _text(target, language)


def _one_line(text: str) -> str:
    """Join the lines of a textarea, as in an address: a property is one line."""
    return ", ".join(line for each in text.split("\n") if (line := each.strip()))


def _text(target: PropertyTarget, language: str) -> _Step:
    kind, merge, limit = target.property, target.merge, limit_of(target)
    read = _PROPERTY.get(kind)
    tag, part = target.tag or "UNTAGGED", ADDRESS_PARTS.get(kind)

    def put(parts: _Parts, text: str, _answers: Answers, _identities: Identities) -> None:
        line = _one_line(text) if "\n" in text else text.strip()
        value = read(line, language) if read else line[:limit]
        if not value:
            return
        if part:
            address = parts["addresses"].setdefault(tag, {"tag": tag, "merge": merge})
            address[part] = value
        elif kind == "full_name":
            first, last = split_full_name(value)
            if first.strip():
                parts["first_name"] = Text(value=first, merge=merge)
            if last.strip():
                parts["last_name"] = Text(value=last, merge=merge)
        else:
            parts[kind] = Text(value=value, merge=merge)

    return put


def _email(field: FieldDefinition, target: PropertyTarget) -> _Step:
    name, tag = field.name, target.tag or "UNTAGGED"

    def put(parts: _Parts, text: str, _answers: Answers, identities: Identities) -> None:
        line = _one_line(text) if "\n" in text else text.strip()
        known = identities.get(name)
        address = known if isinstance(known, str) else read_email(line)
        if address:
            parts["email"] = Email(address=address, typed=line, tag=tag)  # type: ignore[arg-type] # checked with the form file

    return put


def _phone(field: FieldDefinition, target: PropertyTarget) -> _Step:
    name, region, limit = field.name, field.region, limit_of(target)
    tag, merge = target.tag or "UNTAGGED", target.merge

    def put(parts: _Parts, text: str, answers: Answers, identities: Identities) -> None:
        line = _one_line(text) if "\n" in text else text.strip()
        number = identities.get(name) or read_phone(line, region)
        kept = answers.get(f"{name}{E164}")
        if number is None and isinstance(kept, str):
            number = read_phone(kept, None)
        if isinstance(number, PhoneNumber):
            phone = Phone(
                e164=number.e164,
                typed=line[:limit],
                country=number.country,
                extension=number.extension,
                tag=tag,  # type: ignore[arg-type] # checked with the form file
                merge=merge,
            )
            parts["phones"] = (*parts["phones"], phone)

    return put


def _files(field: str, target: ExtendedFieldTarget) -> _Step:
    """Put what becomes a link to the files when the lead is delivered."""
    name, merge = target.extended_field, target.merge

    def put(parts: _Parts, _text: str, _answers: Answers, _identities: Identities) -> None:
        value = f"{FILES_OF}{field}"
        found = ExtendedField(name=name, data_type="URL", value=value, merge=merge)
        parts["extended_fields"].setdefault(name, found)

    return put


def _extended_field(target: ExtendedFieldTarget, language: str) -> _Step:
    name, data_type, merge = target.extended_field, target.data_type, target.merge
    limit, read = limit_of(target), _DATA[data_type]

    def put(parts: _Parts, text: str, _answers: Answers, _identities: Identities) -> None:
        """Of several fields for one extended field the first answered one counts."""
        found = parts["extended_fields"]
        if name not in found and (value := read(text[:limit], language)) is not None:
            found[name] = ExtendedField(name=name, data_type=data_type, value=value, merge=merge)

    return put
