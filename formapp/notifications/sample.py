"""A sample lead, to try the channels of a form."""

from datetime import datetime
from typing import Any

from formapp.forms.definition.model import FieldDefinition, FormDefinition, PropertyTarget
from formapp.notifications.store import AcceptedLead

ID = "00000000-0000-7000-8000-000000000000"
ADDRESS = "ines.example@example.com"

_BY_TYPE = {"email": ADDRESS, "tel": "+442079460018", "number": 1, "url": "https://example.com/"}
_BY_PROPERTY = {"first_name": "Ines", "last_name": "Example", "full_name": "Ines Example"}


def sample_lead(
    name: str, definition: FormDefinition, site: str, now: datetime, *, email: str = ADDRESS
) -> AcceptedLead:
    """Return a lead with an answer to each field; `email` is the visitor's address."""
    answers = {field.name: _answer(field, now) for field in definition.fields}
    consents = [
        {"field": field.name, "text": field.label, "at": now.isoformat()}
        for field in definition.fields
        if field.type == "consent"
    ]
    return AcceptedLead(
        id=ID,
        form=name,
        site=definition.site or site,
        received_at=now,
        accepted_at=now,
        answers=answers,
        consents=consents,
        notes=[],
        unknown={},
        meta={"language": definition.language, "_subject": "Test"},
        lead={"email": {"address": email}, "first_name": {"value": "Ines"}},
    )


def _answer(field: FieldDefinition, now: datetime) -> Any:
    if field.options:
        first = field.options[0].value
        return [first] if field.type == "checkboxes" else first
    if field.type in {"checkbox", "consent"}:
        return True
    if field.type == "date":
        return now.date().isoformat()
    named = _BY_PROPERTY.get(field.to.property) if isinstance(field.to, PropertyTarget) else None
    return named or _BY_TYPE.get(field.type) or field.value or "Test"
