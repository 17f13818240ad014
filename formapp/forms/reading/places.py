"""Countries and their subdivisions: from names and codes to ISO 3166."""

import gettext
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pycountry
from babel import Locale
from babel.languages import get_official_languages

from formapp.forms.reading.text import fold, locale_of, plain_words, word_set

COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
"""ISO 3166-1 alpha-2 codes. Babel and phonenumbers list unassigned ones too, such as XK."""

_LONGEST = 100
# What each country calls itself in its own languages, by CLDR: loading 60 languages would take
# half a second and 60 MB.
_OWN_NAMES = Path(__file__).with_name("own_country_names.json")
# English names and usual short forms that ISO 3166-2 lacks.
_MORE_NAMES = Path(__file__).with_name("subdivision_names.json")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_FLAG_LETTERS = {0x1F1E6 + index: chr(ord("A") + index) for index in range(26)}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_ALPHA_3 = re.compile(r"[A-Z]{3}")
_IN_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]")
_IGNORED = frozenset({"the", "and"})
_ARTICLES = word_set("a das de der die el gli het i il l la las le les lo los o os")
_SHORTEST_NAME = 4

# Usual names that CLDR and ISO 3166 don't list.
_SHORT_FORMS = {
    "AE": "UAE, Emirates, VAE, الإمارات, الامارات",
    "AG": "Antigua",
    "BA": "Bosnia, Bosnien",
    "BY": "Weißrussland, Белоруссия, Biélorussie, Bielorrusia, Bielorussia",
    "CD": "DRC, DR Congo, RDC, Congo DR, Zaire",
    "CI": "Ivory Coast, Elfenbeinküste",
    "CN": "PRC, Mainland China, P R China, 中华人民共和国, 中華人民共和国",
    "CV": "Kapverden",
    "CZ": "Czech Republic, Tschechei, Tschechische Republik",
    "DE": "BRD",
    "DO": "Dominican Rep, Rep Dominicana",
    "FM": "Micronesia",
    "GB": "UK, Great Britain, Britain, GB UK, England, Scotland, Wales, Northern Ireland, "
    "N Ireland, Großbritannien, Schottland, Nordirland, "
    "Grande-Bretagne, Angleterre, Écosse, Pays de Galles, "
    "Irlande du Nord, Gran Bretaña, Inglaterra, Escocia, Gales, Irlanda del Norte, Grã-Bretanha, "
    "Escócia, Gran Bretagna, Inghilterra, Scozia, Galles, Groot-Brittannië, Engeland, Англия, "
    "Шотландия, 英国, 英國, イングランド, スコットランド, ウェールズ, 영국, إنجلترا, בריטניה, "
    "אנגליה",
    "GR": "Hellas",
    "HK": "Hong Kong, Hongkong, 香港",
    "IE": "Republic of Ireland, Southern Ireland, Eire",
    "IR": "Persia",
    "JP": "日本国",
    "KP": "DPRK, N Korea",
    "KR": "Korea, S Korea, Corea, ROK, Republic of Korea, 韓国, 韩国, 韓國, 한국",
    "MK": "Macedonia, FYROM",
    "MM": "Burma, Birma, Birmanie, Birmania",
    "MO": "Macau, Macao, 澳门, 澳門",
    "MX": "Méjico",
    "NL": "Holland, Hollande, Holanda, Olanda, Голландия, オランダ",
    "PS": "Palestine, West Bank, Gaza",
    "RU": "Russia, РФ",
    "SA": "KSA, Saudi, السعودية",
    "ST": "Sao Tome",
    "SZ": "Swaziland, Swasiland",
    "TL": "East Timor",
    "TR": "Turkey",
    "TT": "Trinidad",
    "TW": "Republic of China, ROC",
    "US": "USA, United States of America, America, US of A, EEUU, EE UU, EUA, "
    "Estados Unidos de América, Estados Unidos da América, "
    "États-Unis d'Amérique, Stati Uniti d'America, "
    "Vereinigte Staaten von Amerika, Amerika, США, アメリカ, 米国, 美国, 美國, 미국, أمريكا, "
    "ארהב, ארה״ב",
    "VA": "Vatican, Holy See",
    "VG": "BVI",
    "ZA": "RSA",
}
# Said of two countries each.
_AMBIGUOUS = frozenset({"congo", "virginislands"})

