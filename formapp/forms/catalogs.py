"""Translations for WTForms: formapp's, then those that WTForms brings along."""

import gettext
from contextlib import suppress
from copy import copy
from functools import cache

from wtforms.i18n import get_translations

from formapp.languages import load_texts


@cache
def texts_in(language: str) -> gettext.NullTranslations:
    """Return the translations for a form's language; a missing text stays English."""
    texts = copy(load_texts(language))
    names = [language.replace("-", "_"), language.partition("-")[0]]
    # WTForms raises this if it has no catalogue for a language.
    with suppress(FileNotFoundError):
        texts.add_fallback(get_translations(names))
    return texts
