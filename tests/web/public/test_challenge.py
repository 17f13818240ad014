"""A form that asks the browser for work: solved, it is delivered; else its owner decides."""

import base64
import json
from typing import Any
from unittest.mock import patch

import pytest

from formapp.spam import altcha
from tests.web.guarded import SPAM, guarded, solution, solved
from tests.web.pages import Page
from tests.web.support import GOOD, LISTED, UNLISTED, Site, SiteMaker, assert_refused, locked


@pytest.fixture(autouse=True)
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altcha, "COST", 10)


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(forms=guarded('challenge = "altcha"'), busy_seconds=0.2)


def reasons(site: Site) -> list[Any]:
    return [(row.status, row.meta.get("suspect", [])[-1:]) for row in site.rows()]


def test_a_solved_challenge_is_delivered_and_left_out_of_the_answers(site: Site) -> None:
    assert site.post(GOOD | {"altcha": solved(site)}).status_code == 303
    assert site.foreign(GOOD | {"altcha": solved(site)}, json=True).json
    for row in site.rows():
        assert row.status == "accepted"
        assert "altcha" not in row.answers
    assert site.pending() == 2
    metrics = site.get("/metrics").get_data(as_text=True)
    assert "formapp_unknown_fields_total{" not in metrics


@pytest.mark.parametrize("given", [None, "", "nonsense", "W10=", "x" * 10_000])
def test_without_a_solution_the_owner_decides(site: Site, given: str | None) -> None:
    assert site.post(GOOD | ({} if given is None else {"altcha": given})).status_code == 303
    assert reasons(site) == [("quarantined", ["the challenge was not solved"])]


def test_a_solution_is_good_for_one_submission(site: Site) -> None:
    given = solved(site)
    for _ in range(3):
        assert site.foreign(GOOD | {"altcha": given}).status_code == 303
    held = ("quarantined", ["the solution of the challenge had been used before"])
    assert reasons(site) == [("accepted", []), held, held]


def test_one_solution_sent_again_and_again_uses_no_quota_up(make_site: SiteMaker) -> None:
    site = make_site(forms=guarded('challenge = "altcha"\nquota = "2/day"'))
    given = solved(site)
    for _ in range(4):
        site.foreign(GOOD | {"altcha": given})
    site.foreign(GOOD | {"altcha": solved(site)})
    assert [row.status for row in site.rows()] == ["accepted", *["quarantined"] * 3, "accepted"]


def test_a_double_click_sends_one_solution_twice_and_is_one_submission(site: Site) -> None:
    sent = GOOD | {"altcha": solved(site), "_token": site.token()}
    assert [site.post(sent).status_code for _ in range(3)] == [303, 303, 303]
    assert site.row().status == "accepted"


def test_what_could_not_be_kept_has_not_used_its_solution_up(site: Site) -> None:
    sent = GOOD | {"altcha": solved(site), "_token": site.token()}
    with locked(site):
        assert site.post(sent).status_code == 503
    assert site.post(sent).status_code == 303
    assert site.row().status == "accepted"


def test_a_solution_of_another_form_is_none(site: Site) -> None:
    site.foreign(GOOD | {"altcha": solved(site, "other")})
    assert reasons(site) == [("quarantined", ["the challenge was not solved"])]


def test_work_does_not_make_up_for_the_content(site: Site) -> None:
    site.foreign(SPAM | {"altcha": solved(site)})
    assert site.row().status == "quarantined"


def test_a_challenge_is_never_kept_by_a_cache_and_read_by_listed_pages_alone(site: Site) -> None:
    answer = site.get("/f/lead/challenge", Origin=LISTED)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "Access-Control-Allow-Credentials" not in answer.headers
    other = site.get("/f/lead/challenge", Origin=UNLISTED)
    assert "Access-Control-Allow-Origin" not in other.headers
    assert answer.json != other.json


def test_a_forms_difficulty_is_its_challenges(make_site: SiteMaker) -> None:
    site = make_site(forms=guarded('challenge = "altcha"\ndifficulty = 4'))
    with patch("formapp.spam.altcha.secrets.randbelow", return_value=0):
        made = site.get("/f/lead/challenge").json
    assert made
    assert json.loads(base64.b64decode(solution(made)))["solution"]["counter"] == 4 * altcha.STEPS


def test_a_form_that_asks_for_no_work_sets_none(make_site: SiteMaker) -> None:
    site = make_site()
    assert_refused(site.get("/f/lead/challenge", Accept="application/json"), 404, "NO_CHALLENGE")
    assert site.get("/f/nothing/challenge").status_code == 404
    page = site.get("/f/lead")
    assert b"challenge" not in page.data
    assert "connect-src" not in page.headers["Content-Security-Policy"]


def test_the_page_brings_the_script_and_may_ask_this_server_alone(site: Site) -> None:
    for answer in (site.get("/f/lead"), site.get("/f/lead/embed"), site.post({})):
        page = Page(answer)
        scripts = [attrs["src"] for tag, attrs in page.tags if tag == "script"]
        assert "/static/challenge.js" in scripts
        [control] = [attrs for _, attrs in page.tags if attrs.get("name") == "altcha"]
        assert control["type"] == "hidden"
        assert control["data-challenge"] == "/f/lead/challenge"
        policy = answer.headers["Content-Security-Policy"]
        assert "connect-src 'self'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
    thanks = site.get("/f/lead/thanks")
    assert "connect-src" not in thanks.headers["Content-Security-Policy"]
