"""A plain HTML form for another site's page: the same fields, without any style or script."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import escape

from formapp.forms.definition.model import FieldDefinition
from formapp.forms.fields.attributes import attributes
from formapp.forms.form import Form

# A web address without its scheme is taken; a control of type url would refuse it.
_TYPES = {"url": "text"}


def element(tag: str, given: Mapping[str, Any]) -> str:
    """Return a start tag; True is an attribute without a value, None and False none at all."""
    parts = [
        f"{name}" if value is True else f'{name}="{escape(value)}"'
        for name, value in given.items()
        if value is not None and value is not False
    ]
    return f"<{' '.join([tag, *parts])}>"


def html_form(form: Form, address: str) -> str:
    """Return the form as HTML, ready to paste."""
    start = {"action": f"{address}/f/{form.name}", "method": "post"}
    lines = [element("form", start)]
    for field in form.definition.fields:
        lines += [f"  {line}" for line in _field(form, field)]
    trap = f"{form.name}-gotcha"
    control = {"id": trap, "name": "_gotcha", "tabindex": "-1", "autocomplete": "off"}
    lines += [
        "  <div hidden>",
        f"    {element('label', {'for': trap})}Leave this field empty</label>",
        f"    {element('input', control)}",
        "  </div>",
        f'  <button type="submit">{escape(form.definition.submit)}</button>',
        "</form>",
    ]
    return "\n".join(lines)


def _field(form: Form, field: FieldDefinition) -> Iterator[str]:
    if field.type == "hidden":
        # The others are formapp's to fill in: it takes nobody's word for them.
        if field.from_query:
            yield element("input", {"type": "hidden", "name": field.name, "value": ""})
        return
    element_id = f"{form.name}-{field.name}"
    if field.type in {"radio", "checkboxes"}:
        yield from _group(field, element_id)
        return
    yield "<p>"
    if field.type in {"checkbox", "consent"}:
        given = {"type": "checkbox", "name": field.name, "value": field.tick_value}
        tick = element("input", given | _described(field, element_id) | _state(field))
        yield f"  <label>{tick} {escape(field.label)}</label>"
    else:
        yield f"  {element('label', {'for': element_id})}{escape(field.label)}</label><br>"
        yield from (f"  {line}" for line in _control(field, element_id, form.language))
    if field.help:
        yield f"  <br>{element('small', {'id': _help_id(element_id)})}{escape(field.help)}</small>"
    yield "</p>"


def _control(field: FieldDefinition, element_id: str, language: str) -> Iterator[str]:
    given = {"id": element_id, "name": field.name} | _described(field, element_id)
    given |= attributes(field, language)
    if field.type == "textarea":
        yield f"{element('textarea', given)}</textarea>"
    elif field.type == "select":
        yield element("select", given)
        yield f'  <option value="">{escape(field.placeholder)}</option>'
        for option in field.options:
            start = element("option", {"value": option.value})
            yield f"  {start}{escape(option.label)}</option>"
        yield "</select>"
    else:
        yield element("input", {"type": _TYPES.get(field.type, field.type)} | given)


def _group(field: FieldDefinition, element_id: str) -> Iterator[str]:
    yield element("fieldset", _described(field, element_id))
    yield f"  <legend>{escape(field.label)}</legend>"
    kind = "radio" if field.type == "radio" else "checkbox"
    for option in field.options:
        given = {"type": kind, "name": field.name, "value": option.value}
        # On boxes `required` would demand every single one.
        state = _state(field) if kind == "radio" else {}
        yield f"  <label>{element('input', given | state)} {escape(option.label)}</label><br>"
    if field.help:
        yield f"  {element('small', {'id': _help_id(element_id)})}{escape(field.help)}</small>"
    yield "</fieldset>"


def _state(field: FieldDefinition) -> dict[str, Any]:
    return {"required": True} if field.required else {}


def _described(field: FieldDefinition, element_id: str) -> dict[str, Any]:
    return {"aria-describedby": _help_id(element_id)} if field.help else {}


def _help_id(element_id: str) -> str:
    return f"{element_id}-help"
