"""Languages: which formapp speaks, how one is chosen, its direction and its own name.

A language is a tag of BCP 47 (`de`, `pt-BR`). English is the source text; every other language that
formapp speaks is a folder of `formapp/translations`.
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

_RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"})
_SCRIPT_LENGTH = 4
_LONGEST_TAG = 100
"""Far longer than any tag (RFC 5646, 4.4.1): what a visitor sends may be of any length."""


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


def lookup(wanted: str, offered: Sequence[str]) -> str | None:
    """Return the offered language that fits a tag best, or None.

    The tag is shortened part by part (RFC 4647, section 3.4: `de-AT` finds `de`); at last any
    language counts that is more specific (`pt` finds `pt-BR`).
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
    """Return the offered language that a visitor likes best, or None.

    Args:
        accepted: pairs of tag and quality, the best first, as of an Accept-Language header.
        offered: the languages to choose from.
    """
    found = (lookup(tag, offered) for tag, quality in accepted if quality > 0)
    return next((tag for tag in found if tag), None)


def spoken_for(language: str) -> str | None:
    """Return the language of formapp's own texts for this one; None where they stay English."""
    return lookup(language, SPOKEN)


def direction(language: str) -> str:
    """Return `rtl` or `ltr`: by the script if the tag names one, else by the language."""
    parts = language.lower().split("-")
    scripts = [part for part in parts[1:2] if len(part) == _SCRIPT_LENGTH and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    return "rtl" if parts[0] in _RIGHT_TO_LEFT else "ltr"


@cache
def own_name(language: str) -> str:
    """Return what a language calls itself (`Deutsch`), or the tag where CLDR has no name."""
    try:
        name = Locale.parse(language, sep="-").get_display_name() or language
    except (UnknownLocaleError, ValueError):
        return language
    return name[:1].upper() + name[1:]


def load_texts(language: str) -> NullTranslations:
    """Read the catalogue for a language from its file: what it lacks stays English."""
    tag = spoken_for(language) or SOURCE
    return Translations.load(str(TRANSLATIONS), [tag.replace("-", "_")], DOMAIN)
