"""CORS: the pages of listed origins may read the answers, and none ever with credentials."""

import pytest

from tests.web.support import GOOD, LISTED, OWN, UNLISTED, Site, SiteMaker

PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": (
        "content-type,formspree-client,formspree-session-data,idempotency-key"
    ),
}


def preflight(site: Site, origin: str, form: str = "lead") -> dict[str, str]:
    answer = site.open("OPTIONS", f"/f/{form}", headers={"Origin": origin, **PREFLIGHT})
    assert answer.status_code == 204
    assert answer.data == b""
    assert "Origin" in answer.headers["Vary"]
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    return dict(answer.headers)


@pytest.mark.parametrize("origin", [LISTED, "https://shop.partner.example"])
def test_a_listed_page_may_post_with_the_headers_of_formsprees_clients(
    site: Site, origin: str
) -> None:
    headers = preflight(site, origin)
    assert headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in headers["Access-Control-Allow-Methods"]
    allowed = headers["Access-Control-Allow-Headers"].lower().split(", ")
    wanted = PREFLIGHT["Access-Control-Request-Headers"].split(",")
    assert set(wanted) <= set(allowed)


@pytest.mark.parametrize("origin", [UNLISTED, OWN, "null", "https://www.example.com.evil.example"])
def test_any_other_page_may_not(site: Site, origin: str) -> None:
    assert not [name for name in preflight(site, origin) if name.startswith("Access-Control")]


def test_a_star_lets_any_page_by_its_name(site: Site) -> None:
    assert preflight(site, UNLISTED, "anyone")["Access-Control-Allow-Origin"] == UNLISTED
    assert "Access-Control-Allow-Origin" not in preflight(site, "null", "anyone")


@pytest.mark.parametrize("json", [True, False])
@pytest.mark.parametrize("answers", [GOOD, {}, {"message": "x" * 400_000}, {"name": "a\0"}])
def test_every_answer_to_a_listed_page_can_be_read(
    site: Site, answers: dict[str, str], *, json: bool
) -> None:
    answer = site.foreign(answers, json=json)
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_no_answer_to_another_page_can_be_read(site: Site) -> None:
    answer = site.foreign(GOOD, Origin=UNLISTED)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


def test_a_fetch_that_asks_for_no_json_reads_where_its_post_leads(site: Site) -> None:
    # Else a script takes what was kept for a failure, and its visitor sends it again.
    thanks = site.foreign(GOOD).headers["Location"]
    assert site.get(thanks, Origin=LISTED).headers["Access-Control-Allow-Origin"] == LISTED
    other = site.get(thanks, Origin=UNLISTED)
    assert "Access-Control-Allow-Origin" not in other.headers
    assert "Origin" in other.headers["Vary"]


def test_a_fetch_that_asks_for_no_json_is_led_to_our_thanks_and_never_to_another_site(
    make_site: SiteMaker,
) -> None:
    # What it may not read looks like a failure to it, and its visitor would send again.
    site = make_site()
    elsewhere = GOOD | {"_next": f"{LISTED}/done"}
    assert site.foreign(elsewhere).headers["Location"] == f"{LISTED}/done"
    fetched = site.foreign(elsewhere, Sec_Fetch_Mode="cors")
    assert fetched.headers["Location"] == "/f/lead/thanks"
    told = site.foreign(elsewhere, json=True, Sec_Fetch_Mode="cors")
    assert told.json == {"ok": True, "next": f"{LISTED}/done"}


def test_a_page_may_read_when_to_try_again(site: Site) -> None:
    exposed = site.foreign(GOOD, json=True).headers["Access-Control-Expose-Headers"]
    assert exposed == "Retry-After, X-Request-Id"


def test_pages_themselves_are_for_no_script_of_another_site(site: Site) -> None:
    for path in ("/f/lead", "/f/lead/embed", "/metrics", "/readyz"):
        answer = site.get(path, Origin=LISTED)
        assert "Access-Control-Allow-Origin" not in answer.headers, path


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
def test_a_slash_too_many_within_is_no_redirect_either(site: Site, method: str) -> None:
    answer = site.open(method, "/f//lead")
    assert answer.status_code == 404
    assert "Location" not in answer.headers


@pytest.mark.parametrize("slashes", ["//", "///"])
@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_a_slash_too_many_in_front_is_answered_without_a_redirect(
    site: Site, method: str, slashes: str
) -> None:
    environ = {"PATH_INFO": f"{slashes}f/lead"}
    headers = {"Origin": LISTED, "Accept": "application/json"}
    answer = site.open(method, "/", environ_overrides=environ, headers=headers, data=GOOD)
    assert answer.status_code == {"OPTIONS": 204, "POST": 200}[method]
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
