"""Reading a valid form: the answers that are kept, the consents and the lead."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from formapp.forms.fields.controls import Answer
from formapp.forms.fields.values import clean_line
from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from formapp.forms.mapping import E164, to_lead
from formapp.forms.phones import PhoneNumber
from formapp.lead import Lead

if TYPE_CHECKING:
    from formapp.forms.fields.validate import Identity


class Consent(TypedDict):
    """A consent that was given: the field's name and the exact text that was shown."""

    field: str
    text: str


@dataclass(frozen=True, repr=False)
class Reading:
    """What one submission says. Its text form shows none of it.

    `answers` are by field name, in the order of the form file; blank ones are left out, but a box
    that isn't ticked is False. A telephone number is there as typed, and in E.164 as
    `<name>.e164`. The store adds the time to `consents`.
    """

    answers: dict[str, Answer]
    consents: tuple[Consent, ...]
    lead: Lead

    def __repr__(self) -> str:
        return "<Reading>"


def read(
    form: Form, bound: LeadForm, *, default_site: str, page: str | None, referrer: str | None
) -> Reading:
    """Return what a bound form says, after its `validate()` returned True.

    Args:
        form: The form.
        bound: The same form, with what was posted.
        default_site: The site of the lead where the form names none.
        page: The page the form was on, where the post itself doesn't say.
        referrer: Where the visitor came from, where the post itself doesn't say.
    """
    elsewhere = {"page": page, "referrer": referrer}
    answers: dict[str, Answer] = {}
    identities: dict[str, Identity] = {}
    for control in bound.controls():
        field = control.spec
        answer = control.answer
        if answer is None and field.from_:
            answer = clean_line(elsewhere[field.from_] or "")[: field.limit] or None
        if answer is not None:
            answers[field.name] = answer
        if found := control.identity:
            identities[field.name] = found
        if isinstance(found, PhoneNumber):
            answers[f"{field.name}{E164}"] = found.e164
    consents = tuple(
        Consent(field=field.name, text=field.label)
        for field in form.definition.fields
        if field.type == "consent" and answers.get(field.name) is True
    )
    lead = to_lead(form.definition, form.name, answers, default_site, identities)
    return Reading(answers, consents, lead)
