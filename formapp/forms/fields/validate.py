"""Judging one answer: from the visitor's text to the kept value, or to what is wrong with it."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from formapp.forms import messages
from formapp.forms.definition.model import FieldDefinition, PropertyTarget
from formapp.forms.fields.values import (
    clean_line,
    clean_lines,
    clean_token,
    parse_country,
    parse_date,
    parse_email,
    parse_locale,
    parse_number,
    parse_url,
)
from formapp.forms.messages import Message
from formapp.forms.phones import PhoneNumber, parse_phone

Value = str | int | float
"""What one text becomes: text, or a number."""

Identity = str | PhoneNumber
"""Whom an answer names: the normalised e-mail address, or the telephone number."""


class Parsed(NamedTuple):
    """The kept value, and whom an e-mail address or a telephone number names."""

    value: Value
    identity: Identity | None = None


class InvalidValueError(Exception):
    """The answer doesn't fit; `message` is for the visitor and doesn't repeat the answer."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.code)
        self.message = message


def clean(field: FieldDefinition, text: str) -> str:
    """Return the text as it is kept and shown again; blank means absent."""
    if field.type == "textarea":
        return clean_lines(text)
    if field.type in {"email", "tel", "url", "number", "date"}:
        return clean_token(text)
    return clean_line(text)


def judge(field: FieldDefinition, text: str) -> Parsed:
    """Return what a cleaned, non-blank text becomes.

    Raises:
        InvalidValueError: With the first thing that is wrong.
    """
    if len(text) > field.limit:
        raise InvalidValueError(messages.too_long(field.limit))
    if field.min_length and len(text) < field.min_length:
        raise InvalidValueError(messages.too_short(field.min_length))
    if field.type in {"email", "tel"}:
        return Parsed(text, _identity(field, text))
    value = _JUDGES.get(field.type, _text)(field, text)
    if field.options and text not in {option.value for option in field.options}:
        raise InvalidValueError(messages.NOT_AN_OPTION)
    return Parsed(value)


def _text(field: FieldDefinition, text: str) -> Value:
    kind = field.to.property if isinstance(field.to, PropertyTarget) else None
    if kind == "country" and parse_country(text) is None:
        raise InvalidValueError(messages.COUNTRY)
    if kind == "locale" and parse_locale(text) is None:
        raise InvalidValueError(messages.LOCALE)
    return text


def _identity(field: FieldDefinition, text: str) -> Identity:
    found: Identity | None
    if field.type == "email":
        found, wrong = parse_email(text), messages.EMAIL
    else:
        found = parse_phone(text, field.region)
        wrong = messages.PHONE if field.region else messages.PHONE_ABROAD
    if found is None:
        raise InvalidValueError(wrong)
    return found


def _url(field: FieldDefinition, text: str) -> Value:
    url = parse_url(text)
    if url is None:
        raise InvalidValueError(messages.URL)
    if len(url) > field.limit:
        raise InvalidValueError(messages.too_long(field.limit))
    return url


def _number(field: FieldDefinition, text: str) -> Value:
    number = parse_number(text)
    if number is None:
        raise InvalidValueError(messages.NUMBER)
    if isinstance(field.min, int | float) and number < field.min:
        raise InvalidValueError(messages.too_small(field.min))
    if isinstance(field.max, int | float) and number > field.max:
        raise InvalidValueError(messages.too_large(field.max))
    return number


def _date(field: FieldDefinition, text: str) -> Value:
    day = parse_date(text)
    if day is None:
        raise InvalidValueError(messages.DATE)
    if isinstance(field.min, date) and day < field.min.isoformat():
        raise InvalidValueError(messages.too_small(field.min))
    if isinstance(field.max, date) and day > field.max.isoformat():
        raise InvalidValueError(messages.too_large(field.max))
    return day


_JUDGES: dict[str, Callable[[FieldDefinition, str], Value]] = {
    "url": _url,
    "number": _number,
    "date": _date,
}
