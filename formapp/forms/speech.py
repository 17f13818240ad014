"""Texts of formapp and of WTForms in the language of a form, each catalogue read once."""

import gettext
from functools import cache

from wtforms.i18n import get_translations

from formapp.languages import load_texts


@cache
def texts_in(language: str) -> gettext.NullTranslations:
    """Return the catalogue for a form's language: ours, and WTForms' for what ours hasn't."""
    ours = load_texts(language)
    try:
        ours.add_fallback(get_translations([language.replace("-", "_"), language.partition("-")[0]]))
    except FileNotFoundError:
        # WTForms doesn't speak it: its texts stay English, as do ours.
        pass
    return ours
