"""An e-mail and its form on the wire (RFC 5322)."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Literal

from email_validator import EmailNotValidError, validate_email

# Every server accepts 7-bit content without the 8BITMIME extension (RFC 6152).
_SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")
# Others than these have parts of their own.
_KINDS = {"application", "audio", "image", "text", "video"}
_DOTS = re.compile(r"\.+")


@dataclass(frozen=True, slots=True, repr=False)
class Attachment:
    """A file of a message; its repr shows nothing of it."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """An e-mail from an address or `Name <address>`. Its repr shows no content and no address.

    A message that is sent again keeps its `message_id` (`<…>`; generated when empty), so that
    mailboxes recognise the duplicate.

    Attributes:
        reply_to: where answers go, if not to the sender; left out unless it is an ASCII address.
        auto: whether it answers a message of the receiver (RFC 3834).
        list_id: what mail programs sort it by, such as `contact.forms.example.com` (RFC 2919).
    """

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str | None = None
    message_id: str = ""
    reply_to: str = ""
    auto: Literal["auto-generated", "auto-replied"] = "auto-generated"
    list_id: str = ""
    attachments: tuple[Attachment, ...] = ()


def compose(message: Message, now: datetime) -> EmailMessage:
    """Return the message to transmit; ValueError if an address or the subject is not valid."""
    composed = EmailMessage(policy=_SEVEN_BIT)
    try:
        _add_headers(composed, message, now)
    except MessageError as error:  # such as an encoded word (RFC 2047) in an address
        raise ValueError(f"a header can't be written ({type(error).__name__})") from None
    composed.set_content(message.text)
    if message.html is not None:
        composed.add_alternative(message.html, subtype="html")
    for each in message.attachments:
        kind, _, subtype = each.type.partition("/")
        if kind not in _KINDS:
            kind, subtype = "application", "octet-stream"
        composed.add_attachment(each.content, maintype=kind, subtype=subtype, filename=each.name)
    return composed


def _add_headers(composed: EmailMessage, message: Message, now: datetime) -> None:
    name, address = parseaddr(message.sender)
    sender = Address(name, addr_spec=mailbox(address))
    composed["From"] = sender
    composed["To"] = tuple(Address(addr_spec=mailbox(each)) for each in message.to)
    composed["Subject"] = message.subject
    composed["Date"] = format_datetime(now)
    composed["Message-ID"] = message.message_id or make_msgid(domain=sender.domain)
    if message.reply_to and (box := _reply_box(message.reply_to)):
        composed["Reply-To"] = Address(addr_spec=box)
    if message.list_id:
        composed["List-Id"] = f"<{message.list_id}>"
    # RFC 3834 and Exchange's own header: prevent automatic replies.
    composed["Auto-Submitted"] = message.auto
    composed["X-Auto-Response-Suppress"] = "All"


def _reply_box(address: str) -> str | None:
    """Return an address for a header that every server takes, if it is such a one."""
    try:
        box = mailbox(address)
    except ValueError:
        return None
    return box if box.isascii() else None


def domain_of(sender: str) -> str:
    """Return the domain of an address, or of `Name <address>`, in ASCII."""
    return mailbox(parseaddr(sender)[1]).rpartition("@")[2]


def mailbox(address: str) -> str:
    """Return an address as a header needs it, with its domain in ASCII (RFC 5891).

    The part before the @ is quoted where its dots demand that (RFC 5322): Japanese carriers issued
    addresses such as `a..x.@docomo.ne.jp`.

    Raises:
        ValueError: it is no address.
    """
    local, at, domain = address.rpartition("@")
    plain = _DOTS.sub(".", local).removesuffix(".")
    try:
        found = validate_email(
            f"{plain}{at}{domain}", check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        raise ValueError("this is no e-mail address") from None
    if plain == local:
        return found.ascii_email or found.normalized
    return f'"{local}"@{found.ascii_domain}'
