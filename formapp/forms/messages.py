"""Every text that tells a visitor what is wrong.

They are predicates: they read well after a field's name ("E-mail must be filled in") and, with a
capital, alone. They never repeat what was typed. Codes are Formspree's where it has one.

They are written here in English; the other languages are in the catalogues (`formapp.languages`).
"""

from collections.abc import Mapping
from typing import Literal, Protocol, Self

from formapp.languages import gettext_noop

Code = Literal[
    "REQUIRED_FIELD_MISSING",
    "REQUIRED_FIELD_EMPTY",
    "TYPE_EMAIL",
    "TYPE_NUMERIC",
    "TYPE_TEXT",
    "TYPE_PHONE",
    "TYPE_DATE",
    "TYPE_URL",
    "TYPE_COUNTRY",
    "TYPE_LOCALE",
    "TOO_SHORT",
    "TOO_LONG",
    "TOO_SMALL",
    "TOO_LARGE",
    "NOT_AN_OPTION",
    "TOKEN_EXPIRED",
    "TOKEN_INVALID",
]


class Translations(Protocol):
    """A catalogue, as gettext has it."""

    def gettext(self, message: str, /) -> str:
        """Return the text in the catalogue's language."""

    def ngettext(self, singular: str, plural: str, count: int, /) -> str:
        """Return the text in the catalogue's language, for a number."""


class Message(str):
    """A text with its code; WTForms keeps it in a field's `errors` as any other text.

    As text it is English. `msgid` is the same before `params` are put in, `plural` the text for any
    number but one, which `params["count"]` is.
    """

    __slots__ = ("code", "msgid", "params", "plural")
    code: Code
    msgid: str
    plural: str | None
    params: Mapping[str, object]

    def __new__(cls, code: Code, msgid: str, **params: object) -> Self:
        """Return the English text, with all it is made of as attributes."""
        return cls._made(code, msgid, None, params)

    @classmethod
    def counted(cls, code: Code, msgid: str, plural: str, count: int) -> Self:
        """Return a text that depends on a number, `%(count)s` in it."""
        return cls._made(code, msgid, plural, {"count": count})

    @classmethod
    def _made(
        cls, code: Code, msgid: str, plural: str | None, params: Mapping[str, object]
    ) -> Self:
        text = plural if plural and params["count"] != 1 else msgid
        message = super().__new__(cls, text % params)
        message.code, message.msgid = code, msgid
        message.plural, message.params = plural, params
        return message

    def said(self, translations: Translations) -> str:
        """Return the text in the language of a catalogue."""
        if self.plural is None:
            return translations.gettext(self.msgid) % self.params
        count = int(str(self.params["count"]))
        return translations.ngettext(self.msgid, self.plural, count) % self.params


EMAIL = Message("TYPE_EMAIL", "should be an e-mail address such as name@example.com")
NUMBER = Message("TYPE_NUMERIC", "should be a number")
TEXT = Message("TYPE_TEXT", "should be text")
PHONE = Message("TYPE_PHONE", "should be a phone number with its area code")
PHONE_ABROAD = Message(
    "TYPE_PHONE", "should be a phone number with its country code, such as +44 20 7946 0018"
)
DATE = Message("TYPE_DATE", "should be a date, written as year-month-day, such as 2026-12-31")
URL = Message("TYPE_URL", "should be a web address such as https://www.example.com")
COUNTRY = Message("TYPE_COUNTRY", "should be a country code of two letters, such as GB")
LOCALE = Message("TYPE_LOCALE", "should be a language code such as en or pt-BR")
NOT_AN_OPTION = Message("NOT_AN_OPTION", "should be one of the choices")
TOKEN_EXPIRED = Message(
    "TOKEN_EXPIRED",
    "This page was open for more than a day. Nothing was lost: please press the button again.",
)
TOKEN_INVALID = Message(
    "TOKEN_INVALID",
    "This page could not be recognised. Nothing was lost: please press the button again.",
)

_DEMANDS = {
    "select": gettext_noop("must be chosen"),
    "radio": gettext_noop("must be chosen"),
    "checkboxes": gettext_noop("must be chosen"),
    "checkbox": gettext_noop("must be ticked"),
    "consent": gettext_noop("must be ticked"),
}
_BLANK = gettext_noop("must be filled in")


def demand(field_type: str, *, posted: bool) -> Message:
    """Return what a required field says when it is blank, or wasn't posted at all."""
    code: Code = "REQUIRED_FIELD_EMPTY" if posted else "REQUIRED_FIELD_MISSING"
    return Message(code, _DEMANDS.get(field_type, _BLANK))


def too_short(least: int) -> Message:
    """Return the text for an answer of fewer than `least` characters."""
    return Message.counted(
        "TOO_SHORT",
        "should have at least %(count)s character",
        "should have at least %(count)s characters",
        least,
    )


def too_long(most: int) -> Message:
    """Return the text for an answer of more than `most` characters."""
    return Message.counted(
        "TOO_LONG",
        "should have at most %(count)s character",
        "should have at most %(count)s characters",
        most,
    )


def too_small(least: object) -> Message:
    """Return the text for a number or date (`YYYY-MM-DD`) below the least one."""
    if isinstance(least, int | float):
        return Message("TOO_SMALL", "should be %(bound)s or more", bound=least)
    return Message("TOO_SMALL", "should be %(bound)s or later", bound=least)


def too_large(most: object) -> Message:
    """Return the text for a number or date (`YYYY-MM-DD`) above the largest one."""
    if isinstance(most, int | float):
        return Message("TOO_LARGE", "should be %(bound)s or less", bound=most)
    return Message("TOO_LARGE", "should be %(bound)s or earlier", bound=most)
