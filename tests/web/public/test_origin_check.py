"""Posts of other sites and of programs: what a refusal says and leaves behind, and API tokens."""

from datetime import UTC, datetime
from typing import Any

import pytest

from formapp.monitoring.refused_origins import ABSENT, HIDDEN, find_refused
from tests.web.pages import Page
from tests.web.support import GOOD, JSON, LISTED, OWN, UNLISTED, Site, SiteMaker, assert_refused

TOKEN, OLD_TOKEN = "a-token-of-16-or-more", "another/token=the+old:one"


def counted(site: Site) -> dict[str, int]:
    found = find_refused(site.database, datetime.now(UTC).date())
    return {f"{each.form} {each.origin}": each.count for each in found}


def send(site: Site, form: str = "lead", **headers: str) -> Any:
    return site.open("POST", f"/f/{form}", data=GOOD, headers=JSON | headers)


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        (UNLISTED, UNLISTED),
        ("HTTPS://Www.Example.Org:443", UNLISTED),
        ("https://www.example.com:8443", "https://www.example.com:8443"),
        ("https://münchen.example".encode().decode("latin-1"), ABSENT),
        ("null", HIDDEN),
        ("chrome-extension://abc", HIDDEN),
        ("https://*.example.org", HIDDEN),
        ("https://www.example.org/page", HIDDEN),
        (f"https://{'a.' * 150}example", ABSENT),
        ("https://<b>.example", HIDDEN),
        ("http://[", HIDDEN),
        ("", ABSENT),
    ],
)
def test_a_refused_origin_is_counted_by_its_name(
    site: Site, origin: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert send(site, Origin=origin).status_code == 403
    assert counted(site) == {f"lead {name}": 2}
    [line] = [each.getMessage() for each in caplog.records if "refused" in each.getMessage()]
    assert "lead" in line
    assert "ada" not in line.lower()


def test_page_and_json_say_which_origin_and_what_to_add(site: Site) -> None:
    answer = send(site, Origin=UNLISTED)
    assert_refused(answer, 403, "BLOCKED")
    assert answer.json
    page = site.open("POST", "/f/lead", data=GOOD, headers={"Origin": UNLISTED})
    for text in (answer.json["error"], Page(page).text):
        assert f"doesn't accept submissions from {UNLISTED}" in text
        assert f'add "{UNLISTED}" to origins in lead.toml' in text
    # A script reads the reason, and nothing else.
    assert answer.headers["Access-Control-Allow-Origin"] == UNLISTED
    assert "Access-Control-Allow-Methods" not in answer.headers
    assert "Access-Control-Allow-Origin" not in page.headers


@pytest.mark.parametrize("origin", [UNLISTED, "null", None, "https://*.example.org"])
def test_a_page_that_may_not_post_can_ask_why(site: Site, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    answer = site.get("/f/lead/origin", **headers)
    assert_refused(answer, 403, "BLOCKED")
    assert answer.json
    assert (UNLISTED in answer.json["error"]) == (origin == UNLISTED)
    assert counted(site) == {}


def test_a_listed_page_may_post(site: Site) -> None:
    answer = site.get("/f/lead/origin", Origin=LISTED)
    assert (answer.status_code, answer.json) == (200, {"ok": True})
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert_refused(site.get("/f/nope/origin", Origin=LISTED, **JSON), 404, "FORM_NOT_FOUND")


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}])
def test_without_an_origin_the_refusal_speaks_of_the_token(
    site: Site, headers: dict[str, str]
) -> None:
    answer = send(site, **headers)
    assert_refused(answer, 403, "BLOCKED")
    assert answer.json
    assert "FORMAPP_API_TOKEN" in answer.json["error"]
    assert "open the form on its own page" in answer.json["error"]


def test_a_preflight_that_fails_is_counted_since_no_post_follows(site: Site) -> None:
    for origin in (UNLISTED, LISTED):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert site.open("OPTIONS", "/f/lead", headers=asked).status_code == 204
    assert counted(site) == {f"lead {UNLISTED}": 1}


@pytest.mark.parametrize(
    ("query", "referrer", "names"),
    [
        (f"?parent={UNLISTED}", "", [UNLISTED]),
        ("", f"{UNLISTED}/page?q=private", [UNLISTED]),
        (f"?parent={LISTED}", "", []),
        ("", f"{OWN}/f/lead/share", []),
        ("?parent=nonsense", "", []),
        (f"?parent=https://{'a.' * 150}example", "", []),
        ("", "", []),
    ],
)
def test_a_frame_that_the_browser_will_not_show_is_counted(
    site: Site, query: str, referrer: str, names: list[str]
) -> None:
    headers = {"Sec-Fetch-Dest": "iframe", **({"Referer": referrer} if referrer else {})}
    assert site.get(f"/f/lead/embed{query}", **headers).status_code == 200
    assert counted(site) == {f"lead {name}": 1 for name in names}


def test_nothing_is_counted_beyond_the_limits_of_posts(make_site: SiteMaker) -> None:
    site = make_site(LIMIT_PER_ADDRESS="3/minute")
    for _ in range(6):
        assert send(site, Origin=UNLISTED).status_code == 403
    assert counted(site) == {f"lead {UNLISTED}": 3}


def test_refused_posts_do_not_use_the_limit_of_the_form_up(make_site: SiteMaker) -> None:
    site = make_site(LIMIT_PER_FORM="3/minute")
    for _ in range(6):
        assert send(site, Origin=UNLISTED).status_code == 403
    assert send(site, Origin=LISTED).status_code == 200


def test_what_our_own_page_sends_without_its_token_is_not_counted(site: Site) -> None:
    assert send(site, Origin=OWN).status_code == 403
    assert counted(site) == {}


@pytest.fixture
def tokens(make_site: SiteMaker) -> Site:
    return make_site(API_TOKEN=f"{TOKEN}, {OLD_TOKEN}")


@pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_program_with_a_token_needs_no_origin(tokens: Site, token: str, scheme: str) -> None:
    answer = send(tokens, Authorization=f"{scheme} {token}")
    assert answer.status_code == 200
    assert answer.json
    assert answer.json["ok"]
    assert tokens.row().answers["email"] == "ada@example.com"
    assert tokens.pending() == 1
    assert counted(tokens) == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Bearer {TOKEN},{OLD_TOKEN}"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 403),
        ({"Authorization": TOKEN}, 403),
        # A browser has an origin; a script must not hold the token.
        ({"Authorization": f"Bearer {TOKEN}", "Origin": UNLISTED}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "null"}, 403),
        ({"Authorization": "Bearer of something else", "Origin": LISTED}, 200),
    ],
)
def test_any_other_token_is_refused(tokens: Site, headers: dict[str, str], status: int) -> None:
    answer = send(tokens, **headers)
    assert answer.status_code == status
    if status == 401:
        assert_refused(answer, 401, "UNAUTHORIZED")
        assert answer.json
        assert "FORMAPP_API_TOKEN" in answer.json["error"]
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert len(tokens.rows()) == (status == 200)


def test_without_the_setting_no_token_is_right(site: Site) -> None:
    assert_refused(send(site, Authorization=f"Bearer {TOKEN}"), 401, "UNAUTHORIZED")


def test_limits_and_keys_hold_for_programs_too(make_site: SiteMaker) -> None:
    site = make_site(API_TOKEN=TOKEN, LIMIT_PER_ADDRESS="3/minute")
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "order 1"}
    assert [send(site, **headers).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert len(site.rows()) == 1
    wrong = {"Authorization": "Bearer nonsense"}
    assert [send(site, **wrong).status_code for _ in range(2)] == [429, 429]
