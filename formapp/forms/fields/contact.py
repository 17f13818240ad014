"""Where people can be reached: `email`, `tel` and `url`."""

from wtforms.widgets import EmailInput, TelInput, URLInput

from formapp.forms import messages
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.fields import patterns
from formapp.forms.fields.base import Field, InvalidValueError, Parsed
from formapp.forms.fields.values import clean_token, parse_email, parse_url
from formapp.forms.phones import parse_phone


class Email(Field):
    """An e-mail address: kept as typed, with the normalised address as identity."""

    widget = EmailInput()
    clean = staticmethod(clean_token)
    input_mode = autofill = "email"
    left_to_right = True
    pattern = patterns.EMAIL
    invalid = messages.EMAIL

    def parse(self, text: str) -> Parsed:
        """Return the text and the address."""
        address = parse_email(text)
        if address is None:
            raise InvalidValueError(messages.EMAIL)
        return Parsed(text, address)


class Tel(Field):
    """A telephone number: kept as typed, with its E.164 form as identity."""

    widget = TelInput()
    clean = staticmethod(clean_token)
    input_mode = autofill = "tel"
    left_to_right = True

    def __init__(self, definition: FieldDefinition, language: str) -> None:
        super().__init__(definition, language)
        self.region = definition.region
        self.invalid = messages.PHONE if self.region else messages.PHONE_ABROAD

    def parse(self, text: str) -> Parsed:
        """Return the text and the number."""
        number = parse_phone(text, self.region)
        if number is None:
            raise InvalidValueError(self.invalid or messages.PHONE)
        return Parsed(text, number)


class Url(Field):
    """A web address; one without its scheme gets `https://`."""

    widget = URLInput()
    clean = staticmethod(clean_token)
    input_mode = "url"
    left_to_right = True
    pattern = patterns.WORD
    invalid = messages.URL

    def parse(self, text: str) -> Parsed:
        """Return the address with its scheme, which counts towards the limit."""
        url = parse_url(text)
        if url is None:
            raise InvalidValueError(messages.URL)
        if len(url) > self.limit:
            raise InvalidValueError(messages.too_long(self.limit))
        return Parsed(url)
