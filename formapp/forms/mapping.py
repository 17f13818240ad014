"""From kept answers to a lead: a pure function of the answers and the definition.

Answers that were kept years ago can be mapped again by a corrected form file. So nothing here
trusts that an answer fits its field: what doesn't fit its target is left out of the lead (it
stays with the submission), and text is cut at Wix's limit.
"""

from collections.abc import Callable, Mapping
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
from formapp.forms.fields.values import (
    parse_country,
    parse_date,
    parse_email,
    parse_locale,
    parse_number,
    parse_url,
)
from formapp.forms.phones import PhoneNumber, parse_phone
from formapp.lead import Address, Email, ExtendedField, Lead, Phone, Text

Answers = Mapping[str, Any]
"""Kept answers by field name, and by `<name>.e164` for telephone numbers: JSON values."""

Identities = Mapping[str, str | PhoneNumber]

E164 = ".e164"
_CHECKED: dict[str, Callable[[str], str | None]] = {
    "birthdate": parse_date,
    "country": parse_country,
    "locale": parse_locale,
}
_TYPED: dict[str, Callable[[str], str | int | float | None]] = {
    "NUMBER": parse_number,
    "DATE": parse_date,
    "URL": parse_url,
}

# Parts of a lead by the names of its attributes; addresses are still dicts by their tags.
_Parts = dict[str, Any]
_Step = Callable[[_Parts, str, Answers, Identities], None]


class LeadMapping:
    """The way from a form's answers to leads, compiled.

    Args:
        definition: The form's definition, not necessarily of the version that was filled in.
        name: The form's name.
    """

    def __init__(self, definition: FormDefinition, name: str) -> None:
        self._name = name
        self._site = definition.site
        self._steps = [(f, _step(f, f.to)) for f in definition.fields if f.to is not None]
        self._labels = tuple(dict.fromkeys(definition.labels))
        self._labelling = [
            field
            for field in definition.fields
            if isinstance(field.to, LabelTarget) or any(o.adds_label for o in field.options)
        ]

    def lead_of(
        self,
        answers: Answers,
        default_site: str,
        identities: Identities = MappingProxyType({}),
    ) -> Lead:
        """Return the lead that these kept answers make.

        Args:
            answers: What `Form.read` returned, perhaps long ago.
            default_site: The site where the form names none.
            identities: The persons that answers name, by field name, where they are known: what the
                fields found in these very answers by this very definition.
        """
        parts: _Parts = {"phones": (), "addresses": {}, "extended_fields": {}}
        for field, step in self._steps:
            answer = answers.get(field.name)
            if type(answer) is not str:
                answer = _as_text(field, answer)
            if answer:
                step(parts, answer, answers, identities)
        if parts["addresses"]:
            addresses = [Address(**each) for each in parts["addresses"].values()]
            parts["addresses"] = tuple(addresses)
        else:
            parts["addresses"] = ()
        parts["extended_fields"] = tuple(parts["extended_fields"].values())
        labels = self._labels
        if self._labelling:
            labels = tuple(dict.fromkeys([*labels, *self._chosen_labels(answers)]))
        return Lead(form=self._name, site=self._site or default_site, labels=labels, **parts)

    def _chosen_labels(self, answers: Answers) -> list[str]:
        labels: list[str] = []
        for field in self._labelling:
            answer = answers.get(field.name)
            chosen = answer if isinstance(answer, list) else [answer]
            labels += [o.adds_label for o in field.options if o.adds_label and o.value in chosen]
            if isinstance(field.to, LabelTarget) and answer is True:
                labels.append(field.to.label)
        return labels


def to_lead(definition: FormDefinition, name: str, answers: Answers, default_site: str) -> Lead:
    """Return the lead that kept answers make by a definition that is used once."""
    return LeadMapping(definition, name).lead_of(answers, default_site)


def _as_text(field: FieldDefinition, answer: Any) -> str:
    if answer is None or answer is False:
        return ""
    if answer is True:
        return field.tick_value
    return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)


def _step(field: FieldDefinition, target: object) -> _Step:
    """Return the function that puts a field's answer, as text, into a lead's parts."""
    if isinstance(target, ExtendedFieldTarget):
        return _extended_field(target)
    if not isinstance(target, PropertyTarget):
        return lambda _parts, _text, _answers, _identities: None
    if target.property == "email":
        return _email(field, target)
    if target.property == "phone":
        return _phone(field, target)
    return _text(target)


def _one_line(text: str) -> str:
    """Join the lines of a textarea, as in an address: a property is one line."""
    return ", ".join(line for each in text.split("\n") if (line := each.strip()))


def _text(target: PropertyTarget) -> _Step:
    kind, merge, limit = target.property, target.merge, limit_of(target)
    check = _CHECKED.get(kind)
    tag, part = target.tag or "UNTAGGED", ADDRESS_PARTS.get(kind)

    def put(parts: _Parts, text: str, _answers: Answers, _identities: Identities) -> None:
        line = _one_line(text) if "\n" in text else text.strip()
        value = check(line) if check else line[:limit]
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
        address = known if isinstance(known, str) else parse_email(line)
        if address:
            parts["email"] = Email(address=address, typed=line, tag=tag)  # type: ignore[arg-type] # checked with the form file

    return put


def _phone(field: FieldDefinition, target: PropertyTarget) -> _Step:
    name, region, limit = field.name, field.region, limit_of(target)
    tag, merge = target.tag or "UNTAGGED", target.merge

    def put(parts: _Parts, text: str, answers: Answers, identities: Identities) -> None:
        line = _one_line(text) if "\n" in text else text.strip()
        number = identities.get(name) or parse_phone(line, region)
        kept = answers.get(f"{name}{E164}")
        if number is None and isinstance(kept, str):
            number = parse_phone(kept, None)
        if isinstance(number, PhoneNumber):
            phone = Phone(
                e164=number.e164,
                typed=line[:limit],
                country=number.country,
                tag=tag,  # type: ignore[arg-type] # checked with the form file
                merge=merge,
            )
            parts["phones"] = (*parts["phones"], phone)

    return put


def _extended_field(target: ExtendedFieldTarget) -> _Step:
    name, data_type, merge, limit = (
        target.extended_field,
        target.data_type,
        target.merge,
        limit_of(target),
    )
    typed = _TYPED.get(data_type, str)

    def put(parts: _Parts, text: str, _answers: Answers, _identities: Identities) -> None:
        """Of several fields for one extended field the first answered one counts."""
        if name not in parts["extended_fields"] and (value := typed(text[:limit])) is not None:
            parts["extended_fields"][name] = ExtendedField(
                name=name, data_type=data_type, value=value, merge=merge
            )

    return put


# Written in lower case before the last name they belong to it: Ludwig van Beethoven.
_PARTICLES = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "al ap ben bin da das de del della den der di do dos du el ibn la las le lo los st te ten "
        "ter to van vom von zu zum zur"
    ).split(" ")
)


def split_full_name(text: str) -> tuple[str, str]:
    """Return first and last name, such that both joined by a blank give back the text.

    The last word is the last name, with the lower-case particles before it; a single word is the
    first name, and the last name is then empty. Only the blank (U+0020) parts words, and runs of
    blanks are kept, so that nothing that was typed is lost.
    """
    words = text.split(" ")
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    first, last = " ".join(words[:start]), " ".join(words[start:])
    return (first, last) if start > 0 else (text, "")
