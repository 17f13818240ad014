"""Reading a post: a clear refusal of what can't be read, and what is taken though unusual."""

import gzip
import json
from urllib.parse import urlencode

import pytest

from tests.web.pages import Page
from tests.web.support import (
    FROM_LISTED,
    GOOD,
    JSON,
    LISTED,
    URLENCODED,
    Site,
    assert_refused,
    multipart,
)

Sent = tuple[bytes, str]
PARTS, MULTIPART = multipart(*((f'name="{name}"', value) for name, value in GOOD.items()))
good = urlencode(GOOD).encode()
good_json = json.dumps(GOOD).encode()
REFUSED: dict[str, tuple[bytes, str | None, int, str]] = {
    # Lone surrogates
    "surrogate in JSON": (
        b'{"name": "\\ud800", "email": "a@example.com"}',
        "application/json",
        400,
        "NOT_TEXT",
    ),
    "surrogate in a JSON key": (b'{"\\udfff": "x"}', "application/json", 400, "NOT_TEXT"),
    # JSON
    "no JSON": (b"name=Ada", "application/json", 400, "MALFORMED"),
    "empty JSON": (b"", "application/json", 400, "MALFORMED"),
    "NaN": (b'{"size": NaN}', "application/json", 400, "MALFORMED"),
    "Infinity": (b'{"size": -Infinity}', "application/json", 400, "MALFORMED"),
    "repeated keys": (b'{"name": "a", "name": "b"}', "application/json", 400, "REPEATED_FIELD"),
    "a list": (b'["name"]', "application/json", 400, "MALFORMED"),
    "a text": (b'"name"', "application/json", 400, "MALFORMED"),
    "null": (b"null", "application/json", 400, "MALFORMED"),
    "an empty list": (b"[]", "application/json", 400, "MALFORMED"),
    "names without values": (b'[{"name": "a"}]', "application/json", 400, "MALFORMED"),
    "no JSON within a text": (b'"{name"', "application/json", 400, "MALFORMED"),
    "one name twice": (
        b'[{"name": "name", "value": "a"}, {"name": "name", "value": "b"}]',
        "application/json",
        400,
        "REPEATED_FIELD",
    ),
    "a number": (b"1" * 5000, "application/json", 400, "MALFORMED"),
    "deep list": (b"[" * 60000, "application/json", 400, "MALFORMED"),
    "deep object": (b'{"a":' * 12000, "application/json", 400, "MALFORMED"),
    "deep and closed": (
        b'{"a":' + b"[" * 30000 + b"]" * 30000 + b"}",
        "application/json",
        400,
        "MALFORMED",
    ),
    "list for one value": (b'{"name": ["a"]}', "application/json", 400, "REPEATED_FIELD"),
    "empty list for one value": (b'{"name": []}', "application/json", 400, "REPEATED_FIELD"),
    "list for a name of ours": (b'{"_next": ["a"]}', "application/json", 400, "REPEATED_FIELD"),
    # Repeated
    "repeated field": (good + b"&name=b", URLENCODED, 400, "REPEATED_FIELD"),
    "repeated name of ours": (b"_next=a&_next=b", URLENCODED, 400, "REPEATED_FIELD"),
    "repeated part": (
        multipart(('name="name"', "a"), ('name="name"', "b"))[0],
        MULTIPART,
        400,
        "REPEATED_FIELD",
    ),
    # Multipart
    "no boundary": (multipart(boundary="")[0], "multipart/form-data", 400, "MALFORMED"),
    "empty boundary": (
        multipart(('name="name"', "a"), boundary="")[0],
        'multipart/form-data; boundary=""',
        400,
        "MALFORMED",
    ),
    "another boundary": (PARTS, "multipart/form-data; boundary=other", 400, "MALFORMED"),
    "truncated": (PARTS[:-10], MULTIPART, 400, "MALFORMED"),
    "truncated in a header": (PARTS[:40], MULTIPART, 400, "MALFORMED"),
    "empty multipart": (b"", MULTIPART, 400, "MALFORMED"),
    "a part without a disposition": (
        b"--b0undary\r\nX: y\r\n\r\nz\r\n--b0undary--\r\n",
        MULTIPART,
        400,
        "MALFORMED",
    ),
    # Other kinds
    "text": (good, "text/plain", 415, "CONTENT_TYPE"),
    "XML": (b"<a/>", "application/xml", 415, "CONTENT_TYPE"),
    "no type": (good, None, 415, "CONTENT_TYPE"),
    "nonsense type": (good, ";;=", 415, "CONTENT_TYPE"),
    "no JSON with a suffix": (good, "application/x+json", 400, "MALFORMED"),
    "mixed": (PARTS, "multipart/mixed; boundary=b0undary", 415, "CONTENT_TYPE"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_clearly(site: Site, name: str) -> None:
    body, content_type, status, code = REFUSED[name]
    assert_refused(site.raw(body, content_type), status, code)
    assert site.rows() == []


@pytest.mark.parametrize("name", REFUSED)
def test_people_are_told_so_on_a_page(site: Site, name: str) -> None:
    body, content_type, status, _ = REFUSED[name]
    answer = site.bytes(body, content_type, FROM_LISTED)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert str(status) in Page(answer).text


def test_a_form_sent_as_plain_text_is_refused_in_words_and_with_a_way_back(site: Site) -> None:
    page = Page(site.bytes(b"name=Ada\r\n", "text/plain", FROM_LISTED | {"Referer": LISTED}))
    assert "open the form on its own page" in page.text
    assert "application/" not in page.text
    assert [a["href"] for tag, a in page.tags if a.get("class") == "back"] == [LISTED]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "x"])
