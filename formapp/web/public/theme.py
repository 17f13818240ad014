"""A form's own look: the theme of its file, and in a frame what the page around says besides.

Both are custom properties in a style sheet of the form's, since our policy allows nothing inline.
What the page says comes as `theme.…` in the query and is held to the rules of the form file: what
doesn't fit them is left out.
"""

from collections.abc import Mapping
from functools import reduce
from urllib.parse import urlencode

from flask import Request, Response, request, url_for
from pydantic import ValidationError

from formapp.forms.definition.theme import Palette, Theme, style_of, unreadable
from formapp.forms.form import Form
from formapp.web.i18n import form_at_hand
from formapp.web.public.attribution import THEME, is_embedded

_DARK = "dark."


def theme_context() -> dict[str, str]:
    """What every page of a form needs of its theme: `theme_sheet`, the style sheet's address."""
    form = form_at_hand()
    if form is None:
        return {}
    said = said_of_theme(request)
    return {"theme_sheet": sheet_address(form, said)} if has_sheet(form, said) else {}


def has_sheet(form: Form, said: str) -> bool:
    """Whether a page has a theme: the form's own, or by what its address says (see below)."""
    return form.definition.theme is not None or bool(said)


def said_of_theme(request: Request) -> str:
    """What the page at hand says of its theme, as the end of a query; empty except in a frame."""
    said = _said(request.args) if is_embedded(request) else {}
    return f"&{urlencode(said)}" if said else ""


def sheet_address(form: Form, said: str) -> str:
    """The address of a form's style sheet, with what a page says of its theme."""
    # With the version a browser may keep the sheet for as long as the form file stays as it is.
    return f"{url_for('forms.theme', name=form.name)}?v={form.version}{said}"


def theme_sheet(request: Request, form: Form) -> Response:
    """The style sheet."""
    theme = _with(form.definition.theme or Theme(), _said(request.args))
    response = Response(style_of(theme), mimetype="text/css")
    # Another process may know another version of the form just now: its look isn't to be kept.
    kept = request.args.get("v") == form.version
    response.headers["Cache-Control"] = "public, max-age=86400" if kept else "no-cache"
    return response


def _said(query: Mapping[str, str]) -> dict[str, str]:
    """What of a query is part of a theme, by its name in the query."""
    given = {key: text for key, text in query.items() if key.startswith(THEME)}
    return {key: text for key, text in given.items() if _read(key, text) is not None}


def _read(key: str, text: str) -> Theme | None:
    name = key.removeprefix(THEME)
    inner = name.removeprefix(_DARK)
    try:
        return Theme.model_validate({name: text} if inner == name else {"dark": {inner: text}})
    except ValidationError:
        return None


def _with(theme: Theme, said: Mapping[str, str]) -> Theme:
    """The theme with all that a page says, or without its grounds where they can't be read."""
    read = [one for key, text in said.items() if (one := _read(key, text))]
    if not unreadable(whole := reduce(_merged, read, theme)):
        return whole
    return reduce(_merged, [one for one in read if not _is_ground(one)], theme)


def _is_ground(one: Theme) -> bool:
    palette = one.dark or one
    return palette.text is not None or palette.background is not None


def _merged(theme: Theme, one: Theme) -> Theme:
    changes = one.model_dump(exclude_none=True)
    if one.dark is not None:
        dark = (theme.dark or Palette()).model_dump(exclude_none=True)
        changes["dark"] = Palette.model_construct(**(dark | changes["dark"]))
    return theme.model_copy(update=changes)
