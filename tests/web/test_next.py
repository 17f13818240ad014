"""Where a visitor is led afterwards: to a listed origin or to our own page, never elsewhere."""

import pytest

from tests.web.pages import Page
from tests.web.support import GOOD, Site

HOSTILE = [
    "//evil.example",
    "//www.example.com",
    "///evil.example",
    "////www.example.com/",
    "/thanks",
    "/\\evil.example",
    "\\\\evil.example",
    "thanks.html",
    "?next=https://www.example.com",
    "#",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:///www.example.com",
    "https:\\\\www.example.com",
    "https://evil.example",
    "https://evil.example/https://www.example.com",
    "https://evil.example?https://www.example.com",
    "https://evil.example#https://www.example.com",
    "https://evil.example\\@www.example.com",
    "https://evil.example\\.www.example.com",
    "https://www.example.com\\@evil.example",
    "https://www.example.com\\.evil.example",
    "https://www.example.com@evil.example",
    "https://www.example.com:443@evil.example",
    "https://user@www.example.com",
    "https://user:password@www.example.com/",
    "https://@www.example.com/",
    "https://www.example.com.evil.example",
    "https://www.example.com.",
    "https://www.example.comevil.example",
    "https://wwwXexample.com",
    "https://example.com",
    "https://evil.www.example.com",
    "https://www.example.com:444/",
    "https://www.example.com:0443x/",
    "https://www.example.com:99999/",
    "https://www.example.com:-443/",
    "http://www.example.com/",
    "https://partner.example/",
    "https://evil-partner.example/",
    "https://*.partner.example/",
    "https://www%2eexample.com/",
    "https://www.example.com%00.evil.example/",
    "https://www.example.com%2f@evil.example/",
    "https://[www.example.com]/",
    "https://[::1/",
    "https://www.example.com/\x7f",
    "https://www.example.com/\r\nSet-Cookie: a=b",
    "https://www.example.com/\n",
    "https://www.example.com\t.evil.example/",
    "ht\ntps://evil.example",
    "\thttps://www.example.com/",
    " https://www.example.com/",
    "https://www.example.com/ x",
    "https://www.example.com/\x85",
    "https://www.example.com/\xa0",
    "https://www.ex\u0430mple.com/",
    "https://www.example.com\u3002evil.example/",
    "https://www.example.com\uff0fevil.example/",
    "https://www.example.com\u2044evil.example/",
    "javascript:alert(1)",
    "JavaScript://www.example.com/%0aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://www.example.com/",
    "ws://www.example.com/",
    "blob:https://www.example.com/x",
    "view-source:https://www.example.com/",
    "about:blank",
    "null",
    "*",
    "",
    "https://",
    "https://www.example.com\u200b.evil.example/",
]
GOOD_ONES = [
    "https://www.example.com",
    "https://www.example.com/",
    "https://www.example.com/thanks?a=1&b=2#there",
    "https://www.example.com/http://evil.example",
    "https://www.example.com//evil.example",
    "https://www.example.com/@user",
    "https://www.example.com/?next=//evil.example",
    "https://shop.partner.example/thanks",
    "http://localhost:9000/thanks",
]


def test_there_are_enough_hostile_ones() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 75


@pytest.mark.parametrize("target", HOSTILE)
def test_a_hostile_target_leads_to_our_own_page(site: Site, target: str) -> None:
    answer = site.foreign(GOOD | {"_next": target})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/f/lead/thanks")
    shown = site.foreign(GOOD | {"_next": target}, json=True)
    assert shown.json == {"ok": True, "next": "http://localhost/f/lead/thanks"}


@pytest.mark.parametrize("target", GOOD_ONES)
def test_a_target_on_the_list_is_gone_to(site: Site, target: str) -> None:
    answer = site.foreign(GOOD | {"_next": target})
    assert (answer.status_code, answer.headers["Location"]) == (303, target)
    assert site.foreign(GOOD | {"_next": target}, json=True).json == {"ok": True, "next": target}


@pytest.mark.parametrize(
    ("target", "gone_to"),
    [
        ("HTTPS://WWW.EXAMPLE.COM/Thanks", "https://www.example.com/Thanks"),
        ("https://www.example.com:443/thanks", "https://www.example.com/thanks"),
        ("https://\u200bwww.example.com/", "https://www.example.com/"),
        ("https://www\u3002example\u3002com/", "https://www.example.com/"),
        ("https://www.example.com/schön", "https://www.example.com/sch%C3%B6n"),
    ],
)
def test_what_is_gone_to_begins_with_the_origin_as_it_is_listed(
    site: Site, target: str, gone_to: str
) -> None:
    assert site.foreign(GOOD | {"_next": target}).headers["Location"] == gone_to


def test_a_star_lets_everybody_post_but_leads_nobody_anywhere(site: Site) -> None:
    answer = site.foreign(GOOD | {"_next": "https://evil.example/"}, form="anyone")
    assert answer.headers["Location"] == "/f/anyone/thanks"
    answer = site.foreign(GOOD | {"_next": "https://www.example.com/x"}, form="anyone")
    assert answer.headers["Location"] == "https://www.example.com/x"


def test_our_own_page_may_name_a_target_too(site: Site) -> None:
    target = "https://www.example.com/thanks"
    assert site.post(GOOD | {"_next": target}).headers["Location"] == target


@pytest.mark.parametrize("json", [True, False])
def test_the_owner_may_name_a_page_of_theirs(site: Site, *, json: bool) -> None:
    answer = site.post(GOOD, form="away", json=json)
    target = "https://www.example.com/thanks?from=form"
    if json:
        assert answer.json == {"ok": True, "next": target}
    else:
        assert (answer.status_code, answer.headers["Location"]) == (303, target)


def test_in_a_frame_our_page_thanks_and_the_page_around_hears_of_it(site: Site) -> None:
    done = Page(site.get("/f/away/embed")).submit(site, email="ada@example.com")
    assert (done.status_code, done.headers["Location"]) == (303, "/f/away/thanks?_use=embed")
    assert " data-sent" in site.get(done.headers["Location"]).get_data(as_text=True)


def test_the_target_of_the_post_goes_before_the_owners_page(site: Site) -> None:
    answer = site.post(GOOD | {"_next": "https://www.example.com/other"}, form="away")
    assert answer.headers["Location"] == "https://www.example.com/other"


def test_the_browser_may_follow_the_redirect_of_our_page(site: Site) -> None:
    # Browsers hold the redirect after a post to form-action, too.
    policy = site.get("/f/away").headers["Content-Security-Policy"]
    [action] = [part for part in policy.split("; ") if part.startswith("form-action")]
    assert action == "form-action 'self' http://localhost https://www.example.com"


def test_the_target_survives_the_correction_of_a_fault(site: Site) -> None:
    target = "https://www.example.com/thanks"
    answer = site.foreign(
        {"name": "Ada", "privacy": "yes", "_next": target, "_subject": "S", "_replyto": '"a"@b'}
    )
    assert answer.status_code == 422
    once = Page(answer)
    assert "%22a%22" not in (once.action or "")  # what was typed stays out of addresses
    twice = Page(once.submit(site, email="wrong"))
    done = twice.submit(site, email="ada@example.com")
    assert (done.status_code, done.headers["Location"]) == (303, target)
    meta = site.row().meta
    assert (meta["_subject"], meta["_replyto"]) == ("S", '"a"@b')
