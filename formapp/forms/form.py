"""A compiled form: the definition and, built once, its fields, its reader and its WTForms class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from formapp.forms.definition.localize import in_language
from formapp.forms.definition.model import FieldDefinition, FormDefinition
from formapp.forms.definition.parse import load_definitions
from formapp.forms.fields.base import Field
from formapp.forms.fields.choices import Checkbox, Checkboxes, Radio, Select
from formapp.forms.fields.files import File
from formapp.forms.fields.numbers import Date, Number
from formapp.forms.fields.text import Email, Hidden, Tel, Text, Textarea, Url
from formapp.forms.lead_form import LeadForm, form_class
from formapp.forms.posted import Posted, Reader
from formapp.forms.reading.contact import load_region
from formapp.forms.tokens import TokenContext

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
    "consent": Checkbox,
    "hidden": Hidden,
    "file": File,
}
"""The field types by their names in a form file. A new type is a class and a line here."""


@dataclass(frozen=True, repr=False, eq=False)
class Form:
    """One form in one of its languages, ready to be shown and filled in.

    `version` is that of the form file; `localized` holds the form in each of its `languages`, its
    own first. `allows_origin` tests a browser's `Origin`, `max_bytes` limits the length of a post
    without its files.
    """

    name: str
    language: str
    languages: tuple[str, ...]
    definition: FormDefinition
    version: str
    fields: tuple[Field, ...]
    form_class: type[LeadForm]
    reader: Reader
    allows_origin: Callable[[str], bool]
    max_bytes: int
    takes_files: bool
    localized: Mapping[str, "Form"]

    def __repr__(self) -> str:
        return f"<Form {self.name} {self.version}>"

    def bind(
        self,
        posted: Posted | None = None,
        *,
        token: TokenContext | None,
        prefill: Mapping[str, str] | None = None,
        page: str | None = None,
        referrer: str | None = None,
    ) -> LeadForm:
        """Return the form with what was posted, or as it is first shown.

        `token` is None for a foreign form's post, which has none; where it holds no posted token,
        the `_token` of `posted` is read. The others are for the first time only: `prefill` is the
        page's query, `page` and `referrer` are for hidden fields with a `from`.
        """
        first: list[str | None] = []
        if posted is None:
            given = {"page": page, "referrer": referrer}
            first = [_first(field, prefill or {}, given) for field in self.definition.fields]
        return self.form_class(posted, first=first, token=token)

    @cached_property
    def taken_from(self) -> frozenset[str]:
        """Where hidden fields take their values from: `page`, `referrer`."""
        return frozenset(field.from_ for field in self.definition.fields if field.from_)

    @cached_property
    def prefill_names(self) -> dict[str, str]:
        """Parameter of a page's query -> name of the field that it prefills."""
        return {name: field.name for field in self.definition.fields for name in field.query_names}


def _first(
    field: FieldDefinition, query: Mapping[str, str], given: Mapping[str, str | None]
) -> str | None:
    """Return the text that the control of a field begins with."""
    if field.from_:
        return given[field.from_]
    if field.type == "hidden" and field.value:
        return field.value
    return next((query[name] for name in field.query_names if query.get(name)), None)


def load_forms(folder: Path) -> dict[str, Form]:
    """Return the forms of a folder by name, in alphabetical order; may raise FormFilesError."""
    definitions = load_definitions(folder)
    return {name: compile_form(name, definition) for name, definition in definitions.items()}


def compile_form(name: str, definition: FormDefinition) -> Form:
    """Return the form in its own language, with all others at hand.

    Loads the numbering plans that its phone fields need.
    """
    for field in definition.fields:
        if field.region:
            load_region(field.region)
    forms: dict[str, Form] = {}
    localized = {language: in_language(definition, language) for language in definition.languages}
    translations = list(zip(*(each.fields for each in localized.values()), strict=True))
    for language, local in localized.items():
        fields = tuple(
            FIELD_TYPES[field.type](field, language, others)
            for field, others in zip(local.fields, translations, strict=True)
        )
        forms[language] = Form(
            name,
            language,
            definition.languages,
            local,
            definition.version,
            fields,
            form_class(name, local, fields),
            Reader(name, local, fields),
            lru_cache(maxsize=1024)(definition.allows_origin),
            definition.longest_post,
            definition.most_file_bytes > 0,
            forms,
        )
    return forms[definition.language]
