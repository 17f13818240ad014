"""Dates as people write them: `31.12.1980`, `April 3, 1980`, `1980年4月3日`."""

import re
import unicodedata
from datetime import date
from functools import lru_cache

from babel import Locale

from formapp.forms.reading.text import fold, locale_of, plain_words, word_set

OLDEST_AGE = 150
"""Years; no human being is known to have lived longer than 122."""
_LONGEST = 100
# Written otherwise than in ISO 8601, an earlier year is one of another calendar (Persian, Islamic).
_FIRST_YEAR = 1600
_BUDDHIST_FROM = 2400
_BUDDHIST_ERA = 543
_SHORTEST_MONTH = 3

# A time of midnight, or one without a zone, comes from a date control. In UTC any other time may be
# of another day where it was chosen.
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ](?:00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?"
    r"|[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:[+-](?!00:?00)[0-9]{2}:?[0-9]{2})?))?"
)
_YEAR_FIRST = re.compile(r"([0-9]{4}) ?[./ -] ?([0-9]{1,2}) ?[./ -] ?([0-9]{1,2})\.?")
_YEAR_LAST = re.compile(r"([0-9]{1,2}) ?[./ -] ?([0-9]{1,2}) ?[./ -] ?([0-9]{4})\.?(?: ?г\.?)?")
_EAST_ASIAN = re.compile(
    r"(令和|平成|昭和|大正|明治|民國|民国)? ?([0-9]{1,4}|元) ?[年년] ?([0-9]{1,2}) ?[月월] ?"
    r"([0-9]{1,2}) ?[日号號일]?(?: ?\(?(?:[日月火水木金土](?:曜日?)?|(?:星期|[周週]).|.요일)\)?)?"
    r"(?:生(?:まれ)?)?"
)
# S55.4.3, 昭55.4.3, ㍼55年4月3日
_SHORT_ERA = re.compile(
    r"([MTSHR明大昭平令㍾㍽㍼㍻㋿]) ?([0-9]{1,2}|元)[./年-]([0-9]{1,2})[./月-]([0-9]{1,2})日?"
)
_KANJI_NUMBER = re.compile("[〇零一二三四五六七八九十]+")
_KANJI_DIGITS = {char: str(value) for value, char in enumerate("〇一二三四五六七八九")} | {
    "零": "0"
}
_VIETNAMESE = re.compile(r"(?:ngày )?([0-9]{1,2}) (?:tháng|thg) ([0-9]{1,2}),? (?:năm )?([0-9]{4})")
# The year before the first of each era.
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
_ERAS |= {"民國": 1911, "民国": 1911}
_ERAS |= dict.fromkeys("R令㋿", 2018) | dict.fromkeys("H平㍻", 1988) | dict.fromkeys("S昭㍼", 1925)
_ERAS |= dict.fromkeys("T大㍽", 1911) | dict.fromkeys("M明㍾", 1867)
_ROMAN_NUMBERS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ROMAN = {number: month for month, number in enumerate(_ROMAN_NUMBERS, 1)}
# Usual names that CLDR doesn't have in these languages, without accents.
_MORE_MONTHS = {
    "de": {"janner": 1, "feber": 2, "maerz": 3, "mrz": 3, "juno": 6, "julei": 7},
    "es": {"setiembre": 9, "set": 9},
}
# In the Levant, and in the Maghreb, months have names of their own.
_MORE_LOCALES = {"ar": ("ar_LB", "ar_DZ")}
_DIGITS = re.compile(r"[0-9]+")
_THAI_ERAS = re.compile(r"[คพ]\.ศ\.")
_FILLERS = word_set(
    "of the st nd rd th r er ere re e o a de di den del der le el il lo d am on m y year ta "
    "г р ж года году року год gada og թ"
)


def read_date(text: str, language: str) -> str | None:
    """Return the date as `YYYY-MM-DD`.

    Read are ISO 8601, numbers in the language's order (`en` without a country: day first), months
    by their names in the language or in English, and East Asian dates. A date that fits one order
    only is read in that one. Years need four digits: a guessed century would be wrong silently.
    Where the language writes the year first and the text doesn't, an ambiguous date is refused.
    """
    if len(text) > _LONGEST:
        return None
    line = " ".join(fold(text).split())
    if with_time := _ISO.fullmatch(line):
        return _iso(*map(int, with_time.groups()))
    found = (
        _read_numeric(line, language)
        or _read_east_asian(line)
        or _read_vietnamese(line)
        or _read_named(line, language)
    )
    if not found:
        return None
    year, month, day = found
    if locale_of(language).language == "th" and year >= _BUDDHIST_FROM:
        year -= _BUDDHIST_ERA
    return _iso(year, month, day) if year >= _FIRST_YEAR else None


