"""The tables `[notify]`, who hears of a form's leads, and `[reply]`, what its visitors get."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from formapp.forms.definition.base import Definition
from formapp.mail.definition import Line, Paragraphs, Sender, mailbox_of

FIRST_NAME = "{first_name}"
"""The only placeholder of `[reply]`: a form that repeated answers would mail any text anywhere."""

MOST_RECEIVERS = 20
_CHAT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_PLACEHOLDER = re.compile(r"\{[^{}\n]*\}")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def _texts(given: object, what: str) -> tuple[str, ...]:
    """Return one text, or a list of different ones, as a tuple."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or not all(isinstance(each, str) for each in texts):
        raise ValueError(f"should be {what}, or a list of them")
    if len(texts) > MOST_RECEIVERS:
        raise ValueError(f"has {len(texts)} entries; at most {MOST_RECEIVERS}")
    return tuple(dict.fromkeys(texts))


def _addresses(given: object) -> tuple[str, ...]:
    found = []
    for text in _texts(given, "an address in quotes"):
        try:
            found.append(mailbox_of(text, "owner@example.com"))
        except ValueError as error:
            raise ValueError(f'"{text}" {error}') from None
    return tuple(dict.fromkeys(found))


def _chats(given: object) -> bool | tuple[str, ...]:
    if isinstance(given, bool):
        return given
    names = _texts(given, "true, a name in quotes")
    for name in names:
        if not _CHAT_NAME.fullmatch(name):
            rule = 'names of FORMAPP_NOTIFY_CHAT have lower-case letters, digits, "-" and "_"'
            raise ValueError(f'"{name}" is no name; {rule}')
    return names


def _webhook(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", 0
    if not host or port == 0 or parts.scheme not in {"http", "https"} or not text.isprintable():
        raise ValueError("is no web address; write it like https://www.example.com/hooks/leads")
    if parts.scheme == "http" and host not in _THIS_MACHINE:
        raise ValueError("should be https: leads would be read on their way, except on one machine")
    if "@" in parts.netloc:
        raise ValueError("has a user or password; receivers know formapp by its signature")
    return text


def _reply_text(text: str) -> str:
    for found in _PLACEHOLDER.findall(text):
        if found != FIRST_NAME:
            raise ValueError(f"can't have {found}; {FIRST_NAME} is the only placeholder")
    first, _, rest = text.partition("\n")
    if FIRST_NAME in rest or first.count(FIRST_NAME) > 1:
        raise ValueError(
            f"can have {FIRST_NAME} once, in a first line that greets: formapp writes another "
            "greeting where there is no name"
        )
    return text


def _reply_line(text: str) -> str:
    if found := _PLACEHOLDER.search(text):
        raise ValueError(f"can't have {found[0]}; only text can, and only {FIRST_NAME}")
    return text


class Notify(Definition):
    """Who hears of each accepted lead.

    Attributes:
        email: addresses, each of which gets a mail of its own.
        every: a mail for each lead, or one for those of an hour or a day.
        webhook: where each lead is posted as JSON, signed.
        chat: names of `NOTIFY_CHAT`; True: all of them.
        attach: mails have the lead's files attached, as far as they are small enough.
    """

    email: Annotated[tuple[str, ...], BeforeValidator(_addresses)] = ()
    every: Literal["lead", "hour", "day"] = "lead"
    webhook: Annotated[str, AfterValidator(_webhook)] | None = None
    chat: Annotated[bool | tuple[str, ...], BeforeValidator(_chats)] = False
    attach: bool = False

    @property
    def notifies(self) -> bool:
        return bool(self.email or self.webhook or self.chat)


class ReplyTexts(Definition):
    """The texts in one language; formapp's own replace missing ones."""

    subject: Annotated[Line, AfterValidator(_reply_line)] | None = None
    text: Annotated[Paragraphs, AfterValidator(_reply_text)] | None = None


class Reply(ReplyTexts):
    """The mail that each visitor gets whose lead was accepted."""

    sender: Sender | None = None
