"""The `[confirm]` table of a form file: double opt-in.

No text can repeat an answer: a form whose mails did would send any words to any address.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Key

from formapp.mail.definition import Line, Paragraphs, Sender

MOST_DAYS = 30
"""Answers that are never confirmed are erased after 30 days."""


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

    sender: Sender | None = None
    days: Annotated[int, Key(ge=1, le=MOST_DAYS)] = 7
