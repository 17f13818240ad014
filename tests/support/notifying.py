"""Forms that notify, and leads of theirs, for tests."""

from datetime import datetime
from typing import Any

from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import parse_form
from formapp.notifications.store import AcceptedLead
from tests.support.clock import NOON

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FIELDS = """
[[fields]]
name = "name"
type = "text"
label = "Name"
to = "full_name"
[[fields]]
name = "email"
type = "email"
label = "E-mail"
to = "email"
[[fields]]
name = "phone"
type = "tel"
label = "Phone"
region = "GB"
to = "phone"
[[fields]]
name = "budget"
type = "select"
label = "Budget"
options = [{ value = "s", label = "under 1,000" }, { value = "l", label = "more" }]
[[fields]]
name = "message"
type = "textarea"
label = "Message"
[[fields]]
name = "privacy"
type = "consent"
label = "I agree."
"""


def form_of(top: str, *, title: str = "Ask us", behind: str = "") -> FormDefinition:
    """The definition of a form with these tables."""
    return parse_form("contact.toml", f'title = "{title}"\n{top}\n{FIELDS}\n{behind}')


def accepted(at: datetime = NOON, **more: Any) -> AcceptedLead:
    """A lead that was accepted."""
    given: dict[str, Any] = {
        "id": "0190-a",
        "form": "contact",
        "site": "main",
        "received_at": at,
        "accepted_at": at,
        "answers": {"name": "Ines Okafor", "email": "ines@example.com", "budget": "l"},
        "consents": [],
        "notes": [],
        "unknown": {},
        "meta": {},
        "lead": {
            "first_name": {"value": "Ines"},
            "last_name": {"value": "Okafor"},
            "email": {"address": "ines@example.com"},
        },
    }
    return AcceptedLead(**given | more)
