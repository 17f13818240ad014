"""A compiled form: the definition and, built once, its WTForms class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from formapp.forms import posted as names
from formapp.forms.attributes import attributes
from formapp.forms.controls import CONTROLS, Control
from formapp.forms.csrf import TOKEN_NAME
from formapp.forms.definition import FormDefinition
from formapp.forms.fields import FieldDefinition
from formapp.forms.lead_form import LeadForm
from formapp.forms.phones import load_region
from formapp.forms.token import TokenContext


@dataclass(frozen=True, repr=False)
class Form:
    """One form, ready to be shown and filled in."""

    name: str
    definition: FormDefinition
    version: str
    form_class: type[LeadForm]

    def __repr__(self) -> str:
        return f"<Form {self.name} {self.version}>"

    def bind(
        self,
        posted: MultiDict[str, str] | None = None,
        *,
        token: TokenContext | None,
        prefill: Mapping[str, str] | None = None,
        page: str | None = None,
        referrer: str | None = None,
    ) -> LeadForm:
        """Return the form with what was posted, or as it is first shown.

        Args:
            posted: The pairs of a post; a JSON list is several pairs of one name.
            token: What our own page's token needs; None for a foreign form's post, which carries
                none. Where it holds no posted token, the `_token` of `posted` is read.
            prefill: The page's query: texts by field name, for hidden fields by `from_query`.
            page: The page's address, for hidden fields with `from = "page"`.
            referrer: Where the visitor came from, for those with `from = "referrer"`.
        """
        if token and token.posted is None and posted is not None:
            token = replace(token, posted=posted.get(TOKEN_NAME))
        given = {"page": page, "referrer": referrer}
        query = prefill or {}
        first = {name: _first(field, query, given) for name, field in self._attributes()}
        return self.form_class(posted, data=first, token=token)

    def repeated(
        self, posted: MultiDict[str, str], lists: frozenset[str] = frozenset()
    ) -> list[str]:
        """Return the names that may come once but came several times, or as a JSON list.

        `lists` are the names that came as a list.
        """
        return names.repeated(self.definition, posted, lists)

    def unknown(self, posted: MultiDict[str, str]) -> int:
        """Return how many names are neither fields of this form nor formapp's own."""
        return names.unknown(self.definition, posted)

    def _attributes(self) -> Sequence[tuple[str, FieldDefinition]]:
        return [(_attribute(n), field) for n, field in enumerate(self.definition.fields)]


def compile_form(name: str, definition: FormDefinition) -> Form:
    """Return the form; loads the numbering plans that its phone fields need."""
    controls = {_attribute(n): _control(field) for n, field in enumerate(definition.fields)}
    form_class = type(f"{name.title()}Form", (LeadForm,), controls | {"spec": definition})
    for field in definition.fields:
        if field.region:
            load_region(field.region)
    return Form(name, definition, definition.version, form_class)


def _attribute(index: int) -> str:
    # A field may be called `data` or `validate`: its name can't be the attribute's.
    return f"field_{index}"


def _control(field: FieldDefinition) -> "UnboundField[Control]":
    options: dict[str, Any] = {
        "spec": field,
        "label": field.label,
        "id": f"f-{field.name}",
        "description": field.help,
        "render_kw": attributes(field),
    }
    return UnboundField(CONTROLS[field.type], name=field.name, **options)


def _first(
    field: FieldDefinition, query: Mapping[str, str], given: Mapping[str, str | None]
) -> str | None:
    """Return what the control of a field begins with."""
    if field.from_:
        return given[field.from_]
    return field.value if field.type == "hidden" and field.value else query.get(_asked(field))


def _asked(field: FieldDefinition) -> str:
    return field.from_query or field.name
