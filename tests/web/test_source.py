"""Where a post may come from: every combination of token, Origin and Sec-Fetch-Site."""

from typing import Any

import pytest

from formapp.forms.tokens import TokenSigner
from tests.web.pages import Page
from tests.web.support import (
    FROM_LISTED,
    GOOD,
    JSON,
    KEY,
    LISTED,
    OWN,
    UNLISTED,
    Site,
    SiteMaker,
    ago,
)

ORIGINS = {"own": OWN, "listed": LISTED, "unlisted": UNLISTED, "null": "null", "absent": None}
SITES = ("same-origin", "none", "same-site", "cross-site", None)

# Rows: Sec-Fetch-Site. Columns: Origin own, listed, unlisted, null, absent.
WITH_TOKEN = {
    "same-origin": (303, 303, 303, 303, 303),
    "none": (303, 303, 303, 303, 303),
    "same-site": (403, 403, 403, 403, 403),
    "cross-site": (403, 403, 403, 403, 403),
    # An older browser: the Origin decides. Without either it is no browser.
    None: (303, 403, 403, 403, 303),
}
# Without a token, the Origin alone decides, as the form's list says.
WITHOUT_TOKEN = dict.fromkeys(SITES, (403, 303, 403, 403, 403))
CASES = [
    (token, site, origin, row[column])
    for token, rows in ((True, WITH_TOKEN), (False, WITHOUT_TOKEN))
    for site, row in rows.items()
    for column, origin in enumerate(ORIGINS)
]


def send(site: Site, answers: dict[str, Any], headers: dict[str, str | None]) -> Any:
    sent = {name: value for name, value in headers.items() if value is not None}
    return site.open("POST", "/f/lead", data=answers, headers=sent)


@pytest.mark.parametrize(("token", "fetch_site", "origin", "status"), CASES)
def test_a_post_is_taken_or_blocked_by_where_it_comes_from(
    site: Site, *, token: bool, fetch_site: str | None, origin: str, status: int
) -> None:
    answers = GOOD | ({"_token": site.token()} if token else {})
    headers = {"Origin": ORIGINS[origin], "Sec-Fetch-Site": fetch_site}
    answer = send(site, answers, headers)
    assert answer.status_code == status
    assert len(site.rows()) == (status == 303)


