"""The `[confirm]` table of a form file: double opt-in.

What visitors typed is in none of these texts and can't be put in: a form whose mails repeat it
would send anybody's words to anybody's address.
"""

from email.utils import parseaddr
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator
from pydantic import Field as Key

from formapp.forms.definition.base import Definition

MOST_DAYS = 30
"""What was never confirmed is erased after 30 days."""


def _line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("should be one line of text")
    return text


def _sender(text: str) -> str:
    name, address = parseaddr(_line(text))
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        example = "Example Ltd <news@example.com>"
        raise ValueError(f'is no e-mail address; write it like "{example}"') from None
    if not name.isprintable():
        raise ValueError("has a name that can't stand in a mail")
    return text


Line = Annotated[str, Key(min_length=1, max_length=200), AfterValidator(_line)]
Paragraphs = Annotated[str, Key(min_length=1, max_length=5000)]


class Confirm(Definition):
    """What a form does about confirmations; texts that are missing are formapp's own.

    Attributes:
        subject: of the mail.
        text: what the mail says above the button; a blank line makes a paragraph.
        button: on the button of the mail and of the page that it leads to.
        sender: who the mail is from; the setting's unless given.
        days: how long the link is valid.
        title: heading of the page that follows the form.
        notice: what that page says.
    """

    subject: Line | None = None
    text: Paragraphs | None = None
    button: Line | None = None
    sender: Annotated[str, AfterValidator(_sender)] | None = None
    days: Annotated[int, Key(ge=1, le=MOST_DAYS)] = 7
    title: Line | None = None
    notice: Paragraphs | None = None
