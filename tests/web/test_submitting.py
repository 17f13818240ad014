"""The main promise: what was kept is answered 303, what is wrong 422 with all that was typed."""

from typing import Any

import pytest

from tests.web.pages import Page
from tests.web.support import FULL, GOOD, JSON, Site


def test_a_kept_submission_leads_to_the_thank_you_page(site: Site) -> None:
    answer = site.post(FULL)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/f/lead/thanks"
    thanks = site.get(answer.headers["Location"])
    assert thanks.status_code == 200
    assert "Thank you" in Page(thanks).text


def test_a_kept_submission_is_in_the_database_with_its_delivery_and_wakes_the_worker(
    site: Site,
) -> None:
    site.post(FULL)
    row = site.row()
    assert row.status == "accepted"
    assert row.answers["extras"] == ["milk", "lemon"]
    assert row.answers["message"] == "First line\nsecond line"
    assert row.lead["form"] == "lead"
    assert [consent["field"] for consent in row.consents] == ["privacy"]
    assert [consent["text"] for consent in row.consents] == ["I agree."]
    assert (site.pending(), len(site.kept)) == (1, 1)


def test_a_page_posts_what_its_controls_hold(site: Site) -> None:
    page = Page(site.get("/f/lead"))
    assert page.submit(site, **FULL).status_code == 303
    assert site.row().answers["colour"] == "blue"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"email": "no address"},
        {"phone": "call me"},
        {"size": "twelve"},
        {"day": "tomorrow"},
        {"web": "nowhere"},
        {"privacy": None},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_refused_submission_comes_back_with_everything_that_was_typed(
    site: Site, wrong: dict[str, Any]
) -> None:
    typed = {name: value for name, value in (FULL | wrong).items() if value is not None}
    answer = site.post(typed)
    assert answer.status_code == 422
    page = Page(answer)
    assert {name: page.sent.get(name) for name in typed} == typed
    assert site.rows() == []


def test_what_was_wrong_is_marked_and_can_be_corrected_with_the_same_token(site: Site) -> None:
    first = Page(site.get("/f/lead"))
    again = Page(first.submit(site, **FULL | {"email": "no address"}))
    marked = [attrs["name"] for _, attrs in again.tags if attrs.get("aria-invalid") == "true"]
    assert marked == ["email"]
    assert again.sent["_token"] == first.sent["_token"]
    assert again.submit(site, email="ada@example.com").status_code == 303
    assert site.row().answers["email"] == "ada@example.com"


def test_what_was_typed_is_escaped(site: Site) -> None:
    hostile = '"><script>alert(1)</script>'
    answer = site.post(GOOD | {"email": hostile, "name": hostile, "message": hostile})
    assert answer.status_code == 422
    assert b"<script>alert" not in answer.data
    assert Page(answer).sent["name"] == hostile


def test_programs_get_every_fault_as_json(site: Site) -> None:
    answer = site.foreign({"email": "no address", "privacy": True}, json=True)
    assert answer.status_code == 422
    assert answer.json
    assert set(answer.json) == {"error", "errors"}
    assert isinstance(answer.json["error"], str)
    assert {(fault["field"], fault["code"]) for fault in answer.json["errors"]} == {
        ("name", "REQUIRED_FIELD_MISSING"),
        ("email", "TYPE_EMAIL"),
    }
    assert all(fault["message"] for fault in answer.json["errors"])


def test_a_fault_of_the_whole_form_has_no_field(site: Site) -> None:
    answer = site.post(GOOD | {"_token": "nonsense"}, json=True)
    assert answer.status_code == 422
    assert answer.json
    [fault] = answer.json["errors"]
    assert set(fault) == {"code", "message"}
    assert fault["code"] == "TOKEN_INVALID"


def test_programs_get_where_to_go_as_an_absolute_address(site: Site) -> None:
    answer = site.foreign(GOOD, json=True)
    assert answer.status_code == 200
    assert answer.json == {"ok": True, "next": "http://localhost/f/lead/thanks"}


@pytest.mark.parametrize("ticked", [True, "true", "on", "1", "yes"])
def test_a_box_is_ticked_by_any_of_its_ways(site: Site, ticked: object) -> None:
    site.foreign(GOOD | {"news": ticked}, json=True)
    assert site.row().answers["news"] is True


@pytest.mark.parametrize("empty", [False, "false", "", None])
def test_a_box_is_not_ticked_otherwise(site: Site, empty: object) -> None:
    site.foreign(GOOD | {"news": empty}, json=True)
    assert site.row().answers["news"] is False


def test_unknown_fields_are_counted_and_never_an_error(site: Site) -> None:
    assert site.foreign(GOOD | {"shoe": "42", "hat": "7"}).status_code == 303
    metrics = site.get("/metrics").get_data(as_text=True)
    assert 'formapp_unknown_fields_total{form="lead"} 2.0' in metrics
    assert "shoe" not in site.row().answers


def test_subject_and_reply_address_are_kept(site: Site) -> None:
    site.foreign(GOOD | {"_subject": "Hello", "_replyto": "a@example.com"})
    meta = site.row().meta
    assert (meta["_subject"], meta["_replyto"]) == ("Hello", "a@example.com")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/f/nope"),
        ("POST", "/f/nope"),
        ("OPTIONS", "/f/nope"),
        ("GET", "/f/nope/embed"),
        ("GET", "/f/nope/thanks"),
    ],
)
def test_an_unknown_form_is_a_page_or_json(site: Site, method: str, path: str) -> None:
    page = site.open(method, path)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    answer = site.open(method, path, headers=JSON)
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert answer.json
    assert answer.json["error"]
    assert answer.json["errors"][0]["code"] == "FORM_NOT_FOUND"


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/json, text/plain, */*", True),
        ("application/json, text/javascript, */*; q=0.01", True),
        ("*/*", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/json;q=0", False),
        ("", False),
        ("nonsense;;;q=", False),
    ],
)
def test_json_is_answered_when_it_is_asked_for(site: Site, accept: str, *, json: bool) -> None:
    answer = site.get("/nothing", Accept=accept)
    assert answer.status_code == 404
    assert answer.is_json is json


@pytest.mark.parametrize("path", ["/f/lead/embed", "/f/lead/thanks", "/healthz", "/embed.js"])
def test_a_wrong_method_is_named_and_the_right_ones_told(site: Site, path: str) -> None:
    answer = site.open("POST", path, headers=JSON)
    assert answer.status_code == 405
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].split(", "))
    assert answer.json
    assert isinstance(answer.json["error"], str)


def test_a_token_sent_in_under_two_seconds_is_suspect_but_kept(site: Site) -> None:
    site.post(GOOD)
    assert site.row().status == "accepted"
    assert site.row().meta["suspect"] == ["sent in under two seconds"]


def test_the_metrics_tell_what_became_of_posts(site: Site) -> None:
    site.post(GOOD)
    site.post({})
    site.foreign(GOOD, Origin="https://www.example.org")
    metrics = site.get("/metrics").get_data(as_text=True)
    for result in ("kept", "invalid", "refused"):
        assert f'formapp_submissions_total{{form="lead",result="{result}"}} 1.0' in metrics
    assert 'formapp_deliveries{site="main",state="pending"} 1.0' in metrics
