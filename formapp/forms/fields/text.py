"""Types whose answer is text: `text`, `textarea`, `hidden`, `email`, `tel` and `url`."""

import re
from collections.abc import Sequence
from typing import Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES
from wtforms.widgets import EmailInput, HiddenInput, TelInput, TextArea, URLInput

from formapp.forms import messages
from formapp.forms.fields import patterns
from formapp.forms.fields.autofill import OF_PROPERTY
from formapp.forms.fields.base import Field, InvalidValueError, Parsed, Schema
from formapp.forms.messages import Code, ErrorMessage
from formapp.forms.reading.contact import read_email, read_phone, read_url
from formapp.forms.reading.text import clean_line, clean_lines, clean_token

_TEXTAREA_ROWS = 5

_ATEXT = r"(?:[A-Za-z0-9!#$%&'*+\-/?^_`{|}~]|=(?!\?))+"  # no encoded word
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?!-)){0,61}(?<!-)"
_PLAIN_ADDRESS = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATEXT}(?:\.{_ATEXT})*@(?:{_LABEL}\.)+(?P<tld>[A-Za-z]{{2,61}})"
)
"""Addresses that `read_email` accepts for certain, which takes ten times as long."""

_SPECIAL_TLDS = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_PLAIN_LENGTH = 200


class Text(Field):
    """One line of text; of a country or a language it is the code."""


class Textarea(Field):
    widget = TextArea()
    clean = staticmethod(clean_lines)
    # The only token for an address that may hold line ends.
    autofill_of_property = OF_PROPERTY | {"address_line": "street-address"}

    def attributes(self) -> dict[str, Any]:
        return super().attributes() | {"rows": self.definition.rows or _TEXTAREA_ROWS}


class Hidden(Field):
    """A value that is part of the page. It is cut at its limit and never a visitor's error."""

    widget = HiddenInput()
    typed = autofilled = False

    def read(self, texts: Sequence[str]) -> Parsed:
        """Return what was posted, unless the form file says what it is."""
        return Parsed(self.shown(texts) or None)

    def shown(self, texts: Sequence[str]) -> str:
        if self.definition.value is not None:
            return self.definition.value
        return self.cut(texts[0]) if texts else ""

    def cut(self, text: str) -> str:
        return clean_line(text)[: self.limit].strip()

    def possible_errors(self) -> dict[Code, ErrorMessage]:
        return {}

    def value_schema(self) -> Schema:
        return dict(patterns.SCALAR)


class Email(Field):
    """An e-mail address: kept as typed, with the normalised address as identity."""

    widget = EmailInput()
    clean = staticmethod(clean_token)
    input_mode = autofill = "email"
    left_to_right = True
    pattern = patterns.EMAIL
    looks_like = rf"[@\uff20\ufe6b].*{patterns.DOT}"
    invalid = messages.EMAIL

    def parse(self, text: str) -> Parsed:
        plain = _PLAIN_ADDRESS.fullmatch(text) if len(text) <= _PLAIN_LENGTH else None
        is_sure = plain is not None and plain["tld"].lower() not in _SPECIAL_TLDS
        address = text.lower() if is_sure else read_email(text)
        if address is None:
            raise InvalidValueError(messages.EMAIL)
        return Parsed(text, address)


class Tel(Field):
    """A telephone number: kept as typed, with E.164 and extension as identity."""

    widget = TelInput()
    clean = staticmethod(clean_token)
    input_mode = autofill = "tel"
    looks_like = rf"(?:{patterns.DIGIT}.*){{3}}"
    left_to_right = True

    invalid: ErrorMessage

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.region = self.definition.region
        self.invalid = messages.PHONE if self.region else messages.PHONE_ABROAD

    def parse(self, text: str) -> Parsed:
        number = read_phone(text, self.region)
        if number is None:
            raise InvalidValueError(self.invalid)
        return Parsed(text, number)


class Url(Field):
    """A web address; one without its scheme gets `https://`, and `http://` alone is blank."""

    widget = URLInput()
    clean = staticmethod(clean_token)
    input_mode = "url"
    left_to_right = True
    pattern = patterns.WORD
    looks_like = rf"{patterns.DOT}|[:/]\s*$"  # a beginning alone, such as `http://`, is blank
    invalid = messages.URL

    def parse(self, text: str) -> Parsed:
        """Return the address with its scheme, which counts towards the limit."""
        url = read_url(text)
        if url is None:
            raise InvalidValueError(messages.URL)
        if not url:
            return self.blank([text])
        if len(url) > self.limit:
            raise InvalidValueError(messages.too_long(self.limit))
        return Parsed(url)
