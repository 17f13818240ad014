"""Telephone numbers as people write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.reading.contact import PhoneNumber, read_phone


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("+44 20 7946 0018", None, PhoneNumber("+442079460018", "GB")),
        ("020 7946 0018", "GB", PhoneNumber("+442079460018", "GB")),
        ("+44 (0)20 7946 0018", None, PhoneNumber("+442079460018", "GB")),
        ("0044 20 7946 0018", None, PhoneNumber("+442079460018", "GB")),
        ("(212) 555-0100", "US", PhoneNumber("+12125550100", "US")),
        ("212.555.0100", "US", PhoneNumber("+12125550100", "US")),
        ("1-800-FLOWERS", "US", PhoneNumber("+18003569377", "US")),
        ("tel:+1-201-555-0111", None, PhoneNumber("+12015550111", "US")),
        ("8 (495) 123-45-67", "RU", PhoneNumber("+74951234567", "RU")),
        ("+39 06 1234567", None, PhoneNumber("+39061234567", "IT")),
        ("011 15 2345-6789", "AR", PhoneNumber("+5491123456789", "AR")),
        ("030 1234567-12", "DE", PhoneNumber("+4930123456712", "DE")),
        # Folded
        ("＋１ ２１２ ５５５ ０１００", None, PhoneNumber("+12125550100", "US")),
        ("０３－１２３４－５６７８", "JP", PhoneNumber("+81312345678", "JP")),
        ("٠٢ ٢٣٤٥ ٦٧٨٩", "EG", PhoneNumber("+20223456789", "EG")),
        ("\u202a+1 212 555 0100\u202c", None, PhoneNumber("+12125550100", "US")),
        ("+1\u00a0212\u2011555\u20110100", None, PhoneNumber("+12125550100", "US")),
        # Extensions
        ("+1 212 555 0100 x12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100x012", None, PhoneNumber("+12125550100", "US", "012")),
        ("+1 212 555 0100 X 12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 ext 12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 ext. 12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 Ext.: 12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 extn 12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100, extension 12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 extension number 12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 (ext 12)", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100;ext=12", None, PhoneNumber("+12125550100", "US", "12")),
        ("tel:+1-212-555-0100;ext=12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 #12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100＃12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100 ~12", None, PhoneNumber("+12125550100", "US", "12")),
        ("+1 212 555 0100,,12", None, PhoneNumber("+12125550100", "US", "12")),
        ("1-800-FLOWERS x12", "US", PhoneNumber("+18003569377", "US", "12")),
        ("8 495 123-45-67 доб. 12", "RU", PhoneNumber("+74951234567", "RU", "12")),
        ("+7 (495) 123-45-67 (доб. 12)", None, PhoneNumber("+74951234567", "RU", "12")),
        ("+7 495 123-45-67 доб12", None, PhoneNumber("+74951234567", "RU", "12")),
        ("+7 495 123-45-67 вн. 12", None, PhoneNumber("+74951234567", "RU", "12")),
        ("030 1234567 Durchwahl 12", "DE", PhoneNumber("+49301234567", "DE", "12")),
        ("030 1234567 DW 12", "DE", PhoneNumber("+49301234567", "DE", "12")),
        ("01 234567, Klappe 12", "AT", PhoneNumber("+431234567", "AT", "12")),
        ("01 23 45 67 89 poste 12", "FR", PhoneNumber("+33123456789", "FR", "12")),
        ("91 123 45 67 extensión 12", "ES", PhoneNumber("+34911234567", "ES", "12")),
        ("06 1234567 int. 12", "IT", PhoneNumber("+39061234567", "IT", "12")),
        ("06 1234567 interno 12", "IT", PhoneNumber("+39061234567", "IT", "12")),
        ("22 123 45 67 wew. 12", "PL", PhoneNumber("+48221234567", "PL", "12")),
        ("011 2345-6789 ramal 12", "AR", PhoneNumber("+541123456789", "AR", "12")),
        ("03-1234-5678 内線12", "JP", PhoneNumber("+81312345678", "JP", "12")),
        ("０３（１２３４）５６７８（内線１２）", "JP", PhoneNumber("+81312345678", "JP", "12")),
        ("010-12345678 转 12", "CN", PhoneNumber("+861012345678", "CN", "12")),
        ("02-312-3456 내선 12", "KR", PhoneNumber("+8223123456", "KR", "12")),
        ("03-123-4567 שלוחה 12", "IL", PhoneNumber("+97231234567", "IL", "12")),
        ("+49 (0)30 123456 App. 11", None, PhoneNumber("+4930123456", "DE", "11")),
        ("030 123456 Apparat 11", "DE", PhoneNumber("+4930123456", "DE", "11")),
        ("030 123456 Nebenstelle: 11", "DE", PhoneNumber("+4930123456", "DE", "11")),
        ("8 495 123-45-67 доб.№ 12", "RU", PhoneNumber("+74951234567", "RU", "12")),
        ("8 495 123-45-67, добавочный 12", "RU", PhoneNumber("+74951234567", "RU", "12")),
        ("01 42 68 53 00 poste n° 12", "FR", PhoneNumber("+33142685300", "FR", "12")),
        ("030 123456 Durchwahl -12", "DE", PhoneNumber("+4930123456", "DE", "12")),
        ("01 42 68 53 00, p. 12", "FR", PhoneNumber("+33142685300", "FR", "12")),
        ("(11) 3123-4567 r. 12", "BR", PhoneNumber("+551131234567", "BR", "12")),
        ("+7 495 123-45-67 доп. 12", None, PhoneNumber("+74951234567", "RU", "12")),
        ("22 123 45 67 w.12", "PL", PhoneNumber("+48221234567", "PL", "12")),
        ("08-123 45 67 ankn. 12", "SE", PhoneNumber("+4681234567", "SE", "12")),
        ("0212 123 45 67 d.12", "TR", PhoneNumber("+902121234567", "TR", "12")),
        ("1 123 4567 m. 12", "HU", PhoneNumber("+3611234567", "HU", "12")),
        ("021 123 4567 interior 12", "RO", PhoneNumber("+40211234567", "RO", "12")),
        ("210 1234567 εσωτ. 12", "GR", PhoneNumber("+302101234567", "GR", "12")),
        ("02 23456789 داخلي 12", "EG", PhoneNumber("+20223456789", "EG", "12")),
        ("03-123-4567 של' 12", "IL", PhoneNumber("+97231234567", "IL", "12")),
        ("028 3812 3456 số máy lẻ 12", "VN", PhoneNumber("+842838123456", "VN", "12")),
        ("02 123 4567 ต่อ 12", "TH", PhoneNumber("+6621234567", "TH", "12")),
        ("021-1234567 psw 12", "ID", PhoneNumber("+62211234567", "ID", "12")),
        ("03-1234-5678（内）12", "JP", PhoneNumber("+81312345678", "JP", "12")),
        ("02-312-3456 (교환 12)", "KR", PhoneNumber("+8223123456", "KR", "12")),
        ("+1 212 555 0100 [x12]", None, PhoneNumber("+12125550100", "US", "12")),
        # Behind a further separator, where the digits aren't part of the number
        ("010-12345678-11", "CN", PhoneNumber("+861012345678", "CN", "11")),
        ("(010)12345678－11", "CN", PhoneNumber("+861012345678", "CN", "11")),
        ("+86 10 12345678-11", None, PhoneNumber("+861012345678", "CN", "11")),
        ("0755-86013388-8123", "CN", PhoneNumber("+8675586013388", "CN", "8123")),
        ("13800138000-1", "CN", PhoneNumber("+8613800138000", "CN", "1")),
        ("02-23456789-123", "TW", PhoneNumber("+886223456789", "TW", "123")),
        ("03-1234-5678-12", "JP", PhoneNumber("+81312345678", "JP", "12")),
        ("0212 123 45 67 / 12", "TR", PhoneNumber("+902121234567", "TR", "12")),
        ("010-12345678", "CN", PhoneNumber("+861012345678", "CN")),
        ("138-0013-8000", "CN", PhoneNumber("+8613800138000", "CN")),
        ("030 123456-0", "DE", PhoneNumber("+49301234560", "DE")),
        ("01/234567-12", "AT", PhoneNumber("+43123456712", "AT")),
        ("01-42-68-53-00-12", "FR", None),
        ("212-555-0100-12", "US", None),
        # Letters are digits only where the number needs them
        ("0800 REIMERS", "DE", PhoneNumber("+498007346377", "DE")),
        ("tel:+44-20-7946-0018", None, PhoneNumber("+442079460018", "GB")),
        ("030 123456 mobil", "DE", None),
        ("030 123456 abends", "DE", None),
        ("+43 1 123456 Büro", None, None),
        ("+43 1 123456 home x12", None, None),
        # Mexico before 2019
        ("+52 55 1234 5678", None, PhoneNumber("+525512345678", "MX")),
        ("+52 1 55 1234 5678", None, PhoneNumber("+525512345678", "MX")),
        ("+5215512345678", None, PhoneNumber("+525512345678", "MX")),
        ("0052 1 55 1234 5678", None, PhoneNumber("+525512345678", "MX")),
        ("+52 (1) 55 1234 5678 x5", None, PhoneNumber("+525512345678", "MX", "5")),
        ("1 55 1234 5678", "MX", PhoneNumber("+525512345678", "MX")),
        ("044 55 1234 5678", "MX", PhoneNumber("+525512345678", "MX")),
        ("045 55 1234 5678", "MX", PhoneNumber("+525512345678", "MX")),
        ("01 55 1234 5678", "MX", PhoneNumber("+525512345678", "MX")),
        ("01 800 123 4567", "MX", PhoneNumber("+528001234567", "MX")),
        ("+52 044 55 1234 5678", None, PhoneNumber("+525512345678", "MX")),
        ("+52 01 55 1234 5678", None, PhoneNumber("+525512345678", "MX")),
        ("+52 1 1 55 1234 5678", None, None),
        ("044 5512 3456", "MX", None),
        # Refused
        ("", None, None),
        ("12", "US", None),
        ("020 7946 0018", None, None),
        ("7946 0018", "GB", None),
        ("hello", "US", None),
        ("x12", "US", None),
        ("#12", "US", None),
        ("Durchwahl 12", "DE", None),
        ("+1 212 555 0100 x12 x13", None, None),
        ("212-555-0100 or 212-555-0101", "US", None),
        ("+999 123 456", None, None),
        ("+1 212 555 0100" + "1" * 300, None, None),
    ],
)
def test_a_phone_number_is_read(typed: str, region: str | None, number: PhoneNumber | None) -> None:
    assert read_phone(typed, region) == number


@given(
    st.text() | st.text("+0123456789 ()-x#;,.ext=доб内線"),
    st.sampled_from([None, "US", "MX", "JP"]),
)
def test_any_text_gives_a_number_or_none(text: str, region: str | None) -> None:
    found = read_phone(text, region)
    assert found is None or found.e164.startswith("+")


@pytest.mark.parametrize(
    "unit", ["1", "(", "+", " ", "x1", ",", "ext", "内線", "1-", "r.", " - ", "\u0345", "１"]
)
@pytest.mark.parametrize("size", [250, 10_000])
def test_the_longest_text_is_read_quickly(unit: str, size: int) -> None:
    read_phone("+1 212 555 0100", "MX")
    started = time.process_time()
    read_phone((unit * size)[:size], "MX")
    read_phone(("+521" + unit * size)[:size], "MX")
    assert time.process_time() - started < 0.05
