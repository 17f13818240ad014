"""The language of the answer at hand.

Of a form: what `?lang=` asks for if the form offers it, else what the visitor's browser likes best
of several, else the form's own. Without a form: what the browser likes best of the languages that
formapp speaks. Our own pages carry the language on in every address that they lead to.
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
from formapp.web.services import services

LANG = "lang"
"""The name in a query that asks for a language."""

_ENGLISH = Markup('<span lang="en" dir="ltr">{}</span>')


def init_app(app: Flask) -> None:
    """Have Flask-Babel translate, and give templates what they need of languages."""
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
        "own_name": own_name,
        "ours": ours,
    }


def language() -> str:
    """The language of the answer at hand."""
    if (known := g.get("language")) is None:
        known = g.language = _choose(request, form_at_hand())
    return cast("str", known)


def speak(tag: str) -> None:
    """Say what language the answer at hand is in."""
    g.language = tag
    refresh()


def form_at_hand() -> Form | None:
    """The form that the request's address names, in its own language; None where there is none."""
    return services().forms.get((request.view_args or {}).get("name", ""))


def spoken_form(name: str) -> Form:
    """The form of this name, in the language of the answer at hand.

    Raises:
        RefusalError: 404, there is none.
    """
    return services().form(name).speaking(language())


def carried_language(form: Form) -> dict[str, str]:
    """What an address says so that its page is in the same language; empty where it needn't."""
    return {LANG: form.language} if len(form.languages) > 1 else {}


def followed_language(form: Form) -> dict[str, str]:
    """The same for an address that this very browser goes on to, which says its languages again."""
    liked = negotiate(request.accept_languages, form.languages) or form.languages[0]
    return {} if liked == form.language else carried_language(form)


def ours(text: str) -> str:
    """A text of formapp's own, for a page.

    On a page of a language that formapp doesn't speak it is English and marked as such, so that a
    screen reader pronounces both properly.
    """
    return text if spoken_for(language()) else _ENGLISH.format(text)


def is_negotiated() -> bool:
    """Whether the browser's languages had a say in the answer at hand."""
    return "language_negotiated" in g


def _choose(request: Request, form: Form | None) -> str:
    offered = form.languages if form else SPOKEN
    if len(offered) == 1:
        return offered[0]
    asked = request.args.get(LANG)
    if found := lookup(asked, offered) if asked else None:
        return found
    g.language_negotiated = True
    return negotiate(request.accept_languages, offered) or offered[0]


def _locale() -> str:
    return (spoken_for(language()) or SOURCE).replace("-", "_")
