"""Mail: a letter, and the post office that sends it by the server of the settings."""

from formapp.mail.message import Letter, compose, domain_of
from formapp.mail.smtp import MailFailed, NotTaken, PerhapsTaken, PostOffice, Refused

__all__ = [
    "Letter",
    "MailFailed",
    "NotTaken",
    "PerhapsTaken",
    "PostOffice",
    "Refused",
    "compose",
    "domain_of",
]
