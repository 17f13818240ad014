"""Every text that tells a visitor what is wrong.

They are predicates: they read well after a field's name ("E-mail must be filled in") and, with a
capital, alone. They never repeat what was typed. Codes are Formspree's where it has one.
"""

from typing import Literal, Self

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


class Message(str):
    """A text with its code; WTForms keeps it in a field's `errors` as any other text."""

    __slots__ = ("code",)
    code: Code

    def __new__(cls, code: Code, text: str) -> Self:
        """Return the text, with the code as an attribute."""
        message = super().__new__(cls, text)
        message.code = code
        return message


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
    "select": "must be chosen",
    "radio": "must be chosen",
    "checkboxes": "must be chosen",
    "checkbox": "must be ticked",
    "consent": "must be ticked",
}


def demand(field_type: str, *, posted: bool) -> Message:
    """Return what a required field says when it is blank, or wasn't posted at all."""
    code: Code = "REQUIRED_FIELD_EMPTY" if posted else "REQUIRED_FIELD_MISSING"
    return Message(code, _DEMANDS.get(field_type, "must be filled in"))


def too_short(least: int) -> Message:
    """Return the text for an answer of fewer than `least` characters."""
    return Message("TOO_SHORT", f"should have at least {_characters(least)}")


def too_long(most: int) -> Message:
    """Return the text for an answer of more than `most` characters."""
    return Message("TOO_LONG", f"should have at most {_characters(most)}")


def too_small(least: object) -> Message:
    """Return the text for a number or date (`YYYY-MM-DD`) below the least one."""
    return Message("TOO_SMALL", f"should be {least} or {_more(least)}")


def too_large(most: object) -> Message:
    """Return the text for a number or date (`YYYY-MM-DD`) above the largest one."""
    return Message("TOO_LARGE", f"should be {most} or {_less(most)}")


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"


def _more(bound: object) -> str:
    return "more" if isinstance(bound, int | float) else "later"


def _less(bound: object) -> str:
    return "less" if isinstance(bound, int | float) else "earlier"
