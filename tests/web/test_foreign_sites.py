"""Other people's sites: redirects, headers of their scripts, a slash too many, ways back."""

from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.web.pages import Page
from tests.web.support import (
    FROM_LISTED,
    GOOD,
    JSON,
    LISTED,
    OWN,
    UNLISTED,
    URLENCODED,
    Site,
)

REDIRECTED = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    ("referrer", "status"),
    [
        (f"{LISTED}/", 303),
        (f"{LISTED}/page?x=1", 303),
        ("https://shop.partner.example/", 303),
        (f"{UNLISTED}/", 403),
        (f"{OWN}/f/lead", 403),
        ("https://www.example.com.evil.example/", 403),
        ("https://user@www.example.com/", 403),
        ("about:blank", 403),
        ("http://[", 403),
        (None, 403),
    ],
)
def test_a_redirected_post_counts_by_its_referrer(
    site: Site, referrer: str | None, status: int
) -> None:
    headers = REDIRECTED | ({"Referer": referrer} if referrer else {})
    assert site.bytes(urlencode(GOOD).encode(), URLENCODED, headers).status_code == status


def test_a_referrer_counts_for_nothing_beside_an_origin_or_without_one(site: Site) -> None:
    for origin in ({"Origin": UNLISTED}, {}):
        headers = {"Referer": f"{LISTED}/", "Sec-Fetch-Site": "cross-site", **origin}
        assert site.bytes(urlencode(GOOD).encode(), URLENCODED, headers).status_code == 403


def test_a_script_can_read_the_answer_after_a_redirect(site: Site) -> None:
    headers = REDIRECTED | {"Referer": f"{LISTED}/"} | JSON
    answer = site.bytes(urlencode(GOOD).encode(), URLENCODED, headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "null"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    unknown = site.bytes(b"", URLENCODED, REDIRECTED | {"Referer": f"{UNLISTED}/"} | JSON)
    assert "Access-Control-Allow-Origin" not in unknown.headers


def names(header: str) -> set[str]:
    return {name.strip() for name in header.split(",")}


@pytest.mark.parametrize(
    "asked",
    ["x-requested-with", "content-type,x-requested-with", "x-csrf-token, authorization", "a" * 900],
)
@pytest.mark.parametrize("path", ["/f/lead", "/f/lead/", "/f/lead/thanks"])
def test_a_preflight_allows_a_listed_site_the_headers_that_it_asks_for(
    site: Site, asked: str, path: str
) -> None:
    headers = {
        "Origin": LISTED,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    answer = site.open("OPTIONS", path, headers=headers)
    allowed = ",".join(answer.headers.getlist("Access-Control-Allow-Headers"))
    assert names(asked) | {"Content-Type"} <= names(allowed)
    assert "Access-Control-Request-Headers" in answer.headers.getlist("Vary")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    other = site.open("OPTIONS", path, headers=headers | {"Origin": UNLISTED})
    assert "Access-Control-Allow-Headers" not in other.headers


@pytest.mark.parametrize("asked", ["x\x7f", "<b>", "a" * 2000, ""])
def test_a_preflight_repeats_nothing_that_is_no_header(site: Site, asked: str) -> None:
    headers = {"Origin": LISTED, "Access-Control-Request-Headers": asked}
    answer = site.open("OPTIONS", "/f/lead", headers=headers)
    assert len(answer.headers.getlist("Access-Control-Allow-Headers")) == 1


@pytest.mark.parametrize("path", ["/f/lead/", "/f/lead/embed/", "/f/lead/thanks/"])
def test_a_slash_behind_an_address_changes_nothing(site: Site, path: str) -> None:
    assert site.get(path).status_code == 200


def test_a_post_with_a_slash_behind_its_address_is_taken(site: Site) -> None:
    for headers in (FROM_LISTED, FROM_LISTED | JSON):
        answer = site.open("POST", "/f/lead/", data=GOOD, headers=headers)
        assert answer.status_code in {200, 303}
    page = Page(site.get("/f/lead/"))
    assert page.submit(site, **GOOD).status_code == 303
    assert len(site.rows()) == 3
    assert site.get("/f/nope/").status_code == 404


def links(answer: TestResponse) -> list[str | None]:
    return [a["href"] for tag, a in Page(answer).tags if tag == "a" and a.get("class") == "back"]


REFUSED = [
    (b"{", "application/json", 400),
    (b"name=a&name=b", URLENCODED, 400),
    (b"a=%00", URLENCODED, 400),
    (b"&".join(b"a%d=" % n for n in range(300)), URLENCODED, 400),
    (b"--b", "multipart/form-data; boundary=b", 400),
    (b"message=" + b"x" * 2 * 1024 * 1024, URLENCODED, 413),
    (b"x", "text/plain", 415),
    (b"x", None, 415),
]


@pytest.mark.parametrize(("body", "kind", "status"), REFUSED)
@pytest.mark.parametrize("page", [f"{LISTED}/prices?a=b", f"{LISTED}/", None])
def test_the_page_of_a_refusal_leads_back_to_the_site_that_it_came_from(
    site: Site, body: bytes, kind: str | None, status: int, page: str | None
) -> None:
    answer = site.bytes(body, kind, FROM_LISTED | ({"Referer": page} if page else {}))
    assert (answer.status_code, links(answer)) == (status, [page or LISTED])


@pytest.mark.parametrize(("body", "kind", "status"), REFUSED)
def test_the_page_of_a_refusal_leads_back_to_the_form_where_no_site_is_known(
    site: Site, body: bytes, kind: str | None, status: int
) -> None:
    for headers in ({}, {"Origin": UNLISTED, "Referer": f"{UNLISTED}/"}):
        answer = site.bytes(body, kind, headers)
        assert answer.status_code in {status, 403}
        assert links(answer) == ["/f/lead"]


def test_no_way_leads_back_from_an_address_without_a_form(site: Site) -> None:
    assert links(site.open("POST", "/f/nope", data=GOOD, headers=FROM_LISTED)) == []
    assert links(site.get("/nothing")) == []
