"""Who somebody is and how to reach them: names, e-mail and web addresses, telephone numbers."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from formapp.forms.reading.places import COUNTRIES
from formapp.forms.reading.text import fold, has_too_many_marks, remove_format_characters, word_set
from formapp.lead import with_extension

# E-mail and web addresses

_LONGEST_EMAIL = 320
_LONGEST_URL = 10_000
_DOTS = re.compile(r"\.+")
# These issued addresses with two dots in a row or one before the @ until April 2009, and au moved
# its own from ezweb.ne.jp to au.com: https://www.docomo.ne.jp/service/docomo_mail/rfc_add/ and
# https://github.com/EC-CUBE/ec-cube/issues/1325 (2,000 such customers in one shop).
_DOTTED_DOMAINS = frozenset({"docomo.ne.jp", "ezweb.ne.jp", "au.com"})

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"[^\s.<>\"'`{}|\\^%\[\]]+(?:\.[^\s.<>\"'`{}|\\^%\[\]]+)+\.?")
_BEFORE_PATH = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]*")
_UNFILLED = re.compile(r"https?(?::/{0,2}(?:www\.?)?)?|www\.?", re.IGNORECASE)


def read_email(text: str) -> str | None:
    """Return the address in lower case, its domain in ASCII.

    The part before the @ must be ASCII. Nothing is looked up; `.test` is accepted (RFC 6761).
    Dots where RFC 5322 has none are accepted for the carriers that issued such addresses.
    """
    if len(text) > _LONGEST_EMAIL:
        return None
    address = fold(text)
    # An encoded word (RFC 2047): mail software would decode it to another address.
    if "=?" in address:
        return None
    local, _, domain = address.rpartition("@")
    if domain.lower() in _DOTTED_DOMAINS and not local.startswith("."):
        plain = _validate(f"{_DOTS.sub('.', local).removesuffix('.')}@{domain}")
        return address.lower() if plain else None
    return _validate(address)


def _validate(address: str) -> str | None:
    try:
        found = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except (EmailNotValidError, ValueError):
        return None
    return found.ascii_email.lower() if found.ascii_email else None


def read_url(text: str) -> str | None:
    """Return an http(s) address, with `https://` where the scheme is missing.

    A text that is only the beginning of an address, such as `http://`, returns "": such fields
    come filled in. The host needs a dot, and user info is refused.
    """
    if len(text) > _LONGEST_URL or has_too_many_marks(text):
        return None
    line = _fold_host(text)
    if not line or _UNFILLED.fullmatch(line):
        return ""
    url = line if _SCHEME.match(line) else f"https://{line}"
    try:
        parts = urlsplit(url)
        host, has_port = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        return None
    if not has_port or "@" in parts.netloc or any(char.isspace() for char in url):
        return None
    return url if parts.scheme in {"http", "https"} and _HOST.fullmatch(host) else None


def _fold_host(text: str) -> str:
    """Fold scheme and host; the path only where they were typed in full-width forms too."""
    line = remove_format_characters(text).strip()
    folded = fold(line)
    if len(line) != len(folded):
        return folded
    found = _BEFORE_PATH.match(folded)
    end = found.end() if found else 0
    return folded if line[:end] != folded[:end] else folded[:end] + line[end:]


# Telephone numbers

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Regions that a `tel` field may name (ISO 3166-1 alpha-2)."""

