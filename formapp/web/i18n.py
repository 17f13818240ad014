"""The language of a response, and messages in it.

For a form: the language of `?lang=` if the form offers it, else the one that the browser prefers
among several, else the form's own. Without a form: the one that the browser prefers among the
languages of formapp. Our own pages keep the language in all their links.
"""

from typing import cast

from flask import Flask, Request, g, request
from flask_babel import Babel, refresh
from markupsafe import Markup

from formapp.forms.form import Form
from formapp.languages import (
    DOMAIN,
    SOURCE,
    SPOKEN,
    direction,
    lookup,
    negotiate,
    own_name,
    spoken_for,
)
from formapp.resources import TRANSLATIONS
from formapp.web.services import Services, services

LANG = "lang"
"""The query parameter that selects a language."""

_ENGLISH = Markup('<span lang="en" dir="ltr">{}</span>')


def init_app(app: Flask) -> None:
    """Have Flask-Babel translate, and add the language functions to templates."""
    Babel(
        app,
        default_locale=SOURCE,
        default_domain=DOMAIN,
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=_locale,
    )
    app.jinja_env.globals |= {
        "direction": direction,
        "language": language,
        "ours": ours,
        "own_name": own_name,
    }


def language(form: Form | None = None) -> str:
    """Return the language of the answer, chosen on first use for the requested form."""
    if (tag := g.get("language")) is None:
        tag = g.language = _choose(request, form or requested_form())
    return cast("str", tag)


def set_language(tag: str) -> None:
    """Use this language for the response, whatever the request selects."""
    g.language = tag
    refresh()


def is_negotiated() -> bool:
    """Return whether the browser's languages affected the response."""
    return "language_negotiated" in g


def form_of(request: Request, app: Services) -> Form | None:
    """Return the form that a request's address names, in its own language; None without one."""
    return app.forms.get((request.view_args or {}).get("name", ""))


def requested_form() -> Form | None:
    return form_of(request, services())


def localized_form(name: str, app: Services) -> Form:
    """Return the form of this name, in the language of the answer, or raise RefusalError: 404."""
    form = app.form(name)
    return form.localized[language(form)]


def language_query(form: Form) -> dict[str, str]:
    """Return the query parameters that keep the form's current language."""
    return {LANG: form.language} if len(form.languages) > 1 else {}


def next_language_query(form: Form) -> dict[str, str]:
    """Return the parameters for the next address; empty if negotiation selects the language."""
    if len(form.languages) == 1:
        return {}
    preferred = negotiate(request.accept_languages, form.languages) or form.languages[0]
    return {} if preferred == form.language else language_query(form)


def ours(text: str) -> str:
    """Return a text of formapp's own for a page.

    On a page in a language without a catalogue, the text is English and marked as such, so that
    screen readers pronounce both properly.
    """
    return text if spoken_for(language()) else _ENGLISH.format(text)


def _choose(request: Request, form: Form | None) -> str:
    offered = form.languages if form else SPOKEN
    if len(offered) == 1:
        return offered[0]
    wanted = request.args.get(LANG)
    if found := lookup(wanted, offered) if wanted else None:
        return found
    g.language_negotiated = True
    return negotiate(request.accept_languages, offered) or offered[0]


def _locale() -> str:
    return (spoken_for(language()) or SOURCE).replace("-", "_")
