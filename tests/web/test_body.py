"""Reading a post: what is taken to the last byte, pair and letter."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.web.public.body import _urlencoded
from tests.web.forms import load
from tests.web.support import GOOD, URLENCODED, Site, assert_refused, multipart

LIMIT = load()["lead"].max_bytes
Sent = tuple[bytes, str]


def urlencoded(**more: Any) -> Sent:
    return urlencode(GOOD | more, doseq=True).encode(), URLENCODED


def parts(**more: Any) -> Sent:
    return multipart(*((f'name="{name}"', value) for name, value in (GOOD | more).items()))


def as_json(**more: Any) -> Sent:
    # Without escapes, so that the length is that of the text.
    return json.dumps(GOOD | more, ensure_ascii=False).encode(), "application/json"


ENCODERS = pytest.mark.parametrize("encode", [urlencoded, parts, as_json])


def sized(encode: Any, size: int) -> Sent:
    padding = size - len(encode(pad="")[0])
    body, content_type = encode(pad="x" * padding)
    assert len(body) == size
    return body, content_type


def counted(encode: Any, pairs: int) -> Sent:
    sent: Sent = encode(**{f"n{number}": "1" for number in range(pairs - len(GOOD))})
    return sent


@ENCODERS
def test_a_form_takes_exactly_what_its_fields_can_need(site: Site, encode: Any) -> None:
    assert site.raw(*sized(encode, LIMIT)).status_code == 200
    assert site.row().answers["email"] == "ada@example.com"


@ENCODERS
def test_one_byte_more_is_too_large(site: Site, encode: Any) -> None:
    answer = site.raw(*sized(encode, LIMIT + 1))
    assert_refused(answer, 413, "TOO_LARGE")
    assert site.rows() == []


@ENCODERS
def test_exactly_200_pairs_are_taken(site: Site, encode: Any) -> None:
    assert site.raw(*counted(encode, 200)).status_code == 200


@ENCODERS
def test_one_pair_more_is_too_many(site: Site, encode: Any) -> None:
    assert_refused(site.raw(*counted(encode, 201)), 400, "TOO_MANY_FIELDS")


@pytest.mark.parametrize("value", [None, [], ["x"]])
def test_keys_of_a_json_object_count_whatever_they_hold(site: Site, value: object) -> None:
    more = {f"n{number}": value for number in range(200 - len(GOOD))}
    assert site.raw(*as_json(**more)).status_code == 200
    assert_refused(site.raw(*as_json(**more, one_more=value)), 400, "TOO_MANY_FIELDS")


@ENCODERS
def test_nul_is_refused_in_names_and_values(site: Site, encode: Any) -> None:
    assert_refused(site.raw(*encode(message="a\0b")), 400, "NUL")
    # Werkzeug's reader of part headers stops at a NUL; whatever it makes of it is no name of ours.
    if encode is not parts:
        assert_refused(site.raw(*encode(**{"x\0y": "1"})), 400, "NUL")


@ENCODERS
def test_text_is_nfc_normalised(site: Site, encode: Any) -> None:
    site.raw(*encode(name="Zoe\u0308 Ange\u0301lique", _subject="Zoe\u0308"))
    assert site.row().answers["name"] == "Zoë Angélique"
    assert site.row().meta["_subject"] == "Zoë"


@ENCODERS
def test_any_script_is_kept_as_it_is(site: Site, encode: Any) -> None:
    text = "Ω 漢字 עברית 🏳️‍🌈 &=%+;"
    site.raw(*encode(message=text))
    assert site.row().answers["message"] == text


PIECES = st.sampled_from(
    [b"a", b"b=", b"=", b"&", b"+", b"%", b"%2", b"%zz", b"%2B", b"%26", b"%e9"]
)


@given(pieces=st.lists(PIECES | st.binary(max_size=3).filter(bytes.isascii), max_size=30))
def test_a_form_is_split_as_python_does_it(pieces: list[bytes]) -> None:
    data = b"".join(pieces).replace(b"\0", b"0")  # NUL is decoded before
    expected = parse_qsl(data.decode(), keep_blank_values=True, encoding="latin-1")
    assert _urlencoded(data) == expected
