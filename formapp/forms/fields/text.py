"""Plain text: `text`, `textarea` and `hidden`."""

from collections.abc import Callable, Sequence
from typing import Any

from wtforms.widgets import HiddenInput, TextArea

from formapp.forms import messages
from formapp.forms.countries import COUNTRIES
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.fields import patterns
from formapp.forms.fields.autofill import OF_PROPERTY
from formapp.forms.fields.base import Field, InvalidValueError, Parsed, Schema
from formapp.forms.fields.values import clean_line, clean_lines, parse_country, parse_locale
from formapp.forms.messages import Message

_TEXTAREA_ROWS = 5
_COUNTRY = "|".join(f"[{c[0]}{c[0].lower()}][{c[1]}{c[1].lower()}]" for c in sorted(COUNTRIES))
_LOCALE = "[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?"
_OF_PROPERTY: dict[str | None, tuple[Callable[[str], str | None], Message, str]] = {
    "country": (parse_country, messages.COUNTRY, _COUNTRY),
    "locale": (parse_locale, messages.LOCALE, _LOCALE),
}
"""Properties whose texts are codes: the parser, the error, the pattern."""


class Text(Field):
    """One line of text."""

    def __init__(self, definition: FieldDefinition, language: str) -> None:
        super().__init__(definition, language)
        self.code = None
        if self.property in _OF_PROPERTY:
            self.code, self.invalid, self.pattern = _OF_PROPERTY[self.property]

    def parse(self, text: str) -> Parsed:
        """Return the text; of a country or a language it must be the code."""
        if self.code and self.invalid and self.code(text) is None:
            raise InvalidValueError(self.invalid)
        return Parsed(text)


class Textarea(Text):
    """Several lines of text."""

    widget = TextArea()
    clean = staticmethod(clean_lines)
    # The only token for an address that may hold line ends.
    autofill_of_property = OF_PROPERTY | {"address_line": "street-address"}

    def attributes(self) -> dict[str, Any]:
        """Return the attributes with the number of rows."""
        return super().attributes() | {"rows": self.definition.rows or _TEXTAREA_ROWS}


class Hidden(Field):
    """A value that the page carries. It is cut at its limit and never a visitor's error."""

    widget = HiddenInput()
    typed = autofilled = False

    def read(self, texts: Sequence[str]) -> Parsed:
        """Return what was posted, unless the form file says what it is."""
        return Parsed(self.shown(texts) or None)

    def shown(self, texts: Sequence[str]) -> str:
        """Return the form file's value, else the text cut at its limit."""
        if self.definition.value is not None:
            return self.definition.value
        return self.cut(texts[0]) if texts else ""

    def cut(self, text: str) -> str:
        """Return as much of a text as is kept."""
        return clean_line(text)[: self.limit].strip()

    def possible_errors(self) -> dict[messages.Code, Message]:
        """Return none."""
        return {}

    def value_schema(self) -> Schema:
        """Return the schema of anything that is no list and no object."""
        return dict(patterns.SCALAR)