# Words for the kind of a subdivision, by the one that ISO 3166-2 has in English. Those after ""
# say nothing of the kind.
_KINDS = {
    "": "of d de del della des di du federal foral freistaat special autonomous metropolitan",
    "canton": "canto kanton kt ct",
    "city": "ciudad gwangyeoksi teukbyeolsi",
    "community": "comunidad comunidade",
    "county": "co fylke judet judetul lan megye zupanija",
    "department": "departamento departement dept",
    "district": "dist distretto distrito okrug powiat",
    "emirate": "",
    "governorate": "gouvernorat",
    "land": "bundesland",
    "municipality": "municipio shi",
    "prefecture": "fu ken to",
    "province": "do teukbyeoljachido prov provincia provincie provinz sheng",
    "region": "kraj maakunta oblast oblasti regiao regione regiunea zizhiqu обл область",
    "republic": "republika respublika республика",
    "state": "estado",
    "territory": "krai kray край",
    "voivodeship": "voivodship wojewodztwo",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in (kind, *words.split()) if word}
# 東京都, 广东省, カリフォルニア州, 서울특별시
_EAST_ASIAN_KIND = re.compile(
    r"(?<=..)(?:[省市県縣都府州]|(?:특별|광역|특별자치)?시|(?:특별자치)?도)$"
)
# The City of London isn't what people mean, and Greater London has no code.
_UNCLEAR = {"GB": frozenset({"london"})}