def read_birthdate(text: str, language: str, today: date) -> str | None:
    """Return a date up to today and at most 150 years back."""
    found = read_date(text, language)
    if found is None:
        return None
    age = today.year - int(found[:4])
    return found if found <= today.isoformat() and age <= OLDEST_AGE else None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _read_numeric(line: str, language: str) -> tuple[int, int, int] | None:
    if found := _YEAR_FIRST.fullmatch(line):
        return int(found[1]), int(found[2]), int(found[3])
    if not (found := _YEAR_LAST.fullmatch(line)):
        return None
    one, two, year = int(found[1]), int(found[2]), int(found[3])
    month_first, day_first = (year, one, two), (year, two, one)
    possible = {each for each in (month_first, day_first) if _iso(*each)}
    if len(possible) <= 1:
        return next(iter(possible), None)
    order = _order(language)
    return {"md": month_first, "dm": day_first}.get(order)


@lru_cache(maxsize=256)
def _order(language: str) -> str:
    """Return `md`, `dm` or `ymd`: the language's order of year, month and day."""
    locale = locale_of(language)
    if str(locale) == "en":  # CLDR takes it for American
        return "dm"
    full = str(locale.date_formats["short"].pattern)
    short = locale.datetime_skeletons.get("Md")
    day_and_month = str(short.pattern) if short else full
    if re.split("[LM]", day_and_month)[0].find("d") >= 0:
        return "dm"
    return "ymd" if re.split("[LMd]", full)[0].find("y") >= 0 else "md"


def _read_east_asian(line: str) -> tuple[int, int, int] | None:
    found = _EAST_ASIAN.fullmatch(line) or _SHORT_ERA.fullmatch(line)
    if not found and _KANJI_NUMBER.search(line):
        found = _EAST_ASIAN.fullmatch(_KANJI_NUMBER.sub(_arabic, line))
    if not found:
        return None
    era, year = found[1], 1 if found[2] == "元" else int(found[2])
    return _ERAS.get(era, 0) + year, int(found[3]), int(found[4])


def _arabic(found: re.Match[str]) -> str:
    """Return 55 for 五十五, 1980 for 一九八〇; no part of a date is over 99 with a 十."""
    tens, has_tens, ones = found[0].partition("十")
    first, last = ("".join(_KANJI_DIGITS.get(char, "") for char in part) for part in (tens, ones))
    return f"{first or '1'}{last or '0'}" if has_tens else first


def _read_vietnamese(line: str) -> tuple[int, int, int] | None:
    found = _VIETNAMESE.fullmatch(unicodedata.normalize("NFC", line).lower())
    return (int(found[3]), int(found[2]), int(found[1])) if found else None


def _read_named(line: str, language: str) -> tuple[int, int, int] | None:
    numbers = sorted(_DIGITS.findall(line), key=len)
    if [len(number) for number in numbers] not in ([1, 4], [2, 4]):
        return None
    text = _DIGITS.sub(" ", line)
    month = _ROMAN.get(text.strip(" ./-")) or _month(_words(text), language)
    return (int(numbers[1]), month, int(numbers[0])) if month else None


def _month(words: list[str], language: str) -> int | None:
    months, weekdays = _names(language)
    for some in (words, [word for word in words if word not in weekdays]):
        name = " ".join(some)
        # Hebrew writes "in" as a letter before the name.
        if found := months.get(name) or months.get(name.removeprefix("ב")):
            return found
        if len(name) >= _SHORTEST_MONTH:
            longer = {month for full, month in months.items() if full.startswith(name)}
            if len(longer) == 1:
                return longer.pop()
    return None


@lru_cache(maxsize=64)
def _names(language: str) -> tuple[dict[str, int], frozenset[str]]:
    """Return months by name, and the names of weekdays, in a language and in English."""
    months: dict[str, int] = {}
    weekdays: set[str] = set()
    own_locale = locale_of(language)
    more = map(Locale.parse, _MORE_LOCALES.get(own_locale.language, ()))
    for locale in (Locale("en"), *more, own_locale):
        own: dict[str, set[int]] = {}
        for context in locale.months.values():
            for width in ("wide", "abbreviated"):
                for month, name in context.get(width, {}).items():
                    if words := _words(name):
                        own.setdefault(" ".join(words), set()).add(month)
        months |= {name: min(found) for name, found in own.items() if len(found) == 1}
        for context in locale.days.values():
            for width in ("wide", "abbreviated"):
                weekdays.update(*map(_words, context.get(width, {}).values()))
    return months | _MORE_MONTHS.get(own_locale.language, {}), frozenset(weekdays)


def _words(text: str) -> list[str]:
    """Split into plain words; fillers such as `of` are dropped."""
    words = plain_words(_THAI_ERAS.sub(" ", text))
    return [word for word in words if word not in _FILLERS]
