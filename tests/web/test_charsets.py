"""Text in any encoding: as declared, as HTML's `_charset_` says, or else guessed; never lost."""

import json
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from tests.web.forms import LEAD
from tests.web.support import GOOD, URLENCODED, Site, SiteMaker, multipart

JSON_TYPE = "application/json"
GUESSED = [{"code": "CHARSET_GUESSED", "value": "windows-1252"}]

# Label, Python's codec for what a browser sends by it, and a text.
DECLARED = [
    ("iso-8859-1", "cp1252", "Zoë “quoted” €"),
    ("latin1", "cp1252", "Zoë — €"),
    ("latin-1", "cp1252", "Zoë"),
    ("us-ascii", "cp1252", "naïve"),
    ("windows-1250", "cp1250", "Łódź, žluťoučký"),
    ("windows-1251", "cp1251", "Съешь ещё"),
    ("windows-1252", "cp1252", "Œuvre"),
    ("windows-1253", "cp1253", "Ωμέγα"),
    ("windows-1254", "cp1254", "İğdir"),
    ("windows-1255", "cp1255", "שלום"),
    ("windows-1256", "cp1256", "مرحبا"),
    ("windows-1257", "cp1257", "Ķekava"),
    ("windows-874", "cp874", "สวัสดี"),
    ("ISO-8859-2", "iso8859-2", "Łódź"),
    ("iso-8859-5", "iso8859-5", "Иван"),
    ("iso-8859-7", "iso8859-7", "Ωμέγα"),
    ("iso-8859-15", "iso8859-15", "10 €"),
    ("koi8-r", "koi8-r", "Иван"),
    ("koi8-u", "koi8-u", "Їжак"),
    ("macintosh", "mac-roman", "Zoë"),
    ("shift_jis", "cp932", "髙橋㈱①表示"),
    ("Shift-JIS", "cp932", "ｱﾝｹｰﾄ"),
    ("windows-31j", "cp932", "髙橋"),
    ("euc-jp", "euc_jp", "日本語ｱ"),
    ("iso-2022-jp", "iso2022_jp", "漢字かな"),
    ("gb2312", "gb18030", "王小明"),
    ("gbk", "gbk", "鎔基"),
    ("gb18030", "gb18030", "王😀"),
    ("big5", "big5hkscs", "許功蓋"),
    ("euc-kr", "cp949", "한글 똠"),
    ("ks_c_5601-1987", "cp949", "한글"),
    ("utf-8", "utf-8", "Zoë 漢字 😀"),
    ("utf8", "utf-8", "Zoë 漢字 😀"),
]
declared = pytest.mark.parametrize(
    ("label", "codec", "text"), DECLARED, ids=[d[0] for d in DECLARED]
)


def urlencoded(*more: tuple[str, bytes]) -> bytes:
    pairs = [f"{quote_from_bytes(n.encode())}={quote_from_bytes(v)}" for n, v in more]
    return "&".join([urlencode(GOOD), *pairs]).encode()


def parts(*more: tuple[str, str | bytes]) -> tuple[bytes, str]:
    return multipart(*((f'name="{name}"', value) for name, value in GOOD.items()), *more)


def message_of(site: Site) -> Any:
    row = site.row()
    assert row.notes is None
    return row.answers["message"]


@declared
def test_by_the_header_of_a_form(site: Site, label: str, codec: str, text: str) -> None:
    body = urlencoded(("message", text.encode(codec)))
    assert site.raw(body, f"{URLENCODED}; charset={label}").status_code == 200
    assert message_of(site) == text


@declared
def test_by_the_charset_field_of_html(site: Site, label: str, codec: str, text: str) -> None:
    body = urlencoded(("_charset_", label.encode()), ("message", text.encode(codec)))
    assert site.raw(body, URLENCODED).status_code == 200
    assert message_of(site) == text
    assert site.row().unknown is None


@declared
def test_by_the_charset_field_of_a_multipart_form(
    site: Site, label: str, codec: str, text: str
) -> None:
    charset = ('name="_charset_"', label)
    assert site.raw(*parts(charset, ('name="message"', text.encode(codec)))).status_code == 200
    assert message_of(site) == text


@declared
def test_by_the_header_of_a_part(site: Site, label: str, codec: str, text: str) -> None:
    head = f'name="message"\r\nContent-Type: text/plain; charset="{label}"'
    other = ('name="_subject"', "Zoë")  # in another encoding, UTF-8
    assert site.raw(*parts((head, text.encode(codec)), other)).status_code == 200
    assert message_of(site) == text
    assert site.row().meta["_subject"] == "Zoë"