def read_country(text: str, language: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code.

    Read are both codes, names in the language, in English and in the country's own languages, and
    usual short forms; without regard to case, accents, points and `the`.
    """
    if len(text) > _LONGEST:
        return None
    words = plain_words(_without_flags(fold(text)))
    code = "".join(words).upper()
    if code in COUNTRIES:
        return code
    if _ALPHA_3.fullmatch(code) and (known := pycountry.countries.get(alpha_3=code)):
        return str(known.alpha_2)
    found = _find_country(_join(words), language)
    if not found and words and words[0] in _ARTICLES:
        found = _find_country(_join(words[1:]), language)
    if not found and len(words) > 1 and words[-1].upper() in COUNTRIES:
        # Both are there, as in `Germany (DE)`.
        found = _find_country(_join(words[:-1]), language)
        return found if found == words[-1].upper() else None
    return found


def _without_flags(text: str) -> str:
    """Return a text without flags, or a flag alone as its country's code."""
    plain = _FLAG.sub("", text)
    return plain if plain.strip() else text.translate(_FLAG_LETTERS)


def read_subdivision(text: str, country: str, language: str) -> str | None:
    """Return the ISO 3166-2 code of a subdivision of this country (alpha-2), such as `US-CA`.

    Read are codes with and without the country, and names in the language, in English and in the
    country's own languages, with and without the kind (`Co. Cork`). None where two fit.
    """
    if len(text) > _LONGEST:
        return None
    return _subdivisions(country, language).find(fold(text)) if country in COUNTRIES else None


def _join(words: Iterable[str]) -> str:
    """Return one key for `St. Lucia`, `Saint Lucia` and `SAINT-LUCIA`."""
    return "".join("st" if word == "saint" else word for word in words if word not in _IGNORED)


def _find_country(key: str, language: str) -> str | None:
    if key in _AMBIGUOUS:
        return None
    tables = (_names_in(language), _english_names(), _own_names())
    return next((table[key] for table in tables if key in table), None)


@lru_cache(maxsize=32)
def _names_in(language: str) -> dict[str, str]:
    locale = locale_of(language)
    catalog = _catalog("iso3166-1", locale)
    official = [(code, catalog.gettext(name)) for code, name in _official_names()]
    names = _unambiguous(official) | _unambiguous(_territories(locale))
    if locale.language != "de":
        return names
    # Oesterreich
    spelled = ((code, name.translate(_UMLAUTS)) for code, name in _territories(locale))
    return _unambiguous(spelled) | names


@cache
def _english_names() -> dict[str, str]:
    names = _unambiguous([*_territories(Locale("en")), *_official_names()])
    short = ((code, name) for code, some in _SHORT_FORMS.items() for name in some.split(", "))
    return names | {_join(plain_words(name)): code for code, name in short}


@cache
def _own_names() -> dict[str, str]:
    names = _names_by_code(_OWN_NAMES).items()
    return _unambiguous((code, name) for code, some in names for name in some)


def _official_names() -> Iterator[tuple[str, str]]:
    for each in pycountry.countries:
        for key in ("name", "official_name", "common_name"):
            if name := getattr(each, key, ""):
                yield each.alpha_2, name


def _territories(locale: Locale) -> list[tuple[str, str]]:
    return [(code, name) for code, name in locale.territories.items() if code in COUNTRIES]


def _unambiguous(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return codes by key: of whole names, and of parts of names that are no other's name."""
    whole, parts = defaultdict(set), defaultdict(set)
    for code, name in names:
        whole[_join(plain_words(name))].add(code)
        # Not what is in brackets, which may be another country: Virgin Islands (UK).
        for spelling in _spellings(_IN_BRACKETS.sub(" ", name)):
            parts[_join(plain_words(spelling))].add(code)
    codes = {**parts, **whole}
    return {key: min(found) for key, found in codes.items() if len(found) == 1 and key}


def _spellings(name: str) -> Iterator[str]:
    """Yield a name as tables write it, and its parts: `Myanmar (Burma)`, `Korea, Republic of`."""
    yield name
    plain = _IN_BRACKETS.sub(" ", name)
    yield plain
    yield from (inner for inner in _IN_BRACKETS.findall(name) if len(inner) >= _SHORTEST_NAME)
    if "," in plain:
        last, _, first = plain.partition(",")
        yield last
        yield f"{first} {last}"
    yield from (part for part in plain.split("/") if "/" in plain)


class _Subdivisions:
    """A country's subdivisions by code and by name, with and without the kind."""

    def __init__(self, country: str, language: str) -> None:
        self._country = country
        subdivisions: Any = pycountry.subdivisions
        found = list(subdivisions.get(country_code=country) or ())
        self._parents = {each.code: each.parent_code for each in found}
        self._kinds: dict[str, set[str]] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        self._short_names: dict[str, set[str]] = defaultdict(set)
        catalogs = list(_catalogs(country, language))
        for each in found:
            translated = (catalog.gettext(each.name) for catalog in catalogs)
            names = {each.name, *translated, *_names_by_code(_MORE_NAMES).get(each.code, ())}
            spelled = [plain_words(spelling) for name in names for spelling in _spellings(name)]
            self._kinds[each.code] = {
                _KIND_OF.get(word, "")
                for words in [plain_words(each.type), *spelled]
                for word in words
            }
            for words in spelled:
                self._names[_join(words)].add(each.code)
                self._short_names[_join(_without_kind(words))].add(each.code)

    def find(self, line: str) -> str | None:
        for code in (line.upper(), f"{self._country}-{line.upper()}"):
            if code in self._parents:
                return code
        words = plain_words(line)
        if (code := f"{self._country}-{''.join(words).upper()}") in self._parents:
            return code  # N.Y.
        name = _join(words)
        if not name or name in _UNCLEAR.get(self._country, ()):
            return None
        if name in self._names:
            return self._outermost(self._names[name])
        # Mexico City isn't the state of Mexico, Kyiv Oblast isn't Kyiv.
        kinds = {_KIND_OF.get(word, "") for word in words} - {""}
        codes = self._short_names.get(_join(_without_kind(words)), set())
        return self._outermost({code for code in codes if kinds <= self._kinds[code]})

    def _outermost(self, codes: set[str]) -> str | None:
        """Return the only code, or the one that contains all others."""
        outer = [code for code in codes if self._parents[code] not in codes]
        return outer[0] if len(outer) == 1 else None


_subdivisions = lru_cache(maxsize=64)(_Subdivisions)


@cache
def _names_by_code(file: Path) -> dict[str, list[str]]:
    return msgspec.json.decode(file.read_bytes(), type=dict[str, list[str]])


def _catalogs(country: str, language: str) -> Iterator[gettext.NullTranslations]:
    for tag in (language, "en", *get_official_languages(country, regional=True, de_facto=True)):
        yield _catalog("iso3166-2", locale_of(tag))


def _catalog(domain: str, locale: Locale) -> gettext.NullTranslations:
    tags = [str(locale), locale.language]
    if locale.language == "zh":
        tags = ["zh_TW" if "Hant" in str(locale) else "zh_CN"]
    elif locale.language == "nb":
        tags = ["nb_NO"]
    return gettext.translation(domain, pycountry.LOCALES_DIR, tags, fallback=True)


def _without_kind(words: list[str]) -> list[str]:
    some = [word for word in words if word not in _KIND_OF]
    return [_EAST_ASIAN_KIND.sub("", word) for word in some] or words
