"""An e-mail and its form on the wire (RFC 5322)."""

from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from email_validator import EmailNotValidError, validate_email

# Every server accepts 7-bit content without the 8BITMIME extension (RFC 6152).
_SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """An e-mail from an address or `Name <address>`. Its repr shows no content and no address.

    A message that is sent again keeps its `message_id` (`<…>`; generated when empty), so that
    mailboxes recognise the duplicate.
    """

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str | None = None
    message_id: str = ""


def compose(message: Message, now: datetime) -> EmailMessage:
    """Return the message to transmit; ValueError if an address or the subject is not valid."""
    name, address = parseaddr(message.sender)
    sender = Address(name, addr_spec=_ascii(address))
    composed = EmailMessage(policy=_SEVEN_BIT)
    composed["From"] = sender
    composed["To"] = tuple(Address(addr_spec=_ascii(each)) for each in message.to)
    composed["Subject"] = message.subject
    composed["Date"] = format_datetime(now)
    composed["Message-ID"] = message.message_id or make_msgid(domain=sender.domain)
    # RFC 3834: prevents automatic replies.
    composed["Auto-Submitted"] = "auto-generated"
    composed.set_content(message.text)
    if message.html is not None:
        composed.add_alternative(message.html, subtype="html")
    return composed


def domain_of(sender: str) -> str:
    """Return the domain of an address, or of `Name <address>`, in ASCII."""
    return _ascii(parseaddr(sender)[1]).rpartition("@")[2]


def _ascii(address: str) -> str:
    """Return the address with its domain in ASCII (RFC 5891), as every mail server accepts it."""
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("this is no e-mail address") from None
    return found.ascii_email or found.normalized
