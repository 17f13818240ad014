"""The way back from the errors of another site's form to the page that the form is on."""

from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.web.pages import Page
from tests.web.support import GOOD, LISTED, OWN, UNLISTED, Site, SiteMaker, locked

WRONG = GOOD | {"email": "wrong"}
CARRIED = f"{LISTED}/prices?size=2&for=a%20friend#form"


def back(answer: TestResponse) -> list[str | None]:
    return [a["href"] for tag, a in Page(answer).tags if tag == "a" and a.get("class") == "back"]


def errors_of(site: Site, page: str, *, form: str = "lead", use: str = "page") -> TestResponse:
    """The errors of a form whose address carries this page."""
    query = "?" + urlencode({"_page": page, "_use": use})
    posted = WRONG | {"_token": site.token(form, use)}
    answer = site.post(posted, form=form, query=query)
    assert answer.status_code == 422
    return answer


@pytest.mark.parametrize(
    ("referrer", "address"),
    [
        (f"{LISTED}/prices?size=2", f"{LISTED}/prices?size=2"),
        (f"{LISTED}/", f"{LISTED}/"),
        (None, LISTED),
        ("https://shop.partner.example/a", "https://shop.partner.example/a"),
        (f"{UNLISTED}/prices", None),
        ("http://[", None),
    ],
)
def test_the_errors_of_another_sites_form_lead_back_time_and_again(
    site: Site, referrer: str | None, address: str | None
) -> None:
    first = site.foreign(WRONG, **({"Referer": referrer} if referrer else {}))
    second = Page(first).submit(site)
    assert [first.status_code, second.status_code] == [422, 422]
    assert back(first) == back(second) == ([address] if address else [])


def test_a_refusal_of_what_was_valid_leads_back_too(make_site: SiteMaker) -> None:
    site = make_site(busy_seconds=0.05)
    with locked(site):
        answer = site.foreign(GOOD, Referer=CARRIED)
    assert answer.status_code == 503
    assert back(answer) == [CARRIED]


@pytest.mark.parametrize(
    "page",
    [
        UNLISTED,
        "https://www.example.com.evil.example/",
        "https://www.example.com@evil.example/",
        "https://evil.example\\@www.example.com/",
        "https://user:secret@www.example.com/",
        "https:www.example.com",
        "//www.example.com/",
        "/f/lead",
        "javascript:alert(1)//https://www.example.com",
        "javascript://www.example.com/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "ftp://www.example.com/",
        "java\nscript:alert(1)",
        " https://www.example.com/",
        "https://www.example.com/\x00",
        "https://www.example.com/\nset-cookie: a=b",
        "https://*.partner.example/",
        "http://www.example.com/",
        "https://[",
        "https://",
        "null",
        "*",
        "",
    ],
)
def test_a_page_that_is_not_on_the_list_leads_nowhere(site: Site, page: str) -> None:
    assert back(errors_of(site, page)) == []


def test_where_everybody_may_post_nobody_is_led_anywhere(site: Site) -> None:
    address = f"{UNLISTED}/prices"
    assert back(errors_of(site, address, form="anyone")) == []
    answer = site.foreign(WRONG, form="anyone", Origin=UNLISTED, Referer=address)
    assert answer.status_code == 422
    assert back(answer) == []


def test_an_address_stays_an_address(site: Site) -> None:
    page = f'{LISTED}/"onmouseover="alert(1)"><script>alert(1)</script>'
    answer = errors_of(site, page)
    assert back(answer) == [page]
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert not any("onmouseover" in attributes for _, attributes in Page(answer).tags)


def test_a_frame_and_a_page_of_ours_need_no_way_back(site: Site) -> None:
    assert back(errors_of(site, CARRIED)) == [CARRIED]
    assert back(errors_of(site, CARRIED, use="embed")) == []
    assert back(site.post(WRONG, Referer=f"{OWN}/f/lead")) == []
