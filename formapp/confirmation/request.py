"""What a visitor is asked to confirm, in which words: written down with the submission.

The worker that sends the mail needs no form file and no catalogue: whatever becomes of those, the
mail says what was meant when the visitor sent the form.
"""

from typing import Any

from flask_babel import gettext

from formapp.confirmation.store import ASKED, CONFIRM
from formapp.forms.form import Form
from formapp.jobs.queue import Job
from formapp.leads.accept import Status
from formapp.web.i18n import carried_language

STEP, TO_CONFIRM = "_step", "confirm"
"""What the address of the thank-you page says where a confirmation is still to come."""


def status_of(form: Form) -> Status:
    """What becomes of a submission of this form that nothing speaks against."""
    return Status.UNCONFIRMED if form.definition.confirm else Status.ACCEPTED


def errands_of(form: Form) -> tuple[Job, ...]:
    """The mail, for a form that asks for a confirmation."""
    return (Job(CONFIRM),) if form.definition.confirm else ()


def asked(form: Form) -> dict[str, Any]:
    """The wording for `meta`; empty for a form that asks for no confirmation."""
    confirm = form.definition.confirm
    if confirm is None:
        return {}
    said = {
        "title": form.definition.title,
        "subject": confirm.subject or gettext("Please confirm your e-mail address"),
        "text": confirm.text or _text(form),
        "button": button_of(form),
        "valid": gettext("The link is valid until %(until)s."),
        "otherwise": gettext(
            "If it wasn't you, do nothing: without your confirmation nothing happens."
        ),
        "sender": confirm.sender,
        "days": confirm.days,
        "language": form.language,
        "query": carried_language(form),
    }
    return {ASKED: said}


def button_of(form: Form) -> str:
    """What stands on the button, of the mail and of the page it leads to."""
    confirm = form.definition.confirm
    return (confirm.button if confirm else None) or str(gettext("Yes, I confirm"))


def _text(form: Form) -> str:
    return str(
        gettext(
            "Somebody filled in the form “%(title)s” with your e-mail address. "
            "If it was you, please confirm it: only then does it count.",
            title=form.definition.title,
        )
    )
