"""The error messages for visitors, each in two wordings.

The predicate is for JSON callers and follows the field's name: "Email should be a number" is how
Formspree's React client joins it. The sentence is for pages, beside the field and in the summary of
errors: "Enter your name." Neither repeats what was typed. Codes are Formspree's where it has one.

The texts here are English; the other languages are in the catalogues (`formapp.languages`).
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from functools import cache
from gettext import NullTranslations
from typing import Literal, Self

from wtforms.i18n import get_translations

from formapp.languages import SOURCE, gettext_noop, load_texts, spoken_for

Code = Literal[
    "REQUIRED_FIELD_MISSING",
    "REQUIRED_FIELD_EMPTY",
    "TYPE_EMAIL",
    "TYPE_NUMERIC",
    "TYPE_TEXT",
    "TYPE_PHONE",
    "TYPE_DATE",
    "TYPE_URL",
    "TYPE_COUNTRY",
    "TYPE_LOCALE",
    "TOO_SHORT",
    "TOO_LONG",
    "TOO_SMALL",
    "TOO_LARGE",
    "TOKEN_EXPIRED",
    "TOKEN_INVALID",
    "TYPE_FILE",
    "TOO_MANY_FILES",
    "FILES_TOO_BIG",
]

OF_FORM: frozenset[Code] = frozenset({"TOO_MANY_FILES", "FILES_TOO_BIG"})
"""Codes that Formspree's clients know as errors of the form, not of a field."""

Text = str | tuple[str, str]
"""A text to translate, or its singular and plural by `params["count"]`."""


def ngettext_noop(singular: str, plural: str) -> tuple[str, str]:
    """Mark a text with a plural for the catalogues; it is translated where it is shown."""
    return singular, plural


class ErrorMessage(str):
    """An error message with its code; WTForms keeps it in a field's `errors` like any text.

    As text it is the English predicate. `labelled` is the sentence that names the field by
    `%(label)s`; `params` fill the placeholders of the other two.
    """

    __slots__ = ("_labelled", "_params", "_predicate", "_sentence", "code")
    code: Code
    _predicate: Text
    _sentence: Text
    _labelled: str | None
    _params: Mapping[str, object]

    def __new__(
        cls,
        code: Code,
        predicate: Text,
        sentence: Text,
        labelled: str | None = None,
        **params: object,
    ) -> Self:
        """Return the message; the predicate has no full stop, the sentences have one."""
        message = super().__new__(cls, _localize(predicate, NullTranslations(), params))
        message.code = code
        message._predicate, message._sentence = predicate, sentence
        message._labelled, message._params = labelled, params
        return message

    def localize(self, translations: NullTranslations) -> str:
        return _localize(self._predicate, translations, self._params)

    def sentence(self, translations: NullTranslations, label: str, language: str) -> str:
        """Return the sentence in the language of a catalogue, as plain text (not HTML).

        It names a required field by `label`, a text of `language`, if that fits into the sentence.
        """
        if self._labelled and (fitting := label_in_sentence(label, language)):
            return _localize(self._labelled, translations, {"label": fitting})
        return _localize(self._sentence, translations, self._params)


def _localize(text: Text, translations: NullTranslations, params: Mapping[str, object]) -> str:
    if isinstance(text, str):
        return translations.gettext(text) % params
    return translations.ngettext(*text, int(str(params["count"]))) % params


@cache
def texts_in(language: str) -> NullTranslations:
    """Return formapp's translations for a language, then WTForms' own; others stay English."""
    texts = copy(load_texts(language))
    names = [language.replace("-", "_"), language.partition("-")[0]]
    # WTForms raises this if it has no catalogue for a language.
    with suppress(FileNotFoundError):
        texts.add_fallback(get_translations(names))
    return texts


