"""Splitting a full name."""

import pytest
from formapp.forms.fields.values import clean_line
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.mapping import split_full_name


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("Ann Lee", "Ann", "Lee"),
        ("Mary Ann Smith", "Mary Ann", "Smith"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Oscar de la Renta", "Oscar", "de la Renta"),
        ("Vincent Van Gogh", "Vincent Van", "Gogh"),
        ("van Gogh", "van", "Gogh"),
        ("Madonna", "Madonna", ""),
        ("", "", ""),
        ("Ann  Lee", "Ann ", "Lee"),
        ("Ann de", "Ann", "de"),
        ("山田 太郎", "山田", "太郎"),
    ],
)
def test_a_full_name_is_split_where_people_would(typed: str, first: str, last: str) -> None:
    assert split_full_name(typed) == (first, last)


words = st.lists(st.text(max_size=6) | st.sampled_from(["van", "de", "la", "Ann"]), max_size=6)


@given(words.map(" ".join) | st.text())
def test_both_halves_joined_by_a_blank_give_back_what_was_typed(typed: str) -> None:
    text = clean_line(typed)
    first, last = split_full_name(text)
    assert (f"{first} {last}" if last else first) == text
    assert first.strip() or not text
