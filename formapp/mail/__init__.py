"""Mail: a letter, and the post office that sends it by the server of the settings."""

from formapp.mail.message import Message, compose, domain_of
from formapp.mail.smtp import (
    MailError,
    MailNotSentError,
    MailRefusedError,
    MailUncertainError,
    SmtpMailer,
)

__all__ = [
    "MailError",
    "MailNotSentError",
    "MailRefusedError",
    "MailUncertainError",
    "Message",
    "SmtpMailer",
    "compose",
    "domain_of",
]
