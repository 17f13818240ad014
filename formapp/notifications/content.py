"""A lead as its owner reads it: answers by label in the form's order, and what is missing.

Texts of strangers are shown in mails and chats: here they lose control characters and what turns
the direction of other text. HTML is escaped where it is written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from babel.support import NullTranslations

from formapp.forms.definition.model import FieldDefinition, FormDefinition
from formapp.forms.mapping import E164
from formapp.forms.notes import format_note
from formapp.languages import load_texts
from formapp.notifications.store import AcceptedLead

LONGEST_SUBJECT = 150

_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")
# Categories Cc and Cs, embeddings, overrides and isolates. Marks of direction stay: Hebrew and
# Arabic need them, and they turn no other text.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")


def safe_lines(text: str, longest: int | None = None) -> str:
    """Return lines parted by LF without control characters, cut to so many characters."""
    text = _UNSAFE.sub("", _LINE_ENDS.sub("\n", text)).strip()
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"


def safe_line(text: str, longest: int | None = None) -> str:
    return safe_lines(" ".join(_LINE_ENDS.sub(" ", text).split()), longest)


@dataclass(frozen=True, slots=True, repr=False)
class LeadText:
    """The texts of a lead. Its repr shows none.

    Attributes:
        answers: label and answer, in the order of the form.
        missing: labels of fields that the visitor left empty.
        unknown: name and text of fields that the form doesn't have.
    """

    answers: list[tuple[str, str]]
    missing: list[str]
    consents: list[str]
    notes: list[str]
    unknown: list[tuple[str, str]]


def describe(
    lead: AcceptedLead, definition: FormDefinition, longest: int | None = None
) -> LeadText:
    """Return a lead in the form's own language; texts are cut to `longest` characters."""
    texts = load_texts(definition.language)
    answers = [
        (label, safe_lines(text, longest)) for label, text in _answers(lead, definition, texts)
    ]
    return LeadText(
        answers=[(label, text) for label, text in answers if text],
        missing=[
            field.label
            for field in definition.fields
            if field.visible and lead.answers.get(field.name) in (None, "", [])
        ],
        consents=[safe_lines(each["text"], longest) for each in lead.consents],
        notes=[safe_lines(format_note(note), longest) for note in lead.notes],
        unknown=[
            (safe_line(name, 200), safe_lines(_joined(value), longest))
            for name, value in lead.unknown.items()
        ],
    )


def _answers(
    lead: AcceptedLead, definition: FormDefinition, texts: NullTranslations
) -> Iterator[tuple[str, str]]:
    known = {field.name for field in definition.fields}
    given = {each["field"] for each in lead.consents}
    for field in definition.fields:
        answer = lead.answers.get(field.name)
        if answer not in (None, "", []) and not (field.name in given and answer is True):
            yield field.label or field.name, _shown(field, answer, lead, texts)
    # Fields that the form file has no more.
    for name, answer in lead.answers.items():
        if name not in known and not name.endswith(E164):
            yield safe_line(name, 200), _joined(answer)


def _shown(field: FieldDefinition, answer: Any, lead: AcceptedLead, texts: NullTranslations) -> str:
    if isinstance(answer, bool):
        return texts.gettext("Yes") if answer else texts.gettext("No")
    labels = {option.value: option.label for option in field.options}
    if isinstance(answer, list):
        return ", ".join(labels.get(each, str(each)) for each in answer)
    text = labels.get(answer, str(answer))
    number = lead.answers.get(f"{field.name}{E164}")
    is_news = isinstance(number, str) and _digits(number) != _digits(text)
    return f"{text} ({number})" if is_news else text


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def subject_of(lead: AcceptedLead, definition: FormDefinition) -> str:
    """Return the subject of a mail about a lead: `_subject` behind the form's title, if given."""
    title = safe_line(definition.title, LONGEST_SUBJECT)
    if given := safe_line(str(lead.meta.get("_subject", "")), LONGEST_SUBJECT):
        return f"{title}: {given}"
    subject = load_texts(definition.language).gettext("New lead: %(title)s") % {"title": title}
    person = safe_line(lead.person or "", LONGEST_SUBJECT)
    return f"{subject}: {person}" if person else subject
