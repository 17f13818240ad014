"""The `[confirm]` table of a form file: double opt-in.

No text can repeat an answer: a form whose mails did would send any words to any address.
"""

from email.utils import parseaddr
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic import Field as Key

MOST_DAYS = 30
"""Answers that are never confirmed are erased after 30 days."""


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
        raise ValueError("has a name that is not valid in a mail")
    return text


Line = Annotated[str, Key(min_length=1, max_length=200), AfterValidator(_line)]
Paragraphs = Annotated[str, Key(min_length=1, max_length=5000)]


class ConfirmTexts(BaseModel):
    """The texts in one language; formapp's own replace missing ones.

    `subject`, `text` and `button` are of the mail, `title` and `notice` of the page after the form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    subject: Line | None = None
    text: Paragraphs | None = None
    button: Line | None = None
    title: Line | None = None
    notice: Paragraphs | None = None


class Confirm(ConfirmTexts):
    """How a form asks for confirmations, with its own texts; the link is valid for `days`."""

    sender: Annotated[str, AfterValidator(_sender)] | None = None
    days: Annotated[int, Key(ge=1, le=MOST_DAYS)] = 7
