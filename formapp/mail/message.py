"""A letter, and the message that it is on its way (RFC 5322)."""

from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from email_validator import EmailNotValidError, validate_email

# Every server takes it, without being asked whether it does (RFC 6152).
_SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """What is sent. Its text form shows none of it.

    Attributes:
        sender: an address, or `Name <address>`.
        to: addresses.
        message_id: `<…>`; made up where it is empty. The same one for a letter that is sent again
            lets mailboxes know it for the same.
    """

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str | None = None
    message_id: str = ""


def compose(letter: Message, now: datetime) -> EmailMessage:
    """Return the message, with text and, where there is one, HTML.

    Raises:
        ValueError: an address or the subject can't stand in a header.
    """
    name, address = parseaddr(letter.sender)
    sender = Address(name, addr_spec=_ascii(address))
    message = EmailMessage(policy=_SEVEN_BIT)
    message["From"] = sender
    message["To"] = tuple(Address(addr_spec=_ascii(each)) for each in letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = letter.message_id or make_msgid(domain=sender.domain)
    # RFC 3834: so that nobody's holiday notice answers.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    if letter.html is not None:
        message.add_alternative(letter.html, subtype="html")
    return message


def domain_of(sender: str) -> str:
    """The domain of an address, or of `Name <address>`, in ASCII."""
    return _ascii(parseaddr(sender)[1]).rpartition("@")[2]


def _ascii(address: str) -> str:
    """An address as every mail server takes it: its domain in ASCII (RFC 5891)."""
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("this is no e-mail address") from None
    return found.ascii_email or found.normalized
