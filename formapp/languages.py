"""Languages: formapp's translations, how one is chosen, its direction and its own name.

A language is a tag of BCP 47 (`de`, `pt-BR`). English is the source text; every other language is
a folder of `formapp/translations`.
"""

from collections.abc import Iterable, Sequence
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.support import NullTranslations, Translations

from formapp.resources import TRANSLATIONS

SOURCE = "en"
DOMAIN = "formapp"
SPOKEN = (SOURCE, *sorted(f.name.replace("_", "-") for f in TRANSLATIONS.iterdir() if f.is_dir()))
"""The languages of formapp's own texts, English first."""

_RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"})
_SCRIPT_LENGTH = 4
_LONGEST_TAG = 100
"""Far more than any tag has (RFC 5646, 4.4.1): visitors may send a text of any length."""


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogues; it is translated when it is rendered."""
    return text


def lookup(wanted: str, offered: Sequence[str]) -> str | None:
    """Return the offered language that fits a tag best, or None.

    The tag is shortened part by part (RFC 4647, section 3.4: `de-AT` finds `de`). After that any
    more specific language fits (`pt` finds `pt-BR`), which Babel's `negotiate_locale` doesn't do.
    """
    if len(wanted) > _LONGEST_TAG:
        return None
    by_tag = {tag.lower(): tag for tag in offered}
    parts = wanted.lower().replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        if found := by_tag.get("-".join(parts[:length])):
            return found
    return next((tag for low, tag in by_tag.items() if low.startswith(f"{parts[0]}-")), None)


def negotiate(accepted: Iterable[tuple[str, float]], offered: Sequence[str]) -> str | None:
    """Return the offered language that a visitor prefers, or None.

    `accepted` are tags with their quality, the best first, as in an Accept-Language header.
    """
    found = (lookup(tag, offered) for tag, quality in accepted if quality > 0)
    return next((tag for tag in found if tag), None)


def spoken_for(language: str) -> str | None:
    """Return the language of formapp's own texts for this one, None for English by default."""
    return lookup(language, SPOKEN)


@cache
def direction(language: str) -> str:
    """Return `rtl` or `ltr`: by the script if the tag names one, else by the language."""
    first, *rest = language.lower().split("-")
    if rest and len(rest[0]) == _SCRIPT_LENGTH and rest[0].isalpha():
        return "rtl" if rest[0] in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    try:
        return Locale.parse(first).text_direction
    except (UnknownLocaleError, ValueError):
        return "ltr"


@cache
def own_name(language: str) -> str:
    """Return a language's name in itself (`Deutsch`), or the tag if CLDR has none."""
    try:
        name = Locale.parse(language, sep="-").get_display_name() or language
    except (UnknownLocaleError, ValueError):
        return language
    return name[:1].upper() + name[1:]


@cache
def load_texts(language: str) -> NullTranslations:
    """Return the translations for a language; a missing text stays English."""
    tag = spoken_for(language) or SOURCE
    return Translations.load(str(TRANSLATIONS), [tag.replace("-", "_")], DOMAIN)
