"""Floods: a limit per address and per form, told to people with their input kept."""

import pytest

from tests.web.pages import Page
from tests.web.support import FULL, GOOD, UNLISTED, Site, SiteMaker


@pytest.fixture
def limited(make_site: SiteMaker) -> Site:
    return make_site(LIMIT_PER_ADDRESS="2/minute")


def test_beyond_the_limit_the_form_comes_back_with_the_input(limited: Site) -> None:
    assert [limited.post(GOOD).status_code for _ in range(2)] == [303, 303]
    answer = limited.post(FULL)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    page = Page(answer)
    assert "wait a minute" in page.text
    assert {name: page.sent.get(name) for name in FULL} == FULL
    assert len(limited.rows()) == 2


def test_programs_hear_it_as_json(limited: Site) -> None:
    for _ in range(2):
        limited.foreign(GOOD)
    answer = limited.foreign(GOOD, json=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert answer.json
    assert answer.json["errors"][0]["code"] == "TOO_MANY_REQUESTS"


def test_an_invalid_post_counts_and_a_blocked_one_does_not(limited: Site) -> None:
    limited.foreign(GOOD, Origin=UNLISTED)
    limited.post({})
    limited.post({})
    assert limited.post(GOOD).status_code == 429


def test_a_form_has_a_limit_of_its_own_for_all_addresses(make_site: SiteMaker) -> None:
    site = make_site(LIMIT_PER_FORM="2/minute")
    statuses = []
    for number in range(3):
        headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        answer = site.open(
            "POST",
            "/f/lead",
            data=GOOD | {"_token": site.token()},
            headers=headers,
            environ_overrides={"REMOTE_ADDR": f"203.0.113.{number}"},
        )
        statuses.append(answer.status_code)
    assert statuses == [303, 303, 429]
    assert site.post(GOOD, form="other").status_code == 303


def test_another_address_is_not_held_up(limited: Site) -> None:
    for _ in range(3):
        limited.post(GOOD)
    headers = {"Origin": "https://www.example.com"}
    other = {"REMOTE_ADDR": "203.0.113.1"}
    answer = limited.open("POST", "/f/lead", data=GOOD, headers=headers, environ_overrides=other)
    assert answer.status_code == 303


def test_off_is_off(make_site: SiteMaker) -> None:
    site = make_site(LIMIT_PER_ADDRESS="off", LIMIT_PER_FORM="OFF")
    assert {site.foreign(GOOD).status_code for _ in range(150)} == {303}


def test_there_is_a_limit_unless_it_is_off(make_site: SiteMaker) -> None:
    site = make_site(LIMIT_PER_ADDRESS="", LIMIT_PER_FORM="")
    statuses = [site.foreign({"x": "1"}).status_code for _ in range(121)]
    assert (statuses[:120], statuses[120]) == ([422] * 120, 429)


def test_seeing_a_page_is_never_limited(limited: Site) -> None:
    for _ in range(4):
        limited.post(GOOD)
    assert limited.get("/f/lead").status_code == 200


def post_from(site: Site, address: str) -> int:
    headers = {"Origin": "https://www.example.com"}
    where = {"REMOTE_ADDR": address}
    answer = site.open("POST", "/f/lead", data=GOOD, headers=headers, environ_overrides=where)
    return answer.status_code


def test_a_network_of_ipv6_is_one_address(limited: Site) -> None:
    statuses = [post_from(limited, f"2001:db8:1:2::{number:x}") for number in range(3)]
    assert statuses == [303, 303, 429]
    assert post_from(limited, "2001:db8:1:3::1") == 303


def test_addresses_of_ipv4_in_the_form_of_ipv6_are_not_one(limited: Site) -> None:
    statuses = [post_from(limited, f"::ffff:203.0.113.{number}") for number in range(3)]
    assert statuses == [303, 303, 303]
    statuses = [post_from(limited, "::ffff:203.0.113.9"), post_from(limited, "203.0.113.9")]
    assert [*statuses, post_from(limited, "::ffff:203.0.113.9")] == [303, 303, 429]
