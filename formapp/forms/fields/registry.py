"""The field types by their names in a form file. A new type is a class and a line here."""

from collections.abc import Mapping, Sequence

from formapp.forms.definition.model import FieldDefinition
from formapp.forms.fields.base import Field
from formapp.forms.fields.choices import Checkbox, Checkboxes, Consent, Radio, Select
from formapp.forms.fields.files import File
from formapp.forms.fields.numbers import Date, Number
from formapp.forms.fields.text import Email, Hidden, Tel, Text, Textarea, Url

FIELD_TYPES: Mapping[str, type[Field]] = {
    "text": Text,
    "textarea": Textarea,
    "email": Email,
    "tel": Tel,
    "number": Number,
    "date": Date,
    "url": Url,
    "select": Select,
    "radio": Radio,
    "checkboxes": Checkboxes,
    "checkbox": Checkbox,
    "consent": Consent,
    "hidden": Hidden,
    "file": File,
}


def compile_field(
    definition: FieldDefinition, language: str, translations: Sequence[FieldDefinition] = ()
) -> Field:
    """Return the field of a form file in a language, ready to be shown and read."""
    return FIELD_TYPES[definition.type](definition, language, translations)
