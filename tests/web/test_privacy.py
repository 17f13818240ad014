"""What a visitor typed is in their own form again, and otherwise nowhere but in the database."""

import logging
import traceback
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from flask import request
from sqlalchemy import text

from formapp.db.database import DatabaseUnavailableError
from formapp.leads.accept import GroupCommit, Submission, keep
from formapp.web.public.accept import _read
from formapp.web.services import services
from tests.web.support import (
    FROM_OUR_PAGE,
    FULL,
    LISTED,
    UNLISTED,
    Site,
    SiteMaker,
    locked,
    schemaless,
)

CANARY = "canary7f3a"
ANSWERS: dict[str, Any] = {
    name: [f"{CANARY}{value}" for value in given] if isinstance(given, list) else f"{CANARY}{given}"
    for name, given in FULL.items()
} | {
    "_subject": CANARY,
    "_replyto": CANARY,
    "_next": f"https://{CANARY}.example/",
    "_id": CANARY,
    "unknown": CANARY,
    CANARY: "x",
}
VALID = FULL | {
    "name": CANARY,
    "email": f"{CANARY}@example.com",
    "message": CANARY,
    "web": f"https://{CANARY}.example",
    "_subject": CANARY,
    "_replyto": CANARY,
    "_id": CANARY,
    CANARY: CANARY,
}
HEADERS = {
    "Referer": f"{LISTED}/?q={CANARY}",
    "Idempotency-Key": CANARY,
    "User-Agent": CANARY,
    "X-Other": CANARY,
}


class NoteTakenError(Exception):
    """Raised in place of keeping a submission."""


def _note(seen: list[Submission], submission: Submission) -> None:
    seen.append(submission)
    raise NoteTakenError


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def everything_logged(log: pytest.LogCaptureFixture) -> str:
    said = [
        f"{record.getMessage()} {record.args} {record.exc_text}"
        + "".join(traceback.format_exception(*record.exc_info) if record.exc_info else ())
        for record in log.records
    ]
    return log.text + "\n".join(said)


@pytest.mark.parametrize("json", [True, False])
def test_no_log_line_and_no_metric_holds_an_answer(
    make_site: SiteMaker, log: pytest.LogCaptureFixture, *, json: bool
) -> None:
    site = make_site(busy_seconds=0.05, LIMIT_PER_ADDRESS="12/hour")
    query = f"?utm_source={CANARY}&{CANARY}=1"
    site.get(f"/f/lead{query}", **HEADERS)
    site.get(f"/f/lead/embed{query}&parent=https://{CANARY}.example", **HEADERS)
    site.get(f"/{CANARY}", **HEADERS)
    statuses = [
        site.post(answers, query=query, json=json, **(HEADERS | headers)).status_code
        for answers, headers in (
            (ANSWERS, {}),
            (VALID | {"_token": CANARY}, {}),
            (VALID | {"message": CANARY * 40_000}, {}),
            (VALID | {"message": f"{CANARY}\0"}, {}),
            (VALID, {"Origin": UNLISTED, "Sec-Fetch-Site": "cross-site"}),
            (VALID, {}),
            (VALID | {"_gotcha": CANARY}, {}),
        )
    ]
    assert statuses == [422, 422, 413, 400, 403, 200 if json else 303, 200 if json else 303]
    with locked(site):
        assert site.post(VALID, json=json, **HEADERS).status_code == 503
    with schemaless(site):
        assert site.post(VALID, json=json, **HEADERS).status_code == 503
    assert site.post(VALID, query=query, json=json, **HEADERS).status_code in {200, 303}
    with patch.object(GroupCommit, "keep", side_effect=RuntimeError(CANARY)):
        assert site.post(VALID, json=json, **HEADERS).status_code == 500
    assert {site.post(VALID, json=json, **HEADERS).status_code for _ in range(9)} >= {429}
    assert "RuntimeError" in log.text  # a defect is told all the same
    assert CANARY not in everything_logged(log)
    assert CANARY not in site.get("/metrics").get_data(as_text=True)


def test_only_the_visitors_own_form_repeats_what_was_typed(site: Site) -> None:
    shown = [
        site.post(ANSWERS, json=True),
        site.post(VALID | {"message": f"{CANARY}\0"}),
        site.post(VALID | {"message": CANARY * 40_000}, json=True),
        site.post(VALID | {"message": CANARY * 200_000}),
        site.post(VALID, Origin=UNLISTED, **{"Sec-Fetch-Site": "cross-site"}),
        site.post({CANARY: [CANARY, CANARY], "name": [CANARY, f"{CANARY}!"]}),
        site.get(f"/{CANARY}?{CANARY}"),
        site.get("/f/lead", Host=f"{CANARY}.example"),
        site.post(VALID),
        site.get("/f/lead/thanks"),
        site.get("/metrics"),
    ]
    with patch.object(GroupCommit, "keep", side_effect=RuntimeError(CANARY)):
        shown.append(site.post(VALID))
    for answer in shown:
        assert CANARY not in answer.get_data(as_text=True)
        assert CANARY not in str(answer.headers)
    assert CANARY in site.post(ANSWERS).get_data(as_text=True)


def test_exceptions_and_reprs_hold_no_answer(site: Site) -> None:
    said: list[str] = []

    def note(error: Exception) -> Any:
        said.extend(traceback.format_exception(error))
        return "", 500

    site.app.register_error_handler(Exception, note)
    seen: list[Submission] = []
    with patch.object(GroupCommit, "keep", side_effect=partial(_note, seen)):
        assert site.post(VALID).status_code == 500
    assert "NoteTakenError" in "".join(said)
    assert CANARY not in "".join(said)
    assert CANARY not in repr(seen)


def test_the_repr_of_what_was_posted_holds_no_answer(site: Site) -> None:
    data = VALID | {"_token": site.token()}
    headers = FROM_OUR_PAGE | HEADERS
    with site.app.test_request_context(
        f"/f/lead?utm_source={CANARY}", method="POST", data=data, headers=headers
    ):
        post, _ = _read(request, services().form("lead"), services())
    assert post.posted.values["message"] == [CANARY]
    for each in (post, post.posted, post.attribution, post.token):
        assert CANARY not in repr(each)


def test_an_unavailable_database_is_told_without_answers(site: Site) -> None:
    seen: list[Submission] = []
    with patch.object(GroupCommit, "keep", side_effect=partial(_note, seen)):
        site.post(VALID)
    with schemaless(site), pytest.raises(DatabaseUnavailableError) as caught:
        keep(site.database, seen[0])
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("site_kind", ["postgresql"])
def test_what_postgresql_quotes_of_a_row_is_not_told(site: Site) -> None:
    broken = {"given": f"{{{CANARY}"}
    with pytest.raises(DatabaseUnavailableError) as caught, site.database.write() as connection:
        connection.execute(text("SELECT CAST(:given AS json)"), broken)
    assert "json" in str(caught.value)
    assert CANARY not in str(caught.value)
