"""The base of all field types, and of the WTForms controls that show them.

A class of this package holds everything about one type: its control and HTML attributes, how an
answer is read and validated, its JSON Schema and the errors that it can cause. An object is one
field of a form in one language, compiled once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from wtforms import fields as wtforms
from wtforms.fields.core import UnboundField
from wtforms.form import BaseForm
from wtforms.validators import StopValidation
from wtforms.widgets import Input, TextArea, TextInput

from formapp.forms import messages
from formapp.forms.definition.model import FieldDefinition, PropertyTarget
from formapp.forms.fields import patterns
from formapp.forms.fields.autofill import OF_PROPERTY
from formapp.forms.messages import Code, ErrorMessage
from formapp.forms.reading.contact import PhoneNumber
from formapp.forms.reading.places import COUNTRIES, read_country
from formapp.forms.reading.text import clean_line, read_locale
from formapp.languages import direction

Answer = str | int | float | bool | list[str]
Identity = str | PhoneNumber
"""The person that an answer names: a normalised e-mail address, or a telephone number."""

Schema = dict[str, Any]

_COUNTRY = "|".join(f"[{c[0]}{c[0].lower()}][{c[1]}{c[1].lower()}]" for c in sorted(COUNTRIES))
_LOCALE = "[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?"
_CODES: Mapping[str, tuple[Callable[[str, str], str | None], ErrorMessage, str]] = {
    "country": (read_country, messages.COUNTRY, _COUNTRY),
    "locale": (lambda text, _language: read_locale(text), messages.LOCALE, _LOCALE),
}
"""Properties whose texts stand for codes: the reader, the error, the pattern."""

_PLAIN = re.compile("[ -~]*")
"""Texts that have nothing to clean but blanks around them."""


class Parsed(NamedTuple):
    """What a field makes of a post; the answer is as it is kept, None for a blank one.

    `not_offered` are texts that are none of the options; they are kept for the owner alone.
    """

    answer: Answer | None
    identity: Identity | None = None
    not_offered: tuple[str, ...] = ()


class InvalidAnswersError(Exception):
    """An answer doesn't fit its field; `LeadForm.faults` lists all of them for the visitor."""


class InvalidValueError(InvalidAnswersError):
    """The answer doesn't fit; `message` is for the visitor and doesn't repeat the answer."""

    def __init__(self, message: ErrorMessage) -> None:
        super().__init__(message.code)
        self.message = message


class Control(wtforms.Field):
    """What all controls share. `field` reads and validates what was posted.

    `answer` is the kept value after `validate()`; `data` is what is shown again. A control that
    doesn't apply (`show_if`) has neither an answer nor an error, and shows again what it got.
    """

    def __init__(self, *args: Any, field: "Field", **kwargs: Any) -> None:
        self.field = field
        self.spec = field.definition
        self.answer: Answer | None = None
        self.applies = True
        super().__init__(*args, **kwargs)

    @property
    def first_id(self) -> str:
        """The id of the first element of this control that can have the focus."""
        return self.id

    def pre_validate(self, form: BaseForm) -> None:  # noqa: ARG002 - WTForms' interface
        if not self.applies:
            return
        posted = self.raw_data or []
        if not all(isinstance(item, str) for item in posted):
            raise StopValidation(messages.TEXT)
        try:
            self.answer = self.field.read(posted).answer
        except InvalidValueError as err:
            raise StopValidation(err.message) from None

    def process_data(self, value: Any) -> None:
        self.process_formdata([] if value is None else [value])

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = self.field.shown([text for text in valuelist if isinstance(text, str)])


class TextControl(Control, wtforms.StringField):
    """Text, in whatever widget the field's type has."""