def test_compressed_bodies_are_refused(site: Site, encoding: str) -> None:
    answer = site.raw(gzip.compress(good), URLENCODED, **{"Content-Encoding": encoding})
    assert_refused(answer, 415, "COMPRESSED")


TAKEN: dict[str, Sent] = {
    "charset utf-8": (good, f"{URLENCODED}; charset=UTF-8"),
    "JSON as text": (good_json, "text/json"),
    "JSON with a suffix": (good_json, "application/x+json; charset=utf-8"),
    "JSON with a long suffix": (good_json, "Application/vnd.api+JSON"),
    "quoted charset": (good_json, 'application/json; charset="utf-8"'),
    "capitals": (good, "Application/X-WWW-Form-URLencoded"),
    "bad percent": (good + b"&message=100%&x=%zz", URLENCODED),
    "blank pairs": (b"&&" + good + b"&&=&", URLENCODED),
    "an empty file part": (
        multipart(
            *((f'name="{name}"', value) for name, value in GOOD.items()),
            ('name="cv"; filename=""', ""),
        )[0],
        MULTIPART,
    ),
    "a quoted boundary": (PARTS, 'multipart/form-data; boundary="b0undary"'),
    "text around the parts": (b"before\r\n" + PARTS + b"after", MULTIPART),
    "numbers": (b'{"size": 1e3, "phone": 2079460018, ' + good_json[1:], "application/json"),
    "null": (b'{"size": null, "extras": null, ' + good_json[1:], "application/json"),
    "a list for several values": (
        b'{"extras": ["milk", "sugar"], ' + good_json[1:],
        "application/json",
    ),
    "a group as one text": (b'{"extras": "milk, sugar", ' + good_json[1:], "application/json"),
    "encoded twice": (json.dumps(json.dumps(GOOD)).encode(), "application/json"),
    "in a container": (json.dumps({"payload": {"data": GOOD}}).encode(), "application/json"),
    "names and values": (
        json.dumps([{"name": n, "value": v} for n, v in GOOD.items()]).encode(),
        "application/json",
    ),
    "names and values within": (
        json.dumps({"fields": [{"name": n, "value": v} for n, v in GOOD.items()]}).encode(),
        "application/json",
    ),
    "one value for several": (b'{"extras": "milk", ' + good_json[1:], "application/json"),
    "an empty list": (b'{"extras": [], ' + good_json[1:], "application/json"),
    "repeated for several values": (good + b"&extras=milk&extras=sugar", URLENCODED),
    "an escaped pair of surrogates": (
        b'{"message": "\\ud83d\\ude00", ' + good_json[1:],
        "application/json",
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_unusual_but_clear_is_taken(site: Site, name: str) -> None:
    answer = site.raw(*TAKEN[name])
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert site.row().answers["email"] == "ada@example.com"


def test_a_group_as_one_text_is_split_only_into_options(site: Site) -> None:
    for text in ("milk, sugar", "milk, honey"):
        site.raw(json.dumps(GOOD | {"extras": text}).encode(), "application/json")
    first, second = site.rows()
    assert (first.answers["extras"], first.notes) == (["milk", "sugar"], None)
    assert "extras" not in second.answers
    assert second.notes[0]["value"] == "milk, honey"


def test_a_bad_percent_sign_stays_as_it_was_typed(site: Site) -> None:
    site.raw(*TAKEN["bad percent"])
    assert site.row().answers["message"] == "100%"


def test_a_huge_number_is_a_fault_of_its_field_alone(site: Site) -> None:
    body = b'{"size": ' + b"9" * 5000 + b", " + good_json[1:]
    answer = site.raw(body, "application/json")
    assert answer.status_code == 422
    assert answer.json
    assert [fault["field"] for fault in answer.json["errors"]] == ["size"]


def test_an_empty_post_lacks_every_required_field(site: Site) -> None:
    answer = site.raw(b"", URLENCODED)
    assert answer.status_code == 422
    assert answer.json
    missing = [(fault["field"], fault["code"]) for fault in answer.json["errors"]]
    assert missing == [(name, "REQUIRED_FIELD_MISSING") for name in ("name", "email", "privacy")]


def test_a_blank_required_field_is_told_from_a_missing_one(site: Site) -> None:
    answer = site.raw(urlencode(GOOD | {"name": "   "}).encode(), URLENCODED)
    assert answer.json
    assert answer.json["errors"][0]["code"] == "REQUIRED_FIELD_EMPTY"


def test_a_refusal_repeats_nothing_that_was_sent(site: Site) -> None:
    answer = site.raw(b'{"canary-name": "canary-value", "canary-name": "x"}', "application/json")
    assert answer.status_code == 400
    assert b"canary" not in answer.data


def test_a_refused_post_is_json_even_from_our_own_page(site: Site) -> None:
    assert_refused(site.post({"email": ["a", "b"]}, **JSON), 400, "REPEATED_FIELD")
