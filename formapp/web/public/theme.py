"""A form's theme: from its file, and in a frame also from the embedding page.

Both are custom properties in a style sheet of the form, since our policy allows nothing inline.
The embedding page sends its theme as `theme.…` parameters, which follow the rules of the form file;
other values are ignored.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import reduce
from urllib.parse import urlencode

from flask import Request, Response, request, url_for
from pydantic import ValidationError

from formapp.forms.definition.theme import Palette, Theme, style_of, unreadable
from formapp.forms.form import Form
from formapp.web.i18n import requested_form
from formapp.web.public.attribution import THEME, is_embedded

_DARK = "dark."


def theme_context() -> dict[str, str]:
    """Return `theme_sheet` for templates: the address of the form's style sheet, if it has one."""
    form = requested_form()
    if form is None:
        return {}
    query = theme_query(request)
    return {"theme_sheet": sheet_address(form, query)} if has_sheet(form, query) else {}


def has_sheet(form: Form, query: str) -> bool:
    """Return whether a page has a theme: the form's own, or one of its address (`theme_query`)."""
    return form.definition.theme is not None or bool(query)


def theme_query(request: Request) -> str:
    """Return the theme in a page's address, as the end of a query; empty except in a frame."""
    names = _parts(request.args) if request.query_string and is_embedded(request) else ()
    return f"&{urlencode({name: request.args[name] for name in names})}" if names else ""


def sheet_address(form: Form, query: str) -> str:
    """Return the address of a form's style sheet, with the theme of the page's address."""
    # With the version a browser may keep the sheet for as long as the form file is unchanged.
    return f"{url_for('forms.theme', name=form.name)}?v={form.version}{query}"


def show_theme(request: Request, form: Form) -> Response:
    theme = _merged(form.definition.theme or Theme(), list(_parts(request.args).values()))
    response = Response(style_of(theme), mimetype="text/css")
    # Another process may have another version of the form just now: its look must not be cached.
    is_current = request.args.get("v") == form.version
    response.headers["Cache-Control"] = "public, max-age=86400" if is_current else "no-cache"
    return response


def _parts(query: Mapping[str, str]) -> dict[str, Theme]:
    """Return the valid parts of a theme in a query, by their names there."""
    parts = {}
    for key, text in query.items():
        if key.startswith(THEME):
            name = key.removeprefix(THEME)
            inner = name.removeprefix(_DARK)
            given = {name: text} if inner == name else {"dark": {inner: text}}
            with suppress(ValidationError):
                parts[key] = Theme.model_validate(given)
    return parts


def _merged(theme: Theme, parts: list[Theme]) -> Theme:
    """Return the theme with all parts, but without new grounds where text would be unreadable."""
    if not unreadable(merged := reduce(_with, parts, theme)):
        return merged
    return reduce(_with, [part for part in parts if not _is_ground(part)], theme)


def _is_ground(part: Theme) -> bool:
    palette = part.dark or part
    return palette.text is not None or palette.background is not None


def _with(theme: Theme, part: Theme) -> Theme:
    changes = part.model_dump(exclude_none=True)
    if part.dark is not None:
        dark = (theme.dark or Palette()).model_dump(exclude_none=True)
        changes["dark"] = Palette.model_construct(**(dark | changes["dark"]))
    return theme.model_copy(update=changes)