class Field:
    """One field whose answer is one text; subclasses say what is different.

    Attributes:
        clean: the text as it is kept and shown again; a blank one is absent.
        invalid: the error of a text that isn't of this type.
        several: whether a post may hold several values.
        typed: whether people type it, so that its length is limited.
        autofilled: whether browsers may fill it in.
        left_to_right: whether it runs from left to right in every language.
        looks_like: a pattern of JavaScript that is found in every text of this type, so that
            browsers can find the worst errors; the server knows the others.
    """

    control: ClassVar[type[Control]] = TextControl
    widget: ClassVar[Input | TextArea | None] = TextInput()
    clean = staticmethod(clean_line)
    several: ClassVar[bool] = False
    typed: ClassVar[bool] = True
    autofilled: ClassVar[bool] = True
    left_to_right: ClassVar[bool] = False
    input_mode: ClassVar[str | None] = None
    autofill: ClassVar[str | None] = None
    autofill_of_property: ClassVar[Mapping[str, str]] = OF_PROPERTY
    looks_like: ClassVar[str | None] = None
    pattern: str | None = None
    invalid: ErrorMessage | None = None

    def __init__(
        self,
        definition: FieldDefinition,
        language: str,
        translations: Sequence[FieldDefinition] = (),
    ) -> None:
        """Compile a field; `translations` are the same field in all languages of the form."""
        self.definition = definition
        self.translations = translations
        self.language = language
        self.name = definition.name
        self.required = definition.required
        self.limit = definition.limit
        self.min_length = definition.min_length or 0
        self.options = [option.value for option in definition.options]
        to = definition.to
        self.read_code: Callable[[str, str], str | None] | None = None
        if isinstance(to, PropertyTarget) and to.property in _CODES:
            self.read_code, self.invalid, self.pattern = _CODES[to.property]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def read(self, texts: Sequence[str]) -> Parsed:
        """Return the answer of posted texts (the first counts), or raise InvalidValueError."""
        text = texts[0] if texts else ""
        text = text.strip(" ") if _PLAIN.fullmatch(text) else self.clean(text)
        if not text:
            return self.blank(texts)
        if len(text) > self.limit:
            raise InvalidValueError(messages.too_long(self.limit))
        if len(text) < self.min_length:
            raise InvalidValueError(messages.too_short(self.min_length))
        return self.parse(text)

    def parse(self, text: str) -> Parsed:
        """Return the answer of a cleaned, non-blank text of allowed length; raises as `read`."""
        if self.read_code and self.invalid and self.read_code(text, self.language) is None:
            raise InvalidValueError(self.invalid)
        return Parsed(text)

    def blank(self, texts: Sequence[str]) -> Parsed:
        """Return the answer of a field that was left blank; raises if it is required."""
        if self.required:
            raise InvalidValueError(messages.required(self.definition.type, posted=bool(texts)))
        return Parsed(None)

    def shown(self, texts: Sequence[str]) -> Any:
        """Return what the control shows after these texts were posted."""
        return self.clean(texts[0]) if texts else ""

    def unbound_control(self) -> "UnboundField[Control]":
        options: dict[str, Any] = {
            "field": self,
            "label": self.definition.label,
            "id": f"f-{self.name}",
            "description": self.definition.help,
            "render_kw": self.attributes(),
        }
        if self.widget:
            options["widget"] = self.widget
        return UnboundField(self.control, name=self.name, **options, **self.control_options())

    def control_options(self) -> dict[str, Any]:
        return {}

    def attributes(self) -> dict[str, Any]:
        """Return the HTML attributes of the control, `True` for those without a value."""
        given = self.definition
        found: dict[str, Any] = {}
        if self.left_to_right and direction(self.language) == "rtl":
            found["dir"] = "ltr"
        if self.required:
            found["required"] = True
        # No `maxlength`: browsers cut pasted text at it, unseen.
        if self.typed and self.min_length:
            found["minlength"] = self.min_length
        if given.placeholder:
            found["placeholder"] = given.placeholder
        if self.autofilled and (tokens := self.autocomplete()):
            found["autocomplete"] = tokens
        if self.input_mode:
            found["inputmode"] = self.input_mode
        return found

    def autocomplete(self) -> str | None:
        """Return what the owner wrote, else what the field's target says, else the type's token."""
        given = self.definition
        if given.autocomplete or not isinstance(given.to, PropertyTarget):
            return given.autocomplete or self.autofill
        token = self.autofill_of_property[given.to.property]
        tag = (given.to.tag or "").lower()
        return f"{tag} {token}" if tag in {"shipping", "billing"} else token

    def possible_errors(self) -> dict[Code, ErrorMessage]:
        """Return every message that a visitor can get about this field, by its code."""
        kind, required = self.definition.type, self.required
        found = [messages.required(kind, posted=posted) for posted in (False, True) if required]
        return {message.code: message for message in [*found, *self.type_errors()]}

    def type_errors(self) -> list[ErrorMessage]:
        """Return the messages about an answer that isn't blank."""
        short = [messages.too_short(self.min_length)] if self.min_length else []
        wrong = [self.invalid] if self.invalid else []
        return [messages.too_long(self.limit), *short, *wrong]

    def value_schema(self) -> Schema:
        """Return the JSON Schema of what may be posted as JSON, without its title and the like."""
        required = self.required
        found = [patterns.trimmed(each, required=required) for each in self.value_patterns()]
        found = found or [patterns.SOMETHING if required else patterns.ANYTHING]
        if self.min_length > 1:
            found.append(patterns.at_least(self.min_length, required=required))
        more: Schema = {"allOf": [{"pattern": each} for each in found[1:]]} if found[1:] else {}
        longest = {"maxLength": self.limit} if self.typed else {}
        kind = "string" if required else ["string", "null"]
        return {"type": kind, **longest, "pattern": found[0], **more}

    def value_patterns(self) -> list[str]:
        return [self.pattern] if self.pattern else []
