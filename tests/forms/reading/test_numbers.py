"""Numbers as people write them, by the form's language."""

import time

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.reading.numbers import JsonNumber, read_number, write_number

LANGUAGES = (  # noqa: SIM905 - a list would take a line for each
    "en en-US en-GB en-IN en-ZA de de-AT de-CH fr fr-CH fr-CA es es-MX it pt pt-PT nl da sv nb fi "
    "pl cs sk hu ro bg el ru uk tr ar ar-EG ar-MA he fa ur hi bn mr ne ta th vi id ja ko zh my"
).split()


@pytest.mark.parametrize(
    ("language", "typed", "number"),
    [
        ("en", "0", 0),
        ("en", "-0.0", 0),
        ("en", "12", 12),
        ("en", "1.5", 1.5),
        ("en", "1,5", 1.5),
        ("en", "1,234", 1234),
        ("en", "1.234", 1.234),
        ("en", "1,234.5", 1234.5),
        ("en", "1,234,567", 1234567),
        ("en", "1.234.567", 1234567),
        ("en", "1.234,5", 1234.5),
        ("en", "1,234.567", 1234.567),
        ("en", "1.234,567", 1234.567),
        ("en", "12,345,678.90", 12345678.9),
        ("en", ".5", 0.5),
        ("en", ",5", 0.5),
        ("en", "5.", 5),
        ("en", "5,", 5),
        ("en", "1,234.", 1234),
        ("en", "0,234", 0.234),
        ("en", "00,234", 0.234),
        ("en", "1234,567", 1234.567),
        ("en", "1234.567", 1234.567),
        ("en", "1,2345", 1.2345),
        ("en", ",234", 0.234),
        ("de", "1,5", 1.5),
        ("de", "1.5", 1.5),
        ("de", "1.234", 1234),
        ("de", "-1.234", -1234),
        ("de", "1,234", 1.234),
        ("de", "2.500,00", 2500),
        ("de", "2,500.00", 2500),
        ("de", "1.500,50", 1500.5),
        ("de", "0.234", 0.234),
        ("de", "1.234.567,89", 1234567.89),
        ("de", "1.23", 1.23),
        ("de", "1234.567", 1234.567),
        ("de-AT", "1.234", 1234),
        ("de-AT", "1 234,5", 1234.5),
        ("de-CH", "1'234.50", 1234.5),
        ("de-CH", "1’234.50", 1234.5),
        ("de-CH", "1'234", 1234),
        ("de-CH", "1.234", 1.234),
        ("de-CH", "1,234", 1.234),
        ("de-CH", "1’234’567", 1234567),
        ("fr", "1,234", 1.234),
        ("fr", "1.234", 1.234),
        ("fr", "1 234", 1234),
        ("fr", "1 234,5", 1234.5),
        ("fr", "1\u202f234,5", 1234.5),
        ("fr", "1\u00a0234\u00a0567", 1234567),
        ("fr", "1\u2009234,5", 1234.5),
        ("fr", "1\u3000234", 1234),
        ("fr", "1.234,5", 1234.5),
        ("es", "1.234", 1234),
        ("es-MX", "1.234", 1.234),
        ("es-MX", "1,234", 1234),
        ("it", "1.234", 1234),
        ("pt", "1.234", 1234),
        ("nl", "1.234", 1234),
        ("da", "1.234", 1234),
        ("tr", "1.234", 1234),
        ("id", "1.234", 1234),
        ("sv", "1 234", 1234),
        ("sv", "1,234", 1.234),
        ("pl", "1 234,56", 1234.56),
        ("ru", "1,234", 1.234),
        ("he", "1,234", 1234),
        ("ja", "1,234", 1234),
        ("ja", "１，２３４．５", 1234.5),
        ("ja", "１２３", 123),
        ("ja", "１、２３４", 1234),
        ("zh-Hant-TW", "1,234", 1234),
        ("hi", "1,23,456", 123456),
        ("hi", "12,34,567.89", 1234567.89),
        ("hi", "१,२३,४५६", 123456),
        ("en-IN", "1,23,456.5", 123456.5),
        ("en-IN", "1,00,00,000", 10000000),
        ("ar", "١٢٣", 123),
        ("ar", "١٬٢٣٤", 1234),
        ("ar", "١٬٢٣٤٫٥", 1234.5),
        ("ar", "٣٫١٤٢", 3.142),
        ("ar", "1،5", 1.5),
        ("ar", "1،234", 1234),
        ("ar-EG", "1,234", 1234),
        ("ar-MA", "1,234", 1.234),
        ("fa", "۱۲۳٫۵", 123.5),
        ("fa", "۱٬۲۳۴", 1234),
        ("th", "๑๒๓", 123),
        ("tlh", "1,234", 1234),
        ("", "1,234", 1234),
        ("en", "-5", -5),
        ("en", "+5", 5),
        ("en", "\u22125", -5),
        ("en", "\u2212 5", -5),
        ("en", "－５", -5),
        ("en", "\u20135", -5),
        ("en", "1e3", 1000),
        ("en", "1.5E-3", 0.0015),
        ("de", "1,5e3", 1500),
        ("en", "  5 ", 5),
        ("en", "\ufeff5\u200b", 5),
        ("en", "\u202d1,234\u202c", 1234),
        ("en", "1  234", 1234),
        ("en", "999999999999999", 999999999999999),
        ("en", "999,999,999,999,999", 999999999999999),
        ("en", "000000000000000000001", 1),
        ("en", "0.000000000000001", None),
        ("en", "1000000000000000", None),
        ("en", "1e15", None),
        ("en", "1e9999", None),
        ("en", "1e-9999", None),
        ("en", "0e9999", 0),
    ],
)
def test_a_number_is_read_by_the_language(language: str, typed: str, number: float | None) -> None:
    found = read_number(typed, language)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "-", "+", ".", ",", "'", "-.", ".e5", "e5", "abc", "1a", "NaN", "Infinity", "inf",
        "1_000", "0x10", "--5", "+-5", "5-", "(5)", "1e", "1e1.5", "1e12345",
        "1.2.3", "1,2,3", "12'34", "1 2", "12 34", "1 2345", "030 1234567", "1'5", "5'11",
        "1.234,567.8", "1,234.567,8", "1 234 56", "1,234 567", "1,23,45", "1,234,56", "1, 234",
        "1,,234", "1..5", "1.234.", "1.234,5.", "1,2345.6", "0,123,456", "01,234,567", "٣٫١٤٫٢",
        "€5", "5 €", "$5", "50%", "5k", "½", "²", "①", "Ⅳ", "四", "1/2", "12:30", "2024-01-01",
        "0" * 1001,
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_what_is_no_number_is_none(typed: str, language: str) -> None:
    assert read_number(typed, language) is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [0, 1, 12.5, 999, 1234, -1234.5, 1234567, 12345678.25, 0.125])
