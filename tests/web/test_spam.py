"""What is suspected goes to quarantine, answered like success; nothing is thrown away."""

from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from formapp.spam.signals import Signal
from tests.web.guarded import SPAM, beside, guarded, session, slow_token
from tests.web.support import (
    FULL,
    GOOD,
    LISTED,
    UNLISTED,
    Site,
    SiteMaker,
    assert_refused,
)


def shape(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    own = {"Date", "X-Request-Id"}  # of every answer another
    headers = [header for header in answer.headers if header[0] not in own]
    return answer.status_code, headers, answer.data


def states(site: Site) -> list[str]:
    return [row.status for row in site.rows()]


@pytest.mark.parametrize("json", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_kept_quarantined_and_caught_are_answered_alike_to_the_last_byte(
    site: Site, *, json: bool, own: bool
) -> None:
    post = site.post if own else site.foreign
    kept, held = post(GOOD, json=json), post(SPAM, json=json)
    caught = post(GOOD | {"_gotcha": "x"}, json=json)
    assert shape(kept) == shape(held) == shape(caught)
    assert states(site) == ["accepted", "quarantined", "spam"]


def test_what_is_held_back_is_whole_has_reasons_and_no_delivery(site: Site) -> None:
    site.foreign(FULL | {"message": SPAM["message"]})
    row = site.row()
    assert (row.status, site.pending(), site.kept) == ("quarantined", 0, [])
    assert row.answers["message"] == SPAM["message"]
    assert row.lead["email"]["address"] == GOOD["email"]
    assert row.consents[0]["field"] == "privacy"
    assert row.meta["suspect"] == ["a link in forum code ([url=…])"]
    assert row.meta["score"] == 3.0
    assert "pills" not in str(row.meta)


def test_a_program_that_posts_at_once_from_a_driven_browser_is_delivered(site: Site) -> None:
    header = session(webdriver=True, seconds=0.1)
    text = "See https://a.example and www.b.example"
    site.foreign(GOOD | {"message": text}, Formspree_Session_Data=header)
    assert site.row().status == "accepted"
    assert site.row().meta["suspect"] == [
        "sent in under two seconds",
        "the browser was driven by a program",
    ]
    assert site.row().meta["score"] == Signal.FAST.weight + Signal.WEBDRIVER.weight


def test_a_token_of_a_minute_ago_and_a_patient_person_leave_no_suspicion(site: Site) -> None:
    site.post(GOOD | {"_token": slow_token(site)})
    site.foreign(GOOD, Formspree_Session_Data=session())
    site.foreign(GOOD, Formspree_Session_Data="nonsense")
    assert states(site) == ["accepted"] * 3
    assert all("suspect" not in row.meta and "score" not in row.meta for row in site.rows())


def test_a_web_address_belongs_in_its_field_and_in_no_name(site: Site) -> None:
    address = "https://a.example/?u=http://b.example&v=http://c.example&w=http://d.example"
    site.foreign(GOOD | {"web": address})
    site.foreign(GOOD | {"name": "Look www.a.example", "message": "https://b.example " * 3})
    assert states(site) == ["accepted", "quarantined"]


def test_the_honeypots_catch_says_so(site: Site) -> None:
    site.foreign(GOOD | {"_gotcha": "x", "altcha": "y", "h-captcha-response": "z"})
    row = site.row()
    assert row.meta["suspect"] == ["the field that people don't see was filled in"]
    assert not {"altcha", "h-captcha-response"} & set(row.answers)


def test_a_repeated_post_has_the_same_receipt_though_it_was_held_back(site: Site) -> None:
    token = site.token()
    first, second = site.post(SPAM | {"_token": token}), site.post(SPAM | {"_token": token})
    assert shape(first) == shape(second)
    assert states(site) == ["quarantined"]
    metrics = site.get("/metrics").get_data(as_text=True)
    assert 'formapp_submissions_total{form="lead",result="quarantined"} 1.0' in metrics
    assert 'formapp_submissions_total{form="lead",result="repeated"} 1.0' in metrics
    assert 'formapp_quarantined{form="lead"} 1.0' in metrics


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('quarantine_at = "off"', "accepted"),
        ("quarantine_at = 10", "accepted"),
        ("quarantine_at = 3", "quarantined"),
        ("quarantine_at = 0.5", "quarantined"),
    ],
)
def test_the_owner_sets_the_threshold(make_site: SiteMaker, table: str, expected: str) -> None:
    site = make_site(forms=guarded(table))
    site.foreign(SPAM)
    assert states(site) == [expected]