@declared
def test_by_the_header_of_json(site: Site, label: str, codec: str, text: str) -> None:
    body = json.dumps(GOOD | {"message": text}, ensure_ascii=False).encode(codec)
    assert site.raw(body, f"{JSON_TYPE}; charset={label}").status_code == 200
    assert message_of(site) == text


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("parameter", ["", "; charset=utf-16", "; charset=utf-8"])
def test_json_of_programs_that_write_utf_16_or_a_byte_order_mark(
    site: Site, codec: str, parameter: str
) -> None:
    body = json.dumps(GOOD | {"message": "Zoë 😀"}, ensure_ascii=False).encode(codec)
    assert site.raw(body, JSON_TYPE + parameter).status_code == 200
    assert message_of(site) == "Zoë 😀"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("parameter", ["", "; charset=utf-16", "; charset=utf-8"])
def test_a_form_that_is_utf_16_as_a_whole_or_has_a_byte_order_mark(
    site: Site, codec: str, parameter: str
) -> None:
    body = f"message=Zoë+😀%21&{urlencode(GOOD)}".encode(codec)
    assert site.raw(body, URLENCODED + parameter).status_code == 200
    assert message_of(site) == "Zoë 😀!"
    assert site.row().unknown is None


@pytest.mark.parametrize("label", ["utf-16", "utf-16le", "utf-16be", "unicode"])
@pytest.mark.parametrize("text", ["Zoë 😀", "plain", "山田"])
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_the_form_of_a_page_in_utf_16_is_in_utf_8(
    site: Site, label: str, text: str, kind: str
) -> None:
    body, content_type = urlencoded(("message", text.encode())), URLENCODED
    if kind == "multipart":
        body, content_type = parts(('name="message"', text))
    assert site.raw(body, f"{content_type}; charset={label}").status_code == 200
    assert message_of(site) == text


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le"])
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_single_values_may_be_in_utf_16(site: Site, codec: str, kind: str) -> None:
    value = "Zoë 漢字".encode(codec)
    if kind == "urlencoded":
        site.raw(urlencoded(("message", value)), f"{URLENCODED}; charset=utf-16")
    else:
        site.raw(*parts(('name="message"\r\nContent-Type: text/plain; charset=utf-16', value)))
    assert message_of(site) == "Zoë 漢字"


LATIN = b"Zo\xeb \x93quoted\x94 \x80 \x81"  # 0x81 is a control character
GUESSES = {
    "raw": (urlencoded() + b"&message=" + LATIN.replace(b" ", b"+"), URLENCODED),
    "percent": (urlencoded(("message", LATIN)), URLENCODED),
    "an unknown label": (urlencoded(("message", LATIN)), f"{URLENCODED}; charset=wtf-9"),
    "an endless label": (urlencoded(("message", LATIN)), f"{URLENCODED}; charset={'x' * 5000}"),
    "no text": (urlencoded(("message", LATIN)), f'{URLENCODED}; charset="\x01"'),
    "falsely UTF-8": (urlencoded(("message", LATIN)), f"{URLENCODED}; charset=utf-8"),
    "a field of an unknown label": (
        urlencoded(("_charset_", b"nonsense"), ("message", LATIN)),
        URLENCODED,
    ),
    "multipart": parts(('name="message"', LATIN)),
    "a part": parts(('name="message"\r\nContent-Type: text/plain; charset=x', LATIN)),
    "JSON": (
        json.dumps(GOOD)[:-1].encode() + b', "message": "' + LATIN + b'"}',
        JSON_TYPE,
    ),
}


@pytest.mark.parametrize("name", GUESSES)
def test_what_is_neither_declared_nor_utf_8_is_windows_1252_and_noted(
    site: Site, name: str
) -> None:
    assert site.raw(*GUESSES[name]).status_code == 200
    row = site.row()
    assert row.answers["message"] == "Zoë “quoted” €"
    assert row.notes == GUESSED


@pytest.mark.parametrize("kind", ["form", "multipart", "JSON"])
def test_iso_2022_jp_needs_no_label(site: Site, kind: str) -> None:
    message = "お問い合わせ abc 山田".encode("iso-2022-jp")
    sent = {
        "form": (urlencoded(("message", message)), URLENCODED),
        "multipart": parts(('name="message"', message)),
        "JSON": (json.dumps(GOOD)[:-1].encode() + b', "message": "' + message + b'"}', JSON_TYPE),
    }
    assert site.raw(*sent[kind]).status_code == 200
    assert site.row().answers["message"] == "お問い合わせ abc 山田"
    assert site.row().notes is None