EMAIL = ErrorMessage(
    "TYPE_EMAIL",
    gettext_noop("should be an e-mail address such as name@example.com"),
    gettext_noop("Enter an e-mail address such as name@example.com."),
)
NUMBER = ErrorMessage(
    "TYPE_NUMERIC", gettext_noop("should be a number"), gettext_noop("Enter a number.")
)
TEXT = ErrorMessage("TYPE_TEXT", gettext_noop("should be text"), gettext_noop("Enter text."))
PHONE = ErrorMessage(
    "TYPE_PHONE",
    gettext_noop("should be a phone number with its area code"),
    gettext_noop("Enter a phone number with its area code."),
)
PHONE_ABROAD = ErrorMessage(
    "TYPE_PHONE",
    gettext_noop("should be a phone number with its country code, such as +44 20 7946 0018"),
    gettext_noop("Enter a phone number with its country code, such as +44 20 7946 0018."),
)
DATE = ErrorMessage(
    "TYPE_DATE",
    gettext_noop("should be a date, written as year-month-day, such as 2026-12-31"),
    gettext_noop("Enter a date as year-month-day, such as 2026-12-31."),
)
URL = ErrorMessage(
    "TYPE_URL",
    gettext_noop("should be a web address such as https://www.example.com"),
    gettext_noop("Enter a web address such as https://www.example.com."),
)
COUNTRY = ErrorMessage(
    "TYPE_COUNTRY",
    gettext_noop("should be a country, such as France or FR"),
    gettext_noop("Enter a country, such as France or FR."),
)
LOCALE = ErrorMessage(
    "TYPE_LOCALE",
    gettext_noop("should be a language code such as en or pt-BR"),
    gettext_noop("Enter a language code such as en or pt-BR."),
)
_EXPIRED = gettext_noop(
    "This page was open for more than a day. "
    "Your answers are still here: please press the button again."
)
_INVALID = gettext_noop(
    "We could not verify this page. Your answers are still here: please press the button again."
)
TOKEN_EXPIRED = ErrorMessage("TOKEN_EXPIRED", _EXPIRED, _EXPIRED)
TOKEN_INVALID = ErrorMessage("TOKEN_INVALID", _INVALID, _INVALID)

_ANSWER = (
    gettext_noop("is required"),
    gettext_noop("Enter an answer."),
    gettext_noop("Enter your %(label)s."),
)
_ONE = (
    gettext_noop("must be chosen"),
    gettext_noop("Choose an option."),
    gettext_noop("Choose your %(label)s."),
)
_SOME = (gettext_noop("must be chosen"), gettext_noop("Choose at least one option."), None)
_TICK = (gettext_noop("must be ticked"), gettext_noop("Tick the box to continue."), None)
_FILE = (gettext_noop("must be chosen"), gettext_noop("Choose a file."), None)
_REQUIRED = {
    "file": _FILE,
    **dict.fromkeys(("select", "radio"), _ONE),
    "checkboxes": _SOME,
    **dict.fromkeys(("checkbox", "consent"), _TICK),
}


def required(field_type: str, *, posted: bool) -> ErrorMessage:
    """Return the message for a required field that was sent blank, or wasn't posted at all."""
    code: Code = "REQUIRED_FIELD_EMPTY" if posted else "REQUIRED_FIELD_MISSING"
    return ErrorMessage(code, *_REQUIRED.get(field_type, _ANSWER))


_SHORT = (
    ngettext_noop(
        "should have at least %(count)s character", "should have at least %(count)s characters"
    ),
    ngettext_noop("Enter at least %(count)s character.", "Enter at least %(count)s characters."),
)
_LONG = (
    ngettext_noop(
        "should have at most %(count)s character", "should have at most %(count)s characters"
    ),
    ngettext_noop(
        "Enter no more than %(count)s character.", "Enter no more than %(count)s characters."
    ),
)
_LEAST_NUMBER = (
    gettext_noop("should be %(bound)s or more"),
    gettext_noop("Enter a number that is %(bound)s or more."),
)
_MOST_NUMBER = (
    gettext_noop("should be %(bound)s or less"),
    gettext_noop("Enter a number that is %(bound)s or less."),
)
_FIRST_DATE = (
    gettext_noop("should be %(bound)s or later"),
    gettext_noop("Enter %(bound)s or a later date."),
)
_LAST_DATE = (
    gettext_noop("should be %(bound)s or earlier"),
    gettext_noop("Enter %(bound)s or an earlier date."),
)


def too_short(least: int) -> ErrorMessage:
    return ErrorMessage("TOO_SHORT", *_SHORT, count=least)


def too_long(most: int) -> ErrorMessage:
    return ErrorMessage("TOO_LONG", *_LONG, count=most)


def too_small(least: object, written: str | None = None) -> ErrorMessage:
    """Return the message for a number or date below this; `written`: as the language writes it."""
    texts = _LEAST_NUMBER if isinstance(least, int | float) else _FIRST_DATE
    return ErrorMessage("TOO_SMALL", *texts, bound=written or least)


def too_large(most: object, written: str | None = None) -> ErrorMessage:
    """Return the message for a number or date above this."""
    texts = _MOST_NUMBER if isinstance(most, int | float) else _LAST_DATE
    return ErrorMessage("TOO_LARGE", *texts, bound=written or most)


