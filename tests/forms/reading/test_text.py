"""Normalizing and folding."""

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.reading.text import (
    TooManyMarksError,
    fold,
    has_too_many_marks,
    locale_of,
    normalize,
    remove_format_characters,
)

EVERYTHING = [chr(code) for code in range(sys.maxunicode + 1)]


@pytest.mark.parametrize(
    ("text", "too_many"),
    [
        ("", False),
        ("plain", False),
        ("e\u0301", False),
        ("a" + "\u0345" * 30, False),
        ("a" + "\u0345" * 31, True),
        ("\u0334" * 31, True),
        (("a" + "\u0301" * 30) * 50, False),
        ("a" + "\u0345" * 16 + "\u0334" * 15, True),
        ("a" + "\u0345" * 16 + "b" + "\u0334" * 15, False),
        # U+0F73 is of class 0 and decomposes to two marks.
        ("\u0f40" + "\u0f73" * 15, False),
        ("\u0f40" + "\u0f73" * 16, True),
        ("\u0f40" + "\u0f75" * 16, True),
        ("\u0f40" + "\u0f81" * 16, True),
        # Format characters are removed from e-mail addresses and numbers before normalizing.
        ("a" + "\u0345\u200d" * 31, True),
        ("a" + "\u0345\ufeff\u00ad" * 31, True),
        ("👩‍👩‍👧" * 100, False),
        ("ก็ำ" * 100, False),
        ("각" * 1000, False),
        ("\u1112\u1161\u11ab" * 1000, False),
        ("हिन्दी" * 500, False),
        ("Việt Nam " * 500, False),
        (unicodedata.normalize("NFD", "Việt Nam ") * 500, False),
    ],
)
def test_runs_of_over_30_combining_marks_are_refused(text: str, *, too_many: bool) -> None:
    assert has_too_many_marks(text) is too_many
    if too_many:
        with pytest.raises(TooManyMarksError):
            normalize(text)
    else:
        assert normalize(text) == unicodedata.normalize("NFC", text)


def test_every_character_that_decomposes_to_marks_alone_counts_as_a_mark() -> None:
    uncounted = [
        char
        for char in EVERYTHING
        if unicodedata.combining(unicodedata.normalize("NFD", char)[0])
        and not has_too_many_marks(char * 31)
    ]
    assert uncounted == []


@pytest.mark.slow
def test_all_format_characters_are_removed_and_nothing_else_is() -> None:
    left = remove_format_characters("".join(EVERYTHING))
    assert [char for char in left if unicodedata.category(char) == "Cf"] == []
    removed = set(EVERYTHING) - set(left)
    # Unassigned here: format characters of a newer Unicode.
    assert {unicodedata.category(char) for char in removed} <= {"Cf", "Cn"}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("  a b ", "a b"),
        ("Ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "Ann@example.com"),
        ("ann＠example。com", "ann@example.com"),
        ("ann@example｡com", "ann@example.com"),
        ("１２３", "123"),
        ("١٢٣", "123"),
        ("۱۲۳", "123"),
        ("१२३", "123"),
        ("๑๒๓", "123"),
        ("১২৩", "123"),
        ("𝟙𝟚𝟛", "123"),
        ("１\u3000２", "1 2"),
        ("1\u00a02\u202f3\u20094", "1 2 3 4"),
        ("1\t2\n3\r4\u20285", "1 2 3 4 5"),
        ("\u22125", "-5"),
        ("－5", "-5"),
        ("\u2010\u2011\u2013", "---"),
        ("＋４９", "+49"),
        ("\u202a+49 30\u202c", "+49 30"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("\ufeff", ""),
        ("１９８０／４／３", "1980/4/3"),
        ("٣٫٥", "3٫5"),
        ("½²①", "½²①"),
        ("é", "é"),
        ("e\u0301", "e\u0301"),
        ("a\ud800b", "a b"),
    ],
)
def test_other_forms_fold_to_ascii(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters(categories=None)))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32)))
def test_ascii_is_only_trimmed(text: str) -> None:
    assert fold(text) == text.strip()


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("de", "de"),
        ("de-CH", "de_CH"),
        ("pt_br", "pt_BR"),
        ("zh-Hant-TW", "zh_Hant_TW"),
        ("de-XX", "de"),
        ("de-CH-1996", "de_CH"),
        ("tlh", "en"),
        ("x-klingon", "en"),
        ("", "en"),
        ("-", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_an_unknown_language_falls_back(tag: str, locale: str) -> None:
    assert str(locale_of(tag)) == locale


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0345" * 500_000 + "\u0334" * 500_000,
        ("a" + "\u0345" * 30) * 32_000,
        "\u0345\u200d" * 500_000,
        "\u0f73" * 1_000_000,
        "\u3000" * 1_000_000,
    ],
    ids=["one run", "runs of 30", "parted by joiners", "Tibetan", "blanks"],
)
def test_a_megabyte_is_checked_in_linear_time(text: str) -> None:
    started = time.process_time()
    has_too_many_marks(text)
    assert time.process_time() - started < 1


def test_folding_the_longest_field_is_quick() -> None:
    started = time.process_time()
    for text in ("\u0345" * 10_000, "１" * 10_000, "\u3000" * 10_000, "漢" * 10_000):
        fold(text)
    assert time.process_time() - started < 0.1
