"""Cleaning, whatever is typed, beside what Unicode's tables say of each character."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.reading.text import clean_line, clean_lines, clean_token

ENDS = {"Cc", "Cs", "Zl", "Zp"}
# Nearly all characters are letters: these are drawn as often as all others.
ODD = st.characters(categories=["Cc", "Cs", "Zl", "Zp", "Cf", "Zs", "Mn"])
texts = st.text(st.characters(categories=None) | ODD | st.sampled_from("\r\n\t a\u0301\x7f"))


def without(text: str, *, keep: str) -> str:
    """The text with a blank for each control character and line end but those in `keep`."""
    return "".join(
        " " if unicodedata.category(char) in ENDS and char not in keep else char for char in text
    )


@given(texts)
def test_a_line_holds_no_line_end_and_no_control_character(text: str) -> None:
    assert clean_line(text) == without(unicodedata.normalize("NFC", text), keep="").strip()


@given(texts)
def test_lines_hold_no_control_character_but_tab_and_line_feed(text: str) -> None:
    unified = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    assert clean_lines(text) == without(unified, keep="\n\t").strip()


@given(texts)
def test_a_token_is_a_line_without_format_characters(text: str) -> None:
    seen = "".join(char for char in text if unicodedata.category(char) != "Cf")
    assert clean_token(text) == clean_line(seen)


@pytest.mark.slow
def test_every_single_character_is_cleaned_as_its_category_says() -> None:
    # A letter after each one: marks in a row are limited.
    everything = "".join(chr(code) + "x" for code in range(0x110000))
    normal = unicodedata.normalize("NFC", everything)
    assert clean_line(everything) == without(normal, keep="").strip()
