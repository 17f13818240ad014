"""Dates as people write them, by the form's language."""

import time
from datetime import date
from itertools import product

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.reading.dates import read_birthdate, read_date

LANGUAGES = (  # noqa: SIM905 - a list would take a line for each
    "en en-US en-GB en-CA en-AU en-IN de de-AT de-CH fr fr-CA fr-CH es es-MX pt pt-BR it nl da sv "
    "nb nn fi is et lv lt pl cs sk sl hr sr bs mk bg ro hu el ru uk be tr az kk ar ar-EG he fa ur "
    "hi bn mr ne ta te ml gu pa th vi id ms fil ja ko zh zh-Hant ca gl ga cy af sw hy ka sq my km"
).split()


@pytest.mark.parametrize(
    ("language", "typed", "iso"),
    [
        # ISO 8601
        ("en", "1980-04-03", "1980-04-03"),
        ("en-US", "1980-04-03", "1980-04-03"),
        ("de", "0001-01-01", "0001-01-01"),
        ("th", "1980-04-03", "1980-04-03"),
        ("ja", "１９８０－０４－０３", "1980-04-03"),
        ("ar", "١٩٨٠-٠٤-٠٣", "1980-04-03"),
        ("en", " 1980\u201104\u201103 ", "1980-04-03"),
        ("en", "1980-02-30", None),
        ("en", "1980-13-01", None),
        ("en", "1980-31-12", None),
        ("en", "0000-01-01", None),
        ("en", "2024-02-29", "2024-02-29"),
        ("en", "2023-02-29", None),
        ("en", "1980-04-03T00:00:00.000Z", "1980-04-03"),
        ("en", "1980-04-03T00:00:00+00:00", "1980-04-03"),
        ("en", "1980-04-03T12:00", "1980-04-03"),
        ("de", "1980-04-03 12:00", "1980-04-03"),
        ("de", "1980-04-03T00:30:00+02:00", "1980-04-03"),
        # By the language
        ("en", "03/04/1980", "1980-04-03"),
        ("en-GB", "03/04/1980", "1980-04-03"),
        ("en-AU", "3/4/1980", "1980-04-03"),
        ("en-IN", "3-4-1980", "1980-04-03"),
        ("en-CA", "3/4/1980", "1980-04-03"),
        ("en-US", "03/04/1980", "1980-03-04"),
        ("en-US", "3.4.1980", "1980-03-04"),
        ("en-XX", "3/4/1980", "1980-04-03"),
        ("tlh", "3/4/1980", "1980-04-03"),
        ("fil", "3/4/1980", "1980-03-04"),
        ("de", "3.4.1980", "1980-04-03"),
        ("de", "03. 04. 1980", "1980-04-03"),
        ("de", "3/4/1980", "1980-04-03"),
        ("fr", "3/4/1980", "1980-04-03"),
        ("es-MX", "3/4/1980", "1980-04-03"),
        ("pt-BR", "3/4/1980", "1980-04-03"),
        ("ar", "٣/٤/١٩٨٠", "1980-04-03"),
        ("ar", "3\u200f/4\u200f/1980", "1980-04-03"),
        ("he", "3.4.1980", "1980-04-03"),
        ("hi", "३/४/१९८०", "1980-04-03"),
        ("sv", "3/4 1980", "1980-04-03"),
        ("da", "3/4-1980", "1980-04-03"),
        ("sv", "3/4/1980", "1980-04-03"),
        ("nl", "3-4-1980", "1980-04-03"),
        ("en", "3 4 1980", "1980-04-03"),
        ("en-US", "3 4 1980", "1980-03-04"),
        ("fr", "3\u00a004\u202f1980", "1980-04-03"),
        ("bg", "3.04.1980 г.", "1980-04-03"),
        ("sr", "3.4.1980.", "1980-04-03"),
        # Fits one way only
        ("en-US", "31/12/1980", "1980-12-31"),
        ("en-US", "31.12.1980", "1980-12-31"),
        ("en", "12/31/1980", "1980-12-31"),
        ("de", "12/31/1980", "1980-12-31"),
        ("en-US", "4/4/1980", "1980-04-04"),
        ("ja", "4/4/1980", "1980-04-04"),
        ("ja", "31/12/1980", "1980-12-31"),
        ("en", "2/30/1980", None),
        ("en", "31/4/1980", None),
        ("en", "13/13/1980", None),
        ("en", "0/1/1980", None),
        # Languages that write the year first
        ("ja", "1980/4/3", "1980-04-03"),
        ("ja", "１９８０／４／３", "1980-04-03"),
        ("hu", "1980. 04. 03.", "1980-04-03"),
        ("hu", "1980.04.03.", "1980-04-03"),
        ("ko", "1980. 4. 3.", "1980-04-03"),
        ("lt", "1980-4-3", "1980-04-03"),
        ("en", "1980/04/03", "1980-04-03"),
        ("en-US", "1980 4 3", "1980-04-03"),
        ("en", "1980/31/12", None),
        ("ja", "3/4/1980", None),
        ("hu", "3.4.1980", None),
        ("fr-CA", "03-04-1980", None),
        # East Asia
        ("ja", "1980年4月3日", "1980-04-03"),
        ("ja", "１９８０年０４月０３日", "1980-04-03"),
        ("ja", "1980年 4月 3日 (木)", "1980-04-03"),
        ("ja", "1980年4月3日木曜日", "1980-04-03"),
        ("en", "1980年4月3日", "1980-04-03"),
        ("ja", "1980年4月3", "1980-04-03"),
        ("ja", "昭和55年4月3日", "1980-04-03"),
        ("ja", "令和元年5月1日", "2019-05-01"),
        ("ja", "平成２年1月2日", "1990-01-02"),
        ("ja", "55年4月3日", None),
        ("zh", "1980年4月3号", "1980-04-03"),
        ("zh-TW", "民國69年4月3日", "1980-04-03"),
        ("zh", "1980年4月3日 星期四", "1980-04-03"),
        ("ko", "1980년 4월 3일", "1980-04-03"),
        ("ko", "1980년4월3일 목요일", "1980-04-03"),
        ("ja", "1980年4月31日", None),
        ("ja", "1980年4月", None),
        ("vi", "ngày 3 tháng 4 năm 1980", "1980-04-03"),
        ("vi", "3 tháng 4, 1980", "1980-04-03"),
        ("vi", "3 thg 4, 1980", "1980-04-03"),
        # Names of months
        ("en", "3 April 1980", "1980-04-03"),
        ("en", "April 3, 1980", "1980-04-03"),
        ("en", "April 3rd, 1980", "1980-04-03"),
        ("en", "3rd of April 1980", "1980-04-03"),
        ("en", "the 3rd of april, 1980", "1980-04-03"),
        ("en", "1 Sept. 1980", "1980-09-01"),
        ("en", "1-Sep-1980", "1980-09-01"),
        ("en", "3Apr1980", "1980-04-03"),
        ("en", "1980 April 3", "1980-04-03"),
        ("en", "1980-Apr-03", "1980-04-03"),
        ("en", "Thursday, April 3, 1980", "1980-04-03"),
        ("en", "Thu 3 Apr 1980", "1980-04-03"),
        ("en", "3 MAY 1980", "1980-05-03"),
        ("en", "3 ju 1980", None),
        ("en", "3 Smarch 1980", None),
        ("en", "3 1980", None),
        ("en", "April 1980", None),
        ("en", "31 April 1980", None),
        ("en", "3 April 80", None),
        ("en", "3 April or 4 May 1980", None),
        ("en", "April April 3 1980", None),
        ("de", "3. April 1980", "1980-04-03"),
        ("de", "3.April 1980", "1980-04-03"),
        ("de", "1. März 1980", "1980-03-01"),
        ("de", "1. Mrz. 1980", "1980-03-01"),
        ("de", "1. Maerz 1980", "1980-03-01"),
        ("de", "am 3. Okt. 1980", "1980-10-03"),
        ("de", "3 October 1980", "1980-10-03"),
        ("de-AT", "3. Jänner 1980", "1980-01-03"),
        ("fr", "3 avril 1980", "1980-04-03"),
        ("fr", "1er août 1980", "1980-08-01"),
        ("fr", "1er aout 1980", "1980-08-01"),
        ("fr", "le 3 févr. 1980", "1980-02-03"),
        ("fr", "3 jui 1980", None),
        ("fr", "jeudi 3 avril 1980", "1980-04-03"),
        ("es", "3 de abril de 1980", "1980-04-03"),
        ("es", "3 mar 1980", "1980-03-03"),
        ("es", "martes, 1 de abril de 1980", "1980-04-01"),
        ("es", "1.º de mayo de 1980", "1980-05-01"),
        ("pt", "3 de março de 1980", "1980-03-03"),
        ("it", "3 maggio 1980", "1980-05-03"),
        ("nl", "3 febr. 1980", "1980-02-03"),
        ("da", "den 3. april 1980", "1980-04-03"),
        ("pl", "3 kwietnia 1980 r.", "1980-04-03"),
        ("pl", "3 kwiecień 1980", "1980-04-03"),
        ("ru", "3 апреля 1980 г.", "1980-04-03"),
        ("ru", "3 апреля 1980 года", "1980-04-03"),
        ("uk", "3 квітня 1980 року", "1980-04-03"),
        ("fi", "3. huhtikuuta 1980", "1980-04-03"),
        ("hu", "1980. április 3.", "1980-04-03"),
        ("el", "3 Απριλίου 1980", "1980-04-03"),
        ("tr", "3 Nisan 1980", "1980-04-03"),
        ("ca", "3 d’abril de 1980", "1980-04-03"),
        ("he", "3 באפריל 1980", "1980-04-03"),
        ("ar", "٣ أبريل ١٩٨٠", "1980-04-03"),
        ("ar", "3 ابريل 1980", "1980-04-03"),
        ("fr", "3 April 1980", "1980-04-03"),
        ("en", "3 avril 1980", None),
        # Other calendars
        ("th", "3/4/2523", "1980-04-03"),
        ("th", "3 เมษายน 2523", "1980-04-03"),
        ("th", "3 เม.ย. พ.ศ. 2523", "1980-04-03"),
        ("en", "3/4/2523", "2523-04-03"),
        ("fa", "1359/01/14", None),
        ("ar", "3/4/1400", None),
        # Refused
        ("en", "3/4/80", None),
        ("en", "3/4/980", None),
        ("en", "3/4/19800", None),
        ("en", "19800403", None),
        # In Roman numerals, in short eras, in Kanji
        ("pl", "3.IV.1980", "1980-04-03"),
        ("de", "3. XII. 1980", "1980-12-03"),
        ("en", "3.IIX.1980", None),
        ("ja", "S55.4.3", "1980-04-03"),
        ("ja", "Ｓ５５．４．３", "1980-04-03"),
        ("ja", "昭55.4.3", "1980-04-03"),
        ("ja", "㍼55年4月3日", "1980-04-03"),
        ("ja", "R元.5.1", "2019-05-01"),
        ("ja", "H2/1/1", "1990-01-01"),
        ("ja", "昭和五十五年四月三日", "1980-04-03"),
        ("ja", "平成十年十月二十日", "1998-10-20"),
        ("ja", "1980年4月3日生まれ", "1980-04-03"),
        ("zh", "一九八〇年四月三日", "1980-04-03"),
        ("ja", "十十年四月三日", None),
        ("ja", "S55.14.3", None),
        # Names that CLDR has elsewhere or not at all
        ("de", "3. Jänner 1980", "1980-01-03"),
        ("de", "3. Maerz 1980", "1980-03-03"),
        ("de", "3. Mrz 1980", "1980-03-03"),
        ("es", "3 de setiembre de 1980", "1980-09-03"),
        ("ar", "3 نيسان 1980", "1980-04-03"),
        ("ar", "3 كانون الثاني 1980", "1980-01-03"),
        ("ar", "3 جانفي 1980", "1980-01-03"),
        ("en", "03041980", None),
        ("en", "1980-04-02T22:00:00.000Z", None),
        ("en", "1980-04-03T25", None),
        ("en", "3:4:1980", None),
        ("en", "today", None),
        ("en", "", None),
        ("en", "/", None),
        ("en", "-1980-04-03", None),
    ],
)
def test_a_date_is_read_by_the_language(language: str, typed: str, iso: str | None) -> None:
    assert read_date(typed, language) == iso


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", ["short", "medium", "long"])
def test_what_babel_writes_is_read_back(language: str, style: str) -> None:
    for month, day in product(range(1, 13), (3, 13)):
        written = format_date(date(1980, month, day), style, language.replace("-", "_"))
        if style == "short" and not any(year in written for year in ("1980", "١٩٨٠", "۱۹۸۰")):
            continue
        assert read_date(written, language) == f"1980-{month:02}-{day:02}"


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("2026-11-27", "2026-11-27"),
        ("2026-11-28", None),
        ("28/11/2026", None),
        ("2999-01-01", None),
        ("0001-01-01", None),
        ("1875-12-31", None),
        ("1876-01-01", "1876-01-01"),
        ("31.12.1980", "1980-12-31"),
        ("nonsense", None),
    ],
)
def test_a_birthdate_is_past_and_within_150_years(typed: str, iso: str | None) -> None:
    assert read_birthdate(typed, "en", date(2026, 11, 27)) == iso


def test_a_birthdate_can_be_read_on_a_leap_day() -> None:
    assert read_birthdate("1980-02-29", "en", date(2024, 2, 29)) == "1980-02-29"


@given(
    st.text()
    | st.text(st.sampled_from("0123456789./- 年月日昭和元Aprilмайaugust")).map(lambda t: t[:40]),
    st.sampled_from(LANGUAGES),
)
def test_any_text_gives_a_real_date_or_none(text: str, language: str) -> None:
    found = read_date(text, language)
    assert found is None or date.fromisoformat(found).isoformat() == found


@pytest.mark.parametrize(
    "unit", ["1", "1/", "a", "a ", "april ", " ", "\u0345", "年", "十", "一年"]
)
@pytest.mark.parametrize("size", [100, 10_000])
def test_the_longest_text_is_read_quickly(unit: str, size: int) -> None:
    read_date("1 April 1980", "de")
    started = time.process_time()
    read_date((unit * size)[:size], "de")
    assert time.process_time() - started < 0.05
