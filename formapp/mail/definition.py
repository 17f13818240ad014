"""Types of texts in the tables of a form file that are about mail."""

from email.utils import parseaddr
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator
from pydantic import Field as Key


def _line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("should be one line of text")
    return text


def mailbox_of(text: str, example: str) -> str:
    """Return an address in its normal form; ValueError with the example if it is none."""
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError(f'is no e-mail address; write it like "{example}"') from None
    return found.normalized


def _sender(text: str) -> str:
    name, address = parseaddr(_line(text))
    mailbox_of(address, "Example Ltd <news@example.com>")
    if not name.isprintable():
        raise ValueError("has a name that is not valid in a mail")
    return text


Line = Annotated[str, Key(min_length=1, max_length=200), AfterValidator(_line)]
Paragraphs = Annotated[str, Key(min_length=1, max_length=5000)]
Sender = Annotated[str, AfterValidator(_sender)]
"""An address, or `Name <address>`."""
