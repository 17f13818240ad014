"""The request for a confirmation, in the visitor's language, as it is stored with a submission.

The worker that sends the mail needs no form file and no catalogue: the mail has the texts
of the time when the visitor sent the form. Web side only, since it translates.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from formapp.confirmation.definition import Confirm

STEP, TO_CONFIRM = "_step", "confirm"
"""Query of the thank-you page while a confirmation is pending."""


def make_request(
    confirm: Confirm, *, title: str, language: str, query: Mapping[str, str]
) -> dict[str, Any]:
    """Return the request for a submission's `meta`.

    `language` is the visitor's; `query` keeps it on the page that the link leads to.
    """
    return {
        "title": title,
        "subject": confirm.subject or gettext("Please confirm your e-mail address"),
        "text": confirm.text
        or gettext(
            "Someone entered your e-mail address in the form “%(title)s”. If it was you, "
            "please confirm. We won't use the answers until you do.",
            title=title,
        ),
        "button": button_text(confirm),
        "valid": gettext("The link is valid until %(until)s."),
        "otherwise": gettext(
            "If this wasn't you, ignore this e-mail: nothing happens without your confirmation."
        ),
        "sender": confirm.sender,
        "days": confirm.days,
        "language": language,
        "query": dict(query),
    }


def button_text(confirm: Confirm | None) -> str:
    """Return the text of the button in the mail and on the page that it leads to."""
    return (confirm.button if confirm else None) or str(gettext("Yes, I confirm"))