def test_the_table_is_whole() -> None:
    assert len(CASES) == 50


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://www.example.com", 303),
        ("HTTPS://WWW.EXAMPLE.COM", 303),
        ("https://www.example.com:443", 303),
        ("https://shop.partner.example", 303),
        ("https://a.b.partner.example", 303),
        ("http://localhost:9000", 303),
        ("http://www.example.com", 403),
        ("https://example.com", 403),
        ("https://www.example.com:8443", 403),
        ("https://www.example.com.evil.example", 403),
        ("https://partner.example", 403),
        ("https://evilpartner.example", 403),
        ("http://shop.partner.example", 403),
        ("http://localhost:9001", 403),
        ("https://www.example.com/page", 403),
        ("https://www.example.com@evil.example", 403),
        ("https://*.partner.example", 403),
        ("*", 403),
        ("", 403),
        ("https://", 403),
        ("http://[", 403),
        ("https://www.example.com https://evil.example", 403),
    ],
)
def test_an_origin_is_compared_exactly(site: Site, origin: str, status: int) -> None:
    answer = send(site, GOOD, {"Origin": origin, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == status


@pytest.mark.parametrize(("origin", "status"), [(UNLISTED, 303), ("null", 403), (None, 403)])
def test_a_star_lets_every_named_origin_in(site: Site, origin: str | None, status: int) -> None:
    headers = {"Origin": origin} if origin else {}
    answer = site.open("POST", "/f/anyone", data=GOOD, headers=headers)
    assert answer.status_code == status


def test_a_form_without_a_list_takes_our_own_page_alone(site: Site) -> None:
    assert site.foreign(GOOD, form="other").status_code == 403
    assert site.post(GOOD, form="other").status_code == 303


def test_a_block_says_what_to_do_and_has_its_code(site: Site) -> None:
    answer = site.foreign(GOOD, Origin=UNLISTED, **JSON)
    assert answer.json
    assert answer.json["errors"][0]["code"] == "BLOCKED"
    assert "open the form on its own page" in answer.json["error"]


def test_a_sandboxed_frame_is_told_to_open_a_window_and_can_read_it(site: Site) -> None:
    answers = GOOD | {"_token": site.token(use="embed")}
    headers = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}
    answer = site.open("POST", "/f/lead?_use=embed", data=answers, headers=headers)
    assert answer.status_code == 403
    assert "new window" in Page(answer).text
    assert LISTED in answer.headers["Content-Security-Policy"]


def test_the_own_origin_is_that_of_the_base_url_too(make_site: SiteMaker) -> None:
    site = make_site(
        BASE_URL="https://Forms.Example.com:443", TRUSTED_HOSTS="localhost,forms.example.com"
    )
    headers = {"Origin": "https://forms.example.com", "Host": "localhost"}
    answer = send(site, GOOD | {"_token": site.token()}, dict(headers))
    assert answer.status_code == 303


# The token itself


def tokens(site: Site) -> dict[str, str]:
    genuine = site.token()
    return {
        "expired": TokenSigner([KEY], clock=ago(24 * 3600 + 5)).issue_for("lead", "0" * 12, "page"),
        "other form": site.token("other"),
        "tampered": genuine[:5] + ("A" if genuine[5] != "A" else "B") + genuine[6:],
        "other key": TokenSigner(["another key of somebody"]).issue_for("lead", "0" * 12, "page"),
        "empty": "",
        "not ASCII": "tökén",
        "long": "x" * 10_000,
    }


@pytest.mark.parametrize(
    "kind", ["expired", "other form", "tampered", "other key", "empty", "not ASCII", "long"]
)
def test_a_token_that_does_not_hold_costs_nothing_but_a_second_press(site: Site, kind: str) -> None:
    posted = GOOD | {"_token": tokens(site)[kind], "message": "typed with care"}
    answer = site.post(posted)
    assert answer.status_code == 422
    page = Page(answer)
    assert "press the button again" in page.text
    assert page.sent["message"] == "typed with care"
    assert page.sent["_token"] != posted["_token"]
    assert site.rows() == []
    assert page.submit(site).status_code == 303
    assert site.row().answers["message"] == "typed with care"


def test_an_expired_token_says_that_it_expired(site: Site) -> None:
    answer = site.post(GOOD | {"_token": tokens(site)["expired"]}, json=True)
    assert answer.json
    assert answer.json["errors"][0]["code"] == "TOKEN_EXPIRED"


def test_a_token_of_an_older_version_of_the_form_holds(site: Site) -> None:
    token = site.signer.issue_for("lead", "ffffffffffff", "page")
    assert site.post(GOOD | {"_token": token}).status_code == 303


def test_keys_can_be_rotated(make_site: SiteMaker) -> None:
    site = make_site(SECRET_KEY=f"the new key that signs, {KEY}")
    assert site.post(GOOD).status_code == 303  # by the old key
    fresh = Page(site.get("/f/lead")).sent["_token"]
    assert TokenSigner(["the new key that signs"]).read(fresh, "lead").form == "lead"


def test_a_stolen_token_is_no_use_on_a_listed_page(site: Site) -> None:
    answer = site.foreign(GOOD | {"_token": site.token()})
    assert answer.status_code == 403


@pytest.mark.parametrize(("form", "origin"), [("lead", LISTED), ("anyone", UNLISTED)])
@pytest.mark.parametrize("query", ["", "?_use=embed"])
def test_who_copied_our_page_to_a_listed_site_is_told_to_remove_its_token(
    site: Site, form: str, origin: str, query: str
) -> None:
    page = Page(site.get(f"/f/{form}"))
    headers = FROM_LISTED | {"Origin": origin}
    answer = site.open("POST", f"/f/{form}{query}", data=page.sent | GOOD, headers=headers)
    assert answer.status_code == 403
    said = Page(answer).text
    assert "copied from our own page together with the hidden field _token" in said
    assert "remove that field" in said
    assert "frame" not in said
    page.sent.pop("_token")
    answer = site.open("POST", f"/f/{form}{query}", data=page.sent | GOOD, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("null", "is in a frame"),
        ("", "is in a frame"),
        (UNLISTED, "doesn't accept submissions from https://www.example.org."),
    ],
)
def test_where_no_listed_page_is_named_a_token_was_not_copied_there(
    site: Site, origin: str, said: str
) -> None:
    answer = site.foreign(GOOD | {"_token": site.token()}, Origin=origin, **JSON)
    assert answer.status_code == 403
    assert answer.json
    assert said in answer.json["error"]


def test_a_listed_page_may_send_nonsense_as_token(site: Site) -> None:
    assert site.foreign(GOOD | {"_token": "nonsense"}).status_code == 303
    assert site.row().meta["use"] == "foreign"


@pytest.mark.parametrize(("query", "target"), [("", None), ("?_use=embed", "_blank")])
def test_who_is_told_to_open_the_form_itself_finds_a_link_to_it(
    site: Site, query: str, target: str | None
) -> None:
    answer = site.post(GOOD, query=query, **{"Origin": "null", "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    [link] = [attrs for tag, attrs in Page(answer).tags if tag == "a"]
    assert (link["href"], link.get("target")) == ("/f/lead", target)