# Posts that don't say where they come from


@pytest.mark.parametrize("headers", [{"Origin": "null"}, {"Origin": ""}, {}])
def test_an_unknown_origin_is_refused_or_held_back_as_the_owner_says(
    make_site: SiteMaker, headers: dict[str, str]
) -> None:
    strict, lenient = make_site(), make_site(forms=guarded('unknown_origin = "quarantine"'))

    def post(site: Site, **more: Any) -> TestResponse:
        return site.open("POST", "/f/lead", data=GOOD, headers=headers | more)

    assert_refused(post(strict, Accept="application/json"), 403, "BLOCKED")
    assert strict.rows() == []
    assert post(lenient).status_code == 303
    row = lenient.row()
    assert (row.status, row.meta["use"]) == ("quarantined", "foreign")
    assert row.meta["suspect"] == ["the page that it came from isn't known"]


def test_a_named_origin_is_let_in_or_refused_whatever_becomes_of_unknown_ones(
    make_site: SiteMaker,
) -> None:
    site = make_site(forms=guarded('unknown_origin = "quarantine"'))
    assert site.foreign(GOOD, Origin=LISTED).status_code == 303
    assert_refused(site.foreign(GOOD, json=True, Origin=UNLISTED), 403, "BLOCKED")
    assert states(site) == ["accepted"]


def test_a_token_of_ours_does_not_come_from_nowhere(make_site: SiteMaker) -> None:
    site = make_site(forms=guarded('unknown_origin = "quarantine"'))
    headers = {"Origin": "null", "Sec-Fetch-Site": "cross-site", "Accept": "application/json"}
    answers = GOOD | {"_token": site.token()}
    assert_refused(site.open("POST", "/f/lead", data=answers, headers=headers), 403, "BLOCKED")


# The quota


def test_leads_beyond_the_quota_are_held_back_and_the_owner_hears_it_once(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(forms=guarded('quota = "2/day"'))
    answers = [shape(site.foreign(GOOD | {"email": f"a{n}@example.com"})) for n in range(5)]
    assert len(set(map(str, answers))) == 1
    assert states(site) == ["accepted"] * 2 + ["quarantined"] * 3
    assert site.rows()[4].meta["suspect"] == ["beyond the form's quota of 2/day"]
    assert (site.pending(), len(site.kept)) == (2, 2)
    told = [record for record in caplog.records if "quota" in record.getMessage()]
    assert [record.levelname for record in told] == ["WARNING"]
    assert "the form lead is used up" in told[0].getMessage()


def test_neither_spam_nor_invalid_posts_nor_other_forms_use_the_quota_up(
    make_site: SiteMaker,
) -> None:
    site = make_site(forms=guarded('quota = "1/day"'))
    site.foreign(SPAM)
    site.foreign(GOOD | {"_gotcha": "x"})
    site.foreign({})
    site.post({"email": "a@example.com"}, form="other")
    site.foreign(GOOD)
    assert states(site) == ["quarantined", "spam", "accepted", "accepted"]


def test_two_servers_on_one_database_share_a_quota(make_site: SiteMaker, tmp_path: Path) -> None:
    forms = guarded('quota = "2/day"')
    first = make_site(forms=forms)
    second = beside(first, tmp_path, forms)
    for number in range(4):
        (first, second)[number % 2].foreign(GOOD | {"email": f"a{number}@example.com"})
    assert states(first) == ["accepted"] * 2 + ["quarantined"] * 2
    second.database.close()
