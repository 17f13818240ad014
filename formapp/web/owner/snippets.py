"""Snippets that an owner pastes into their own pages, from templates in `templates/share`.

They contain only texts of the form file and the address of this server.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from formapp.forms.definition.links import linked, plain
from formapp.forms.definition.model import FieldDefinition
from formapp.forms.form import FIELD_TYPES, Form
from formapp.resources import TEMPLATES
from formapp.web.public.layout import condition_hint

SNIPPETS: Mapping[str, tuple[str, str]] = {
    "link": ("Link to the form", "link.txt"),
    "script": ("Embed it with one line", "script.html"),
    "iframe": ("Embed it without script", "iframe.html"),
    "html": ("Your own HTML form", "form.html"),
    "fetch": ("Send it with fetch", "fetch.html"),
    "react": ("React, with Formspree's package", "react.jsx"),
}
"""Name -> title and template, in the order of the page."""

# CSS pixels of an embedded form's parts, 600 wide.
_HEAD = 170
_LINE = 26
_LANGUAGES = 48
_HEIGHTS = {"textarea": 105, "radio": 20, "checkboxes": 20, "checkbox": 10, "consent": 10}
_HEIGHT = 88
_BETWEEN = 30
_OPTION = 46

_JSX_NAMES = {
    "maxlength": "maxLength",
    "minlength": "minLength",
    "autocomplete": "autoComplete",
    "inputmode": "inputMode",
}
_ENDS = (".", "!", "?", ":")
_PLAIN_TEXT = re.compile(r"[^\s{}<>&](?:[^{}<>&\n]*[^\s{}<>&])?")
_PLAIN_VALUE = re.compile(r'[^"&\n]*')


def snippet(name: str, form: Form, address: str) -> str:
    """Return a snippet's text; `address` is this server's, without a slash at its end."""
    return _TEMPLATES.get_template(SNIPPETS[name][1]).render(
        form=form,
        fields=[_without_script(field) for field in form.definition.fields],
        hint=lambda field: condition_hint(form.definition, field),
        address=address,
        height=height(form),
        component=_component(form.name),
        attributes=lambda field: FIELD_TYPES[field.type](field, form.language).attributes(),
    )


def all_snippets(form: Form, address: str) -> dict[str, tuple[str, str]]:
    """Return title and text of each snippet by its name."""
    return {key: (title, snippet(key, form, address)) for key, (title, _) in SNIPPETS.items()}


def _without_script(field: FieldDefinition) -> FieldDefinition:
    """Return a field as it is without our script: one that may not apply can't be required."""
    return field.model_copy(update={"required": False}) if field.show_if else field


def height(form: Form) -> int:
    """Return about how tall the embedded form is, in CSS pixels, at a width of 600."""
    total = _HEAD + _LINE * bool(form.definition.intro) + _LANGUAGES * (len(form.languages) > 1)
    for field in form.definition.fields:
        if not field.visible:
            continue
        total += _HEIGHTS.get(field.type, _HEIGHT) + _BETWEEN
        total += _LINE * bool(field.help)
        if field.type in {"radio", "checkboxes"}:
            total += _OPTION * len(field.options)
        elif field.type in {"checkbox", "consent"}:
            total += _OPTION
        elif field.type == "textarea":
            total += _LINE * max((field.rows or 5) - 3, 0)
    return total


def _input_type(field: FieldDefinition) -> str:
    # formapp accepts a web address without its scheme, and `2.500,00`; their controls reject it.
    return "text" if field.type in {"url", "number"} else field.type


def _component(name: str) -> str:
    words = "".join(word.capitalize() for word in re.split(r"[^a-z0-9]+", name))
    return f"{'' if words[:1].isalpha() else 'The'}{words}Form"


def _quoted(label: str) -> str:
    return f"“{label}”" if label.endswith(_ENDS) else label


def _script_text(text: str) -> Markup:
    # `</script>` and `<!--` would end the element or hide its end.
    return Markup(json.dumps(text, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 - JSON


def _jsx_text(text: str) -> str:
    if not text or _PLAIN_TEXT.fullmatch(text):
        return text
    return f"{{{json.dumps(text, ensure_ascii=False)}}}"


def _jsx_attribute(value: Any, name: str) -> str:
    name = _JSX_NAMES.get(name, name)
    if value is True:
        return name
    if isinstance(value, int | float):
        return f"{name}={{{value}}}"
    if _PLAIN_VALUE.fullmatch(value):
        return f'{name}="{value}"'
    return f"{name}={{{json.dumps(value, ensure_ascii=False)}}}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(TEMPLATES / "share"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals |= {"input_type": _input_type, "quoted": _quoted}
_TEMPLATES.filters |= {
    "json_text": json.dumps,
    "linked": linked,
    "plain": plain,
    "jsx_attribute": _jsx_attribute,
    "jsx_text": _jsx_text,
    "script_text": _script_text,
}