def test_what_babel_writes_is_read_back(language: str, number: float) -> None:
    tag = language.replace("-", "_")
    assert read_number(format_decimal(number, locale=tag), language) == number
    assert (
        read_number(format_decimal(number, locale=tag, numbering_system="default"), language)
        == number
    )


@given(st.text(st.sampled_from("0123456789.,' \u00a0-+eE٫٬١")), st.sampled_from(LANGUAGES))
def test_any_text_gives_a_number_or_none(text: str, language: str) -> None:
    found = read_number(text, language)
    assert found is None or abs(found) < 1e15


@given(st.decimals(-(10**14), 10**14, places=2), st.sampled_from(LANGUAGES))
def test_plain_decimals_of_two_places_mean_the_same_everywhere(
    number: object, language: str
) -> None:
    assert read_number(str(number), language) == float(str(number))


@given(
    st.floats(-1e14, 1e14).filter(lambda n: not n or abs(n) > 1e-14)
    | st.integers(-(10**14), 10**14),
    st.sampled_from(LANGUAGES),
)
def test_a_number_is_read_as_it_is_written(number: float, language: str) -> None:
    assert read_number(write_number(number, language), language) == number


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("text", "number"), [("1.234", 1.234), ("1234", 1234), ("-0.5", -0.5), ("1.5E+3", 1500)]
)
def test_a_json_number_has_a_point_in_every_language(
    text: str, number: float, language: str
) -> None:
    assert read_number(JsonNumber(text), language) == number


@pytest.mark.parametrize("unit", ["1", "1,", "1,234", " ", "\u0345"])
@pytest.mark.parametrize("size", [1000, 10_000])
def test_the_longest_text_is_read_quickly(unit: str, size: int) -> None:
    read_number("1", "de")
    started = time.process_time()
    read_number((unit * size)[:size], "de")
    assert time.process_time() - started < 0.05
