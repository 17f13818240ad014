"""Texts of formapp and of WTForms in the language of a form, each catalogue read once."""

import gettext
from contextlib import suppress
from functools import cache

from wtforms.i18n import get_translations

from formapp.languages import load_texts


@cache
def texts_in(language: str) -> gettext.NullTranslations:
    """Return the catalogue for a form's language: ours, and WTForms' for what ours hasn't."""
    ours = load_texts(language)
    names = [language.replace("-", "_"), language.partition("-")[0]]
    # Where WTForms doesn't speak it either, its texts stay English.
    with suppress(FileNotFoundError):
        ours.add_fallback(get_translations(names))
    return ours
