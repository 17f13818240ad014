"""From kept answers to a lead: a pure function of the answers and the definition.

Answers that were kept years ago can be mapped again by a corrected form file. So nothing here
trusts that an answer fits its field: what doesn't fit its target is left out of the lead (it
stays with the submission), and text is cut at Wix's limit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from formapp.forms.fields.validate import Identity
from formapp.forms.fields.values import (
    parse_country,
    parse_date,
    parse_email,
    parse_locale,
    parse_number,
    parse_url,
)
from formapp.forms.names import split_full_name
from formapp.forms.phones import PhoneNumber, parse_phone
from formapp.lead import Address, Email, ExtendedField, Lead, Phone, Text

Answers = Mapping[str, Any]
"""Kept answers by field name, and by `<name>.e164` for telephone numbers: JSON values."""

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

# A field, the property that its answer goes to, and the answer as text.
_Mapped = tuple[FieldDefinition, PropertyTarget, str]


def to_lead(
    definition: FormDefinition,
    name: str,
    answers: Answers,
    default_site: str,
    identities: Mapping[str, Identity] = MappingProxyType({}),
) -> Lead:
    """Return the lead that these kept answers make.

    Args:
        definition: The form's definition, not necessarily of the version that was filled in.
        name: The form's name.
        answers: What `read` gave, perhaps long ago.
        default_site: The site where the form names none.
        identities: Whom answers name, by field name, as far as it is known: what `judge` found in
            these very answers by this very definition. Of others it is found out.
    """
    parts: dict[str, Any] = {}
    mapped = list(_mapped(definition, answers))
    for field, target, text in mapped:
        known = identities.get(field.name)
        if target.property == "full_name":
            for key, half in zip(("first_name", "last_name"), split_full_name(text), strict=True):
                parts |= {key: Text(value=half, merge=target.merge)} if half.strip() else {}
        elif target.property == "email":
            parts |= _email(target, text, known)
        elif target.property == "phone":
            number = known if isinstance(known, PhoneNumber) else _number(field, text, answers)
            parts["phones"] = (*parts.get("phones", ()), *_phone(target, text, number))
        elif target.property not in ADDRESS_PARTS:
            parts[target.property] = Text(value=text, merge=target.merge)
    return Lead(
        form=name,
        site=definition.site or default_site,
        addresses=_addresses(mapped),
        labels=tuple(dict.fromkeys(_labels(definition, answers))),
        extended_fields=tuple(_extended_fields(definition, answers)),
        **parts,
    )


def _mapped(definition: FormDefinition, answers: Answers) -> Iterator[_Mapped]:
    """Yield the answers that go to a property and fit it, as text."""
    for field in definition.fields:
        if not isinstance(field.to, PropertyTarget):
            continue
        # A property is one line: those of a textarea are joined as in an address.
        lines = [line.strip() for line in _as_text(field, answers).split("\n")]
        text: str | None = ", ".join(line for line in lines if line)
        if text and field.to.property in _CHECKED:
            text = _CHECKED[field.to.property](text)
        elif text and field.to.property not in ("email", "phone"):
            text = text[: limit_of(field.to)]
        if text:
            yield field, field.to, text


def _as_text(field: FieldDefinition, answers: Answers) -> str:
    answer = answers.get(field.name)
    if answer is None or answer is False:
        return ""
    if answer is True:
        return field.tick_value
    return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)


def _email(target: PropertyTarget, text: str, known: Identity | None) -> dict[str, Email]:
    address = known if isinstance(known, str) else parse_email(text)
    if address is None:
        return {}
    return {"email": Email.model_validate({"address": address, "typed": text} | _tag(target))}


def _tag(target: PropertyTarget) -> dict[str, str]:
    return {"tag": target.tag} if target.tag else {}


def _number(field: FieldDefinition, text: str, answers: Answers) -> PhoneNumber | None:
    number = parse_phone(text, field.region)
    kept = answers.get(f"{field.name}{E164}")
    return parse_phone(kept, None) if number is None and isinstance(kept, str) else number


def _phone(target: PropertyTarget, text: str, number: PhoneNumber | None) -> Iterator[Phone]:
    if number:
        known = {"e164": number.e164, "country": number.country, "typed": text[: limit_of(target)]}
        yield Phone.model_validate(known | {"merge": target.merge} | _tag(target))


def _addresses(mapped: Iterable[_Mapped]) -> tuple[Address, ...]:
    """Return one address for each tag, in the order of the form file."""
    found: dict[str, dict[str, Any]] = {}
    for _, target, text in mapped:
        if target.property in ADDRESS_PARTS:
            tag = target.tag or "UNTAGGED"
            parts = found.setdefault(tag, {"tag": tag, "merge": target.merge})
            parts[ADDRESS_PARTS[target.property]] = text
    return tuple(Address(**parts) for parts in found.values())


def _labels(definition: FormDefinition, answers: Answers) -> Iterator[str]:
    yield from definition.labels
    for field in definition.fields:
        answer = answers.get(field.name)
        chosen = answer if isinstance(answer, list) else [answer]
        yield from (o.adds_label for o in field.options if o.adds_label and o.value in chosen)
        if isinstance(field.to, LabelTarget) and answer is True:
            yield field.to.label


def _extended_fields(definition: FormDefinition, answers: Answers) -> Iterator[ExtendedField]:
    """Yield one value for each extended field; of several fields the first answered one counts."""
    done: set[str] = set()
    for field in definition.fields:
        target = field.to
        if not isinstance(target, ExtendedFieldTarget) or target.extended_field in done:
            continue
        text = _as_text(field, answers)[: limit_of(target)]
        value = _TYPED.get(target.data_type, str)(text)
        if text and value is not None:
            done.add(target.extended_field)
            yield ExtendedField(
                name=target.extended_field,
                data_type=target.data_type,
                value=value,
                merge=target.merge,
            )
