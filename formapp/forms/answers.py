"""Reading a post: the answers that are kept, the consents and the lead."""

from dataclasses import dataclass
from typing import TypedDict

from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.targets import PropertyTarget
from formapp.forms.fields.base import Answer, Field, Identity, InvalidValueError
from formapp.forms.fields.text import Hidden
from formapp.forms.mapping import E164, LeadMapping
from formapp.forms.phones import PhoneNumber
from formapp.forms.posted import Posted
from formapp.lead import Lead

_NAMES = {"first_name", "last_name", "full_name"}


class Consent(TypedDict):
    """A consent that was given: the field's name and the exact text that was shown."""

    field: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """What one submission says. Its text form shows none of it.

    `answers` are by field name, in the order of the form file; blank ones are left out, but a box
    that isn't ticked is False. A telephone number is there as typed, and in E.164 as
    `<name>.e164`. The store adds the time to `consents`. `texts` are the answers to fields for
    free text, `names` those of them that are a person's name.
    """

    answers: dict[str, Answer]
    consents: tuple[Consent, ...]
    lead: Lead
    texts: list[str]
    names: list[str]

    def __repr__(self) -> str:
        return "<Reading>"


class InvalidAnswersError(Exception):
    """An answer doesn't fit its field; `LeadForm.faults` lists all of them for the visitor."""


class Reader:
    """Reads posts to one form in one language, by its fields' own code."""

    def __init__(self, name: str, definition: FormDefinition, fields: tuple[Field, ...]) -> None:
        self._fields = fields
        self._mapping = LeadMapping(definition, name)
        given = definition.fields
        self._consents = [(f.name, f.label) for f in given if f.type == "consent"]
        self._texts = [f.name for f in given if f.type in {"text", "textarea"}]
        self._names = [
            f.name
            for f in given
            if f.name in self._texts
            and isinstance(f.to, PropertyTarget)
            and f.to.property in _NAMES
        ]

    def read(
        self, posted: Posted, *, default_site: str, page: str | None, referrer: str | None
    ) -> Reading:
        """Return what a post says.

        Args:
            posted: The post.
            default_site: The site of the lead where the form names none.
            page: The page the form was on, where the post itself doesn't say.
            referrer: Where the visitor came from, where the post itself doesn't say.

        Raises:
            InvalidAnswersError: An answer doesn't fit.
        """
        answers: dict[str, Answer] = {}
        identities: dict[str, Identity] = {}
        try:
            for field, texts in zip(self._fields, posted.texts, strict=True):
                answer, identity = field.read(texts)
                if answer is None and isinstance(field, Hidden) and field.definition.from_:
                    elsewhere = page if field.definition.from_ == "page" else referrer
                    answer = field.cut(elsewhere or "") or None
                if answer is not None:
                    answers[field.name] = answer
                if identity is not None:
                    identities[field.name] = identity
                    if isinstance(identity, PhoneNumber):
                        answers[f"{field.name}{E164}"] = identity.e164
        except InvalidValueError:
            raise InvalidAnswersError from None
        return Reading(
            answers,
            tuple(Consent(field=n, text=t) for n, t in self._consents if answers.get(n) is True),
            self._mapping.lead_of(answers, default_site, identities),
            [str(answers[name]) for name in self._texts if name in answers],
            [str(answers[name]) for name in self._names if name in answers],
        )