_LONGEST_PHONE = 250
_MEXICO = 52
# Until August 2019 dialled before Mexican numbers of ten digits: mobile from abroad, mobile within
# a town, mobile from elsewhere, long distance (IFT, Plan Técnico Fundamental de Numeración).
_OLD_MEXICAN_PREFIX = re.compile(r"(?:1|0?44|0?45|0?1)(?=[1-9][0-9]{9}$)")
_SMALLEST_PLAIN = 100_000
_LETTER = re.compile(r"[^\W\d_]")
# Labels that phonenumbers doesn't know, in about twenty-five languages.
_EXTENSION = re.compile(
    r"[ ,;/(\[-]*(?<![^\W\d_])(?:durchwahl|dw|app(?:arat)?|nebenstelle|nst|klappe|poste|[dmprwд]\.|"
    r"toestel|tst|wewn?|klapka|kl|linka|mellék|dahili|ramal|anexo|int(?:erno|erior)?|"
    r"ankn(?:ytning)?|lokal|alanumero|до[бп](?:авочный)?|вн(?:утр)?|внутренний|додатковий|вътр|extn?|"
    r"extension(?: number)?|εσ(?:ωτ(?:ερικ[όο])?)?|(?:số )?máy lẻ|ต่อ|pesawat|psw|"
    r"شماره داخلی|داخل[يی]|تحويلة|שלוחה|של['׳]|内(?:線(?:番号)?)?|內線|分机|分機|转|轉|내선|교환)"
    r"(?:[ .:#°№)-]|n[or]?\b)*([0-9]{1,7})[ )\]]*$",
    re.IGNORECASE,
)
_TAIL = re.compile(r" ?[-/*] ?([0-9]{1,6})$")
# China, Taiwan, Hong Kong, Macao: an extension is written behind a further hyphen.
_WITH_TAILS = frozenset({86, 886, 852, 853})


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can exist: E.164 without its extension, which is digits, or "".

    `country` is ISO 3166-1 alpha-2; None where the number doesn't say.
    """

    e164: str
    country: str | None
    extension: str = ""

    @property
    def identity(self) -> str:
        """The number with its extension."""
        return with_extension(self.e164, self.extension) if self.extension else self.e164


def read_phone(text: str, region: str | None) -> PhoneNumber | None:
    """Return the number, or None where it can't be one.

    A number of the right length is accepted even where it isn't assigned: numbering plans change
    faster than their copies. One that works only within its town is refused. `00` counts as `+`
    where the region doesn't say otherwise.
    """
    if len(text) > _LONGEST_PHONE:
        return None
    line = text.strip() if text.isascii() else fold(text)
    plain = _with_rfc3966_extension(line)
    number = _possible_abroad(plain, region)
    if number is None and plain != line:
        plain, number = line, _possible_abroad(line, region)
    number = _without_tail(plain, number, region)
    if number is None or _is_longer_by_words(number, plain, region):
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return PhoneNumber(e164, _country(number, region), number.extension or "")


def load_region(region: str) -> None:
    """Load the numbering plan of a region, so that no visitor waits for it."""
    phonenumbers.PhoneMetadata.metadata_for_region(region)


def _with_rfc3966_extension(line: str) -> str:
    found = _EXTENSION.search(line) if _LETTER.search(line) else None
    return f"{line[: found.start()]};ext={found[1]}" if found else line


def _possible_abroad(line: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    number = _possible(line, region)
    if number is None and line.startswith("00"):
        number = _possible(f"+{line[2:]}", None)
    return number


def _without_tail(
    line: str, number: phonenumbers.PhoneNumber | None, region: str | None
) -> phonenumbers.PhoneNumber | None:
    """Return the number with its last digits as the extension, where they aren't part of it.

    They are `11` in 010-12345678-11; but in Germany 030 123456-12 is a number.
    """
    found = _TAIL.search(line)
    if not found or (number and (number.extension or phonenumbers.is_valid_number(number))):
        return number
    head = _possible_abroad(line[: found.start()], region)
    if head is None or head.extension or not phonenumbers.is_valid_number(head):
        return number
    if number is None and head.country_code not in _WITH_TAILS:
        return None
    head.extension = found[1]
    return head


def _is_longer_by_words(number: phonenumbers.PhoneNumber, line: str, region: str | None) -> bool:
    """Report whether letters count as digits (1-800-FLOWERS) of what is a number without them."""
    if not _LETTER.search(line):
        return False
    before = line.rpartition(number.extension)[0] if number.extension else line
    plain = _possible_abroad(_LETTER.sub(" ", before), region)
    # Without its letters, 0800 REIMERS has the length of a short number.
    digits = (plain.national_number or 0) if plain else 0
    return digits >= _SMALLEST_PLAIN and digits != number.national_number


def _possible(line: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(line, region)
    except NumberParseException:
        return None
    if number.country_code == _MEXICO:
        number = _without_old_prefix(number)
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == ValidationResult.IS_POSSIBLE else None


def _without_old_prefix(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    digits = phonenumbers.national_significant_number(number)
    found = _OLD_MEXICAN_PREFIX.match(digits)
    if not found:
        return number
    return phonenumbers.PhoneNumber(
        country_code=_MEXICO, national_number=int(digits[found.end() :]), extension=number.extension
    )


def _country(number: phonenumbers.PhoneNumber, region: str | None) -> str | None:
    found = phonenumbers.region_code_for_number(number)
    if found is None:
        # Right length but not assigned: the numbers kept for films are such.
        own = phonenumbers.country_code_for_region(region) if region else None
        code = number.country_code or 0
        found = region if own == code else phonenumbers.region_code_for_country_code(code)
    return found if found in COUNTRIES else None


# Names

_COMMAS = ",\uff0c\u060c\u3001\uff64"
_COMMA = re.compile(f"[{_COMMAS}]")
_BLANK = re.compile(r"\s")
# Written in lower case before the last name they belong to it: Ludwig van Beethoven.
_PARTICLES = word_set(
    "'t aan abu af al ap av ben bin bint da das de degli del della den der di do dos du el "
    "ibn in la las le lo los op st te ten ter to van vom von zu zum zur"
)
# These join two last names: José Ortega y Gasset.
_LINKS = frozenset({"y", "e", "i"})

# After a last name, compared without points. Generations in any case, all others as written here.
_GENERATIONS = frozenset({"jr", "jnr", "sr", "snr", "2nd", "3rd", "4th"})
_GENERATIONS_AFTER_COMMA = frozenset({"senior", "junior", "the second", "the third", "the fourth"})
# Sen and Jun are names.
_GERMAN_GENERATIONS = frozenset({"jun.", "sen."})
_BRAZILIAN_GENERATIONS = frozenset({"Filho", "Junior", "Júnior", "Neto", "Sobrinho"})
_TITLES = word_set(
    "II III IV VI VII VIII PhD DPhil EdD PsyD MD DDS DMD DVM JD LLM LLB MBA MSc BSc MPhil CPA "
    "CFA PMP RN Esq OBE MBE CBE KBE FRS ThD DMin"
)
# Last names too (Ma, Do, K.C.), and so titles only behind a comma.
_TITLES_AFTER_COMMA = word_set(
    "MA BA BS MS DO QC KC MP PE JP SJ OSB LLC Ltd Inc GmbH AG Co CEO CFO CTO"
)
# In any case: Md and Vi are names, Phd and Iii are not.
_LONG_TITLES = frozenset(t.lower() for t in _TITLES | _TITLES_AFTER_COMMA if len(t) > 2)  # noqa: PLR2004

_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3031-\u3035\u303b\u3041-\u3096\u309d-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7fb\uf900-\ufaff\uff66-\uffdc\U00016fe0-\U0001b2ff\U00020000-\U0003ffff]"
)
_MIDDLE_DOTS = re.compile("[\u00b7\u2022\u2027\u30fb\uff65]")
_HONORIFICS = word_set("様 さま さん 殿 氏 先生 님 씨 女士 小姐")


def split_full_name(text: str) -> tuple[str, str]:
    """Return first and last name; the last name is empty where there is one word only.

    The last word is the last name, with lower-case particles before it and suffixes behind it
    (`Robert Downey Jr.`). `Last, First` is split at the comma, unless only suffixes follow. Names
    in Chinese, Japanese or Korean script have the last name first, but for those with a middle dot
    (`ジョン・スミス`). Otherwise both joined by a blank give back the text, with all kinds of blank
    as U+0020 and without a comma at either end.
    """
    line = _BLANK.sub(" ", text)
    line = line.strip(f" {_COMMAS}") or line
    if line.isascii():
        return (_split_at_comma(line) if "," in line else None) or _split_words(line)
    return _split_east_asian(line) or _split_at_comma(line) or _split_words(line)


def _split_east_asian(line: str) -> tuple[str, str] | None:
    dots = [found.start() for found in _MIDDLE_DOTS.finditer(line)]
    letters = [char for char in line if char.isalpha()]
    strange = sum(not _EAST_ASIAN.match(char) for char in letters)
    # An initial may be Latin: ジョン・F・ケネディ.
    if not letters or strange > bool(dots) or _COMMA.search(line):
        return None
    if dots:
        name, _, honorific = line.rpartition(" ")
        middle = len(name) if name and honorific not in _HONORIFICS else dots[-1]
        first, last = line[:middle], line[middle + 1 :]
        return (first, last) if first and last else None
    last, _, first = line.partition(" ")
    first = first.strip()
    return (first, last) if last and first and first not in _HONORIFICS else (line, "")


def _split_at_comma(line: str) -> tuple[str, str] | None:
    parts = [part.strip() for part in _COMMA.split(line)]
    last = parts[0]
    # Smith, John / King, Martin Luther, Jr. / Smith, John Jr.
    end = len(parts)
    while end > 1 and _are_suffixes(parts[end - 1]):
        end -= 1
    start = 1  # Downey, Jr., Robert
    while start < end and _are_suffixes(parts[start]):
        start += 1
    first = ", ".join(parts[start:end]).strip(", ")
    if not last or not first:
        return None
    words = first.split(" ")
    end_of_first = _start_of_suffixes(words, 1)
    words, suffixes = words[:end_of_first], words[end_of_first:]
    particles: list[str] = []  # Gogh, Vincent van
    while len(words) > 1 and words[-1] in _PARTICLES:
        particles.insert(0, words.pop())
    last = " ".join([*particles, last, *suffixes])
    return " ".join(words).rstrip(), ", ".join([last, *parts[1:start], *parts[end:]])


def _split_words(line: str) -> tuple[str, str]:
    """Split before the last word that is no suffix; what was typed is kept as it is."""
    words = line.split(" ")
    # Whole words behind a comma are suffixes here, or else the text were split there.
    with_comma = next((i for i, word in enumerate(words) if _COMMA.search(word)), len(words) - 1)
    end = min(with_comma + 1, len(words))
    end = _start_of_suffixes(words[:end], 2)
    start = end - 1
    while start > 0 and not words[start]:
        start -= 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    if start > 2 and words[start - 1] in _LINKS:  # noqa: PLR2004 - one word is the first name
        start -= 2
        while start > 1 and words[start - 1] in _PARTICLES:
            start -= 1
    first, last = " ".join(words[:start]), " ".join(words[start:])
    return (first, last) if start > 0 else (line, "")


def _start_of_suffixes(words: list[str], fewest: int) -> int:
    """Return the index behind the last word that is no suffix; `fewest` words at least are left."""
    end = len(words)
    while end > fewest and _is_suffix(words[end - 1].rstrip(","), after_comma=False):
        end -= 1
    return end


def _are_suffixes(part: str) -> bool:
    words = part.split()
    is_generation = " ".join(words).lower() in _GENERATIONS_AFTER_COMMA
    return is_generation or all(_is_suffix(word, after_comma=True) for word in words)


def _is_suffix(word: str, *, after_comma: bool) -> bool:
    plain = word.replace(".", "")
    return (
        plain.lower() in _GENERATIONS
        or word.lower() in _GERMAN_GENERATIONS
        or plain in _BRAZILIAN_GENERATIONS
        or plain in _TITLES
        or (after_comma and (plain in _TITLES_AFTER_COMMA or plain.lower() in _LONG_TITLES))
    )