FILE_EMPTY = ErrorMessage(
    "TYPE_FILE",
    gettext_noop("should be a file that isn't empty"),
    gettext_noop("Choose a file that isn't empty."),
)
FILE_GONE = ErrorMessage(
    "TYPE_FILE",
    gettext_noop("should be chosen again"),
    gettext_noop("Choose your file again: we could not keep it."),
)
FILE_UNREADABLE = ErrorMessage(
    "TYPE_FILE",
    gettext_noop("should be an image that can be read"),
    gettext_noop("This image could not be read. Choose another one, such as a JPEG or PNG."),
)
FILES_USED_UP = ErrorMessage(
    "FILES_TOO_BIG",
    gettext_noop("can't be taken: too much was sent today"),
    gettext_noop(
        "Your file could not be taken: too much was sent today. Please send the form without it, "
        "or try again tomorrow."
    ),
)
_FILES = (
    ngettext_noop("should be at most %(count)s file", "should be at most %(count)s files"),
    ngettext_noop("Choose no more than %(count)s file.", "Choose no more than %(count)s files."),
)


def too_many_files(most: int) -> ErrorMessage:
    return ErrorMessage("TOO_MANY_FILES", *_FILES, count=most)


def file_too_big(most: str) -> ErrorMessage:
    return ErrorMessage(
        "FILES_TOO_BIG",
        gettext_noop("should be a file of at most %(size)s"),
        gettext_noop("Choose a file of no more than %(size)s."),
        size=most,
    )


def file_type(accepted: str) -> ErrorMessage:
    return ErrorMessage(
        "TYPE_FILE",
        gettext_noop("should be a file of one of these types: %(types)s"),
        gettext_noop("Choose a file of one of these types: %(types)s."),
        types=accepted,
    )


_LONGEST_LABEL = 40
_END_OF_SENTENCE = re.compile(r"[.!?;…](\s|$)")
_NO_NOUN = re.compile(
    r"""(?xi)(
        what|which|who|whom|whose|when|where|why|how
        |am|are|is|was|were|do|does|did|have|has|had|can|could|may|might|must|shall|should|will|would
        |i|we|my|our|me|us|you|it|he|she|they|there|if|need|no|not|yes
        |a|an|the|this|that|these|those|any|anything|some|something|other
        |about|after|as|at|before|by|for|from|in|of|on|since|to|until|with
        |add|ask|check|choose|confirm|describe|enter|explain|fill|give|leave|let|list|pick|please
        |provide|put|re-enter|repeat|retype|say|select|send|share|tell|type|upload|write
    )(n?['’].*|,)?"""  # noqa: RUF001 - the printed apostrophe
)
"""First words of labels that don't fit after `Enter your`: of questions, sentences, requests."""

_PROPER_NOUN = re.compile(
    r"""(?xi)
    (mon|tues|wednes|thurs|fri|satur|sun)day
    |january|february|march|april|june|july|august|september|october|november|december
    |american|arabic|british|chinese|dutch|english|european|french|german|hebrew|italian|japanese
    |portuguese|spanish|discord|facebook|google|instagram|skype|telegram|twitter|wix|t-shirt
    """
)
_FULL_NOUN = {
    "e-mail": "e-mail address",
    "email": "email address",
    "phone": "phone number",
    "telephone": "telephone number",
    "mobile": "mobile number",
}
_MINOR_WORD = re.compile("a|an|and|at|by|for|from|in|of|on|or|the|to|with")


def label_in_sentence(label: str, language: str) -> str:
    """Return the label as it reads within a sentence in `language`; empty if it doesn't fit.

    Catalogues quote it as it is. In English `Your first name` becomes `first name`, and `Phone`
    becomes `phone number`. In a language without a catalogue no label fits, since the sentence is
    English.
    """
    label = " ".join(label.split()).rstrip(" :：*")  # noqa: RUF001 - the colon of Chinese, Japanese
    catalogue = spoken_for(language)
    if catalogue is None or len(label) > _LONGEST_LABEL or not any(map(str.isalnum, label)):
        return ""
    return _english_noun(label) if catalogue == SOURCE else label


def _english_noun(label: str) -> str:
    words = label.split()
    if words[0].lower() == "your":
        words = words[1:]
    if not words or _END_OF_SENTENCE.search(label):
        return ""
    if _NO_NOUN.fullmatch(words[0]):
        return ""
    if all(_MINOR_WORD.fullmatch(word) or not word[0].islower() for word in words):
        noun = " ".join(map(_uncapitalized, words))
    else:
        noun = " ".join([_uncapitalized(words[0]), *words[1:]])
    return _FULL_NOUN.get(noun, noun)


def _uncapitalized(word: str) -> str:
    """Return `E-Mail` as `e-mail`, but `VAT`, `iPhone`, `B2B` and `Monday` as they are."""
    bare = word.strip('(),"“”')
    parts = re.split("[-/'’]", bare)  # noqa: RUF001 - the printed apostrophe
    plain = len(bare) > 1 and all(part.isalpha() and part[1:] == part[1:].lower() for part in parts)
    return word.lower() if plain and not _PROPER_NOUN.fullmatch(bare) else word
