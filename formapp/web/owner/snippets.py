"""What a site's owner pastes into their own pages: each snippet is a text made of a form.

`SNIPPETS` names them all. Each takes the form and the address of this server, without a slash at
its end. The texts hold nothing but what the form file says and that address.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from formapp.forms.form import Form
from formapp.web.owner.snippet_html import element, html_form
from formapp.web.owner.snippet_scripts import fetch_example, react_example

_HEAD = 170
_LINE = 26
_LANGUAGES = 48
_HEIGHTS = {"textarea": 105, "radio": 20, "checkboxes": 20, "checkbox": 10, "consent": 10}
_HEIGHT = 88
_BETWEEN = 30
_OPTION = 46


@dataclass(frozen=True)
class Snippet:
    """One snippet: its name, what it is called on the page and for whom it is."""

    name: str
    title: str
    text: str


def link(form: Form, address: str) -> str:
    """Return the address of the hosted page."""
    return f"{address}/f/{form.name}"


def script(form: Form, address: str) -> str:
    """Return the script element that puts the form in and fits its height."""
    attributes = {
        "src": f"{address}/embed.js",
        "data-form": form.name,
        "data-title": form.definition.title,
        "async": True,
    }
    return f"{element('script', attributes)}</script>"


def iframe(form: Form, address: str) -> str:
    """Return a frame of a fixed height, for pages that may hold no script."""
    attributes = {
        "src": f"{link(form, address)}/embed",
        "title": form.definition.title,
        "width": "100%",
        "height": height(form),
        "style": "border: 0",
        "loading": "lazy",
    }
    return f"{element('iframe', attributes)}</iframe>"


def height(form: Form) -> int:
    """Return about how tall the embedded form is, in CSS pixels, where it has 600 of width."""
    shown = [field for field in form.definition.fields if field.visible]
    total = _HEAD + _LINE * bool(form.definition.intro) + _LANGUAGES * (len(form.languages) > 1)
    for field in shown:
        total += _HEIGHTS.get(field.type, _HEIGHT) + _BETWEEN
        total += _LINE * bool(field.help)
        if field.type in {"radio", "checkboxes"}:
            total += _OPTION * len(field.options)
        elif field.type in {"checkbox", "consent"}:
            total += _OPTION
        elif field.type == "textarea":
            total += _LINE * max((field.rows or 5) - 3, 0)
    return total


SNIPPETS: Mapping[str, tuple[str, Callable[[Form, str], str]]] = {
    "link": ("Link to the form", link),
    "script": ("Embed it with one line", script),
    "iframe": ("Embed it without script", iframe),
    "html": ("Your own HTML form", html_form),
    "fetch": ("Send it with fetch", fetch_example),
    "react": ("React, with Formspree's package", react_example),
}
"""Name -> the title of the snippet, and the function that makes it."""


def snippets(form: Form, address: str) -> list[Snippet]:
    """Return all snippets of a form, in the order in which the page shows them."""
    return [Snippet(name, title, make(form, address)) for name, (title, make) in SNIPPETS.items()]