@pytest.mark.parametrize("label", ["shift_jis", "iso-8859-1", "euc-jp", "gbk", "iso-2022-jp"])
def test_a_wrong_label_loses_no_lead(site: Site, label: str) -> None:
    body = urlencoded(("message", b"\xff\xfe\x80 abc \x1b$B"))
    assert site.raw(body, f"{URLENCODED}; charset={label}").status_code == 200
    assert "abc" in site.row().answers["message"]


def test_text_that_is_utf_8_is_read_so_whatever_its_label(site: Site) -> None:
    site.raw(urlencoded(("message", "Zoë 漢字".encode())), f"{URLENCODED}; charset=shift_jis")
    assert site.row().answers["message"] == "Zoë 漢字"
    assert site.row().notes == [{"code": "CHARSET_GUESSED", "value": "utf-8"}]


@pytest.mark.parametrize(
    ("sent", "label", "read"),
    [
        (b"&#128512; &#26085;&#26412;", "windows-1252", "😀 日本"),
        (b"&#128512;", None, "&#128512;"),  # ASCII, so that no encoding lacked it
        (b"Zo\xeb &#128512;", None, "Zoë 😀"),
        (b"&#233; &#38; &#8364;", "windows-1252", "&#233; &#38; &#8364;"),
        (b"&#233;", "shift_jis", "é"),
        (b"&#233;", "euc-jp", "é"),
        (b"&#233;", "big5", "é"),
        (b"&#12354;", "euc-jp", "&#12354;"),
        (b"&#8364;", "iso-8859-15", "&#8364;"),
        (b"&#55357; &#9999999; &#0; &#x20AC;", "koi8-r", "&#55357; &#9999999; &#0; &#x20AC;"),
        (b"&#128512;", "utf-8", "&#128512;"),
    ],
)
def test_what_a_browser_wrote_as_a_reference_is_the_character_again(
    site: Site, sent: bytes, label: str | None, read: str
) -> None:
    more = [("_charset_", label.encode())] if label else []
    site.raw(urlencoded(*more, ("message", sent)), URLENCODED)
    assert site.row().answers["message"] == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"\xad\xea\xb9\xe2\xb6\xb6", "㈱高橋"),  # NEC's row 13
        (b"\xfc\xe2\xb6\xb6\xad\xa1", "髙橋①"),  # IBM's, as NEC selected them
        (b"\x8f\xb0\xa1\x8e\xb1", "丂ｱ"),  # JIS X 0212, half-width
        (b"\xa4\xa2 abc \xa1\xc1", "あ abc \uff5e"),
    ],
)
def test_euc_jp_has_the_characters_that_vendors_added(site: Site, sent: bytes, read: str) -> None:
    site.raw(urlencoded(("message", sent)), f"{URLENCODED}; charset=euc-jp")
    assert message_of(site) == read


def test_gbk_has_a_euro_sign(site: Site) -> None:
    site.raw(urlencoded(("message", b"100 \x80")), f"{URLENCODED}; charset=gbk")
    assert message_of(site) == "100 €"


@pytest.fixture
def japanese(make_site: SiteMaker, forms: dict[str, Form]) -> Site:
    text = LEAD.replace('name = "message"\n', 'name = "message"\naliases = ["ご用件"]\n')
    return make_site(forms=forms | {"lead": compile_form("lead", parse_form("lead.toml", text))})


@pytest.mark.parametrize("codec", ["cp932", "euc_jp"])
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_names_are_in_the_encoding_of_the_form_too(japanese: Site, codec: str, kind: str) -> None:
    name, text = "ご用件".encode(codec), "見積り".encode(codec)
    label = "shift_jis" if codec == "cp932" else "euc-jp"
    if kind == "urlencoded":
        more = f"&_charset_={label}&{quote_from_bytes(name)}={quote_from_bytes(text)}".encode()
        body, content_type = urlencoded() + more, URLENCODED
    else:
        body, content_type = parts(('name="_charset_"', label), ('name="@@"', text))
        body = body.replace(b"@@", name)
    assert japanese.raw(body, content_type).status_code == 200
    assert message_of(japanese) == "見積り"


@pytest.mark.parametrize("label", ["utf-7", "replacement", "idna", "rot13"])
def test_labels_that_no_form_can_mean_bring_nothing_down(site: Site, label: str) -> None:
    body = urlencoded(("message", "Zoë".encode()))
    assert site.raw(body, f"{URLENCODED}; charset={label}").status_code in {200, 422}
