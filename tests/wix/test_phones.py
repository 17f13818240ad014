"""Phone numbers in the forms in which Wix may hold them."""

import pytest

from formapp.wix.duplicates import e164, forms


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("912 000 111", "PT", ("912 000 111", "+351912000111", "912000111")),
        ("912000111", "pt", ("912000111", "+351912000111")),
        ("+351 912 000 111", None, ("+351 912 000 111", "+351912000111", "912000111")),
        ("+351912000111", "GB", ("+351912000111", "912000111")),
        ("912 000 111", None, ("912 000 111",)),
        ("912 000 111", "XX", ("912 000 111",)),
        ("12", "PT", ("12",)),
        ("n/a", "PT", ()),
        ("", "PT", ()),
    ],
)
def test_forms_of_a_phone(number: str, country: str | None, expected: tuple[str, ...]) -> None:
    assert forms(number, country) == expected


def test_a_blank_country_is_no_country() -> None:
    assert e164("912 000 111", "") is None
