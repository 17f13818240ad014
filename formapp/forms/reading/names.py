"""Splitting a full name into first and last name."""

import re

_COMMA = re.compile("[,\uff0c\u060c]")
_BLANK = re.compile(r"\s")
# Written in lower case before the last name they belong to it: Ludwig van Beethoven.
_PARTICLES = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "'t aan abu af al ap av ben bin bint da das de degli del della den der di do dos du el "
        "ibn in la las le lo los op st te ten ter to van vom von zu zum zur"
    ).split()
)
# These join two last names: José Ortega y Gasset.
_LINKS = frozenset({"y", "e", "i"})

# After a last name, compared without points. Generations in any case, all others as written here.
_GENERATIONS = frozenset({"jr", "jnr", "sr", "snr", "2nd", "3rd", "4th"})
# Sen and Jun are names.
_GERMAN_GENERATIONS = frozenset({"jun.", "sen."})
_BRAZILIAN_GENERATIONS = frozenset({"Filho", "Junior", "Júnior", "Neto", "Sobrinho"})
_TITLES = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "II III IV VI VII VIII PhD DPhil EdD PsyD MD DDS DMD DVM JD LLM LLB MBA MSc BSc MPhil CPA "
        "CFA PMP RN Esq OBE MBE CBE KBE FRS ThD DMin"
    ).split()
)
# Last names too (Ma, Do, K.C.), and so titles only behind a comma.
_TITLES_AFTER_COMMA = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "MA BA BS MS DO QC KC MP PE JP SJ OSB LLC Ltd Inc GmbH AG Co CEO CFO CTO"
    ).split()
)

_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3031-\u3035\u303b\u3041-\u3096\u309d-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7fb\uf900-\ufaff\uff66-\uffdc\U00016fe0-\U0001b2ff\U00020000-\U0003ffff]"
)
_DOTS = re.compile("[\u00b7\u2022\u2027\u30fb\uff65]")
_HONORIFICS = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "様 さま さん 殿 氏 先生 님 씨 女士 小姐"
    ).split()
)


def split_full_name(text: str) -> tuple[str, str]:
    """Return first and last name; the last name is empty where there is one word only.

    The last word is the last name, with lower-case particles before it and suffixes behind it
    (`Robert Downey Jr.`). `Last, First` is split at the comma, unless only suffixes follow. Names
    in Chinese, Japanese or Korean script have the last name first, but for those with a middle dot
    (`ジョン・スミス`). Otherwise both joined by a blank give back the text, with all kinds of blank
    as U+0020.
    """
    line = _BLANK.sub(" ", text)
    return _split_east_asian(line) or _split_at_comma(line) or _split_words(line)


def _split_east_asian(line: str) -> tuple[str, str] | None:
    dots = [found.start() for found in _DOTS.finditer(line)]
    letters = [char for char in line if char.isalpha()]
    strange = sum(not _EAST_ASIAN.match(char) for char in letters)
    # An initial may be Latin: ジョン・F・ケネディ.
    if not letters or strange > bool(dots) or _COMMA.search(line):
        return None
    if dots:
        middle = line.rfind(" ") if " " in line else dots[-1]
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
    first = ", ".join(parts[1:end]).strip(", ")
    if not last or not first:
        return None
    words = first.split(" ")
    start = _start_of_suffixes(words, 1)
    words, suffixes = words[:start], words[start:]
    particles: list[str] = []  # Gogh, Vincent van
    while len(words) > 1 and words[-1] in _PARTICLES:
        particles.insert(0, words.pop())
    last = " ".join([*particles, last, *suffixes])
    return " ".join(words).rstrip(), ", ".join([last, *parts[end:]])


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
    return all(_is_suffix(word, after_comma=True) for word in part.split(" ") if word)


def _is_suffix(word: str, *, after_comma: bool) -> bool:
    plain = word.replace(".", "")
    return (
        plain.lower() in _GENERATIONS
        or word.lower() in _GERMAN_GENERATIONS
        or plain in _BRAZILIAN_GENERATIONS
        or plain in _TITLES
        or (after_comma and plain in _TITLES_AFTER_COMMA)
    )
