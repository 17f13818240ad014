"""A compiled form: the definition and, built once, its WTForms class."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from formapp.forms.csrf import TOKEN_NAME
from formapp.forms.definition.localize import in_language
from formapp.forms.definition.model import FieldDefinition, FormDefinition
from formapp.forms.fields.attributes import attributes
from formapp.forms.fields.controls import CONTROLS, Control
from formapp.forms.lead_form import LeadForm
from formapp.forms.phones import load_region
from formapp.forms.posted import Sent, sent
from formapp.forms.tokens import TokenContext


@dataclass(frozen=True, repr=False)
class Form:
    """One form in one of its languages, ready to be shown and filled in.

    `version` is that of the form file, whatever the language; `spoken` holds the same form in every
    language that it offers, its own first.
    """

    name: str
    definition: FormDefinition
    version: str
    form_class: type[LeadForm]
    spoken: Mapping[str, "Form"] = dataclass_field(compare=False)

    def __repr__(self) -> str:
        return f"<Form {self.name} {self.version}>"

    @property
    def language(self) -> str:
        """The language of this form's texts."""
        return self.definition.language

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the form offers, its own first."""
        return tuple(self.spoken)

    def speaking(self, language: str) -> "Form":
        """Return the form in another of its languages.

        Raises:
            KeyError: The form doesn't offer it.
        """
        return self.spoken[language]

    def bind(
        self,
        posted: MultiDict[str, str] | Sent | None = None,
        *,
        token: TokenContext | None,
        prefill: Mapping[str, str] | None = None,
        page: str | None = None,
        referrer: str | None = None,
    ) -> LeadForm:
        """Return the form with what was posted, or as it is first shown.

        Args:
            posted: The pairs of a post, by any name that a field has; a JSON list is several pairs
                of one name. `sent` makes out the same beforehand.
            token: What our own page's token needs; None for a foreign form's post, which carries
                none. Where it holds no posted token, the `_token` of `posted` is read.
            prefill: The page's query: texts by field name for fields with `prefill = true`, for
                hidden ones by `from_query`.
            page: The page's address, for hidden fields with `from = "page"`.
            referrer: Where the visitor came from, for those with `from = "referrer"`.
        """
        if isinstance(posted, MultiDict):
            posted = self.sent(posted)
        if token and token.posted is None and posted is not None:
            token = replace(token, posted=posted.pairs.get(TOKEN_NAME))
        if posted is None:
            given = {"page": page, "referrer": referrer}
            first = {
                _attribute(n): _first(field, prefill or {}, given)
                for n, field in enumerate(self.definition.fields)
            }
            return self.form_class(None, data=first, token=token)
        bound = self.form_class(posted.own(), data={}, token=token)
        bound.sent = posted
        return bound

    def sent(self, posted: MultiDict[str, str]) -> Sent:
        """Return a post with what the names in it stand for."""
        return sent(self.definition, posted)

    @property
    def asked(self) -> dict[str, str]:
        """What a page may fill in beforehand: names in its query -> names of fields."""
        return {
            name: field.name
            for field in self.definition.fields
            if field.asked
            for name in (field.asked, *field.aliases)
        }


def compile_form(name: str, definition: FormDefinition) -> Form:
    """Return the form in its own language, with all others at hand.

    Loads the numbering plans that its phone fields need.
    """
    for field in definition.fields:
        if field.region:
            load_region(field.region)
    spoken: dict[str, Form] = {}
    for language in definition.languages:
        said = in_language(definition, language)
        form_class = _form_class(name, said)
        spoken[language] = Form(name, said, definition.version, form_class, spoken)
    return spoken[definition.language]


def _form_class(name: str, definition: FormDefinition) -> type[LeadForm]:
    controls = {
        _attribute(n): _control(field, definition.language)
        for n, field in enumerate(definition.fields)
    }
    return type(f"{name.title()}Form", (LeadForm,), controls | {"spec": definition})


def _attribute(index: int) -> str:
    # A field may be called `data` or `validate`: its name can't be the attribute's.
    return f"field_{index}"


def _control(field: FieldDefinition, language: str) -> "UnboundField[Control]":
    options: dict[str, Any] = {
        "spec": field,
        "label": field.label,
        "id": f"f-{field.name}",
        "description": field.help,
        "render_kw": attributes(field, language),
    }
    return UnboundField(CONTROLS[field.type], name=field.name, **options)


def _first(
    field: FieldDefinition, query: Mapping[str, str], given: Mapping[str, str | None]
) -> str | None:
    """Return what the control of a field begins with."""
    if field.from_:
        return given[field.from_]
    if field.type == "hidden" and field.value:
        return field.value
    asked = (field.asked, *field.aliases) if field.asked else ()
    return next((query[name] for name in asked if query.get(name)), None)
