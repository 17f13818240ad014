"""What the owner sees: list, show and export."""

import json
from datetime import timedelta
from typing import Any

import pytest

from formapp.cli.format_lead import entry_lines
from formapp.db.database import Database
from formapp.delivery.results import Attempt, Result, finish, give_up, put_back
from formapp.leads.accept import Status, keep
from formapp.leads.errors import UnknownSubmissionError
from formapp.leads.export import csv_rows
from formapp.leads.report import list_submissions, show_submission
from tests.support.claiming import claim_next
from tests.support.clock import NOON
from tests.support.leads import SITE, lead, submission

CALLS = [{"operation": "queryContacts", "status": 200, "code": None, "request_id": "r", "ms": 3}]


def _claim(database: Database) -> Any:
    return claim_next(database, [SITE], NOON)


def filled(database: Database) -> dict[str, str]:
    """One submission of each kind, by its state; one pending has been tried."""
    ids: dict[str, str] = {}
    for state in ("delivered", "failed", "pending"):
        at = NOON - timedelta(hours=len(ids) + 1)
        sent = submission(lead(f"{state}@example.com"), at, meta={"page": "p", "_subject": "s"})
        ids[state] = keep(database, sent).id
        result = "retry" if state == "pending" else state
        attempt = Attempt(NOON, result, 12, CALLS, "createContact", 400, "CODE", "request-1")
        if state == "delivered":
            claim = _claim(database)
            finish(database, claim, attempt, Result("created", "c1", ("look",)))
        elif state == "failed":
            give_up(database, _claim(database), attempt, "Wix's reason")
        else:
            later = NOON + timedelta(hours=1)
            put_back(database, _claim(database), attempt, due_at=later, reason="r")
    for status in (Status.QUARANTINED, Status.UNCONFIRMED, Status.SPAM):
        sent = submission(lead(form="quote"), NOON, status=status, form="quote")
        ids[status.value] = keep(database, sent).id
    return ids


def test_the_list_has_everything_but_honeypot_catches_oldest_first(database: Database) -> None:
    ids = filled(database)
    entries = list(list_submissions(database))
    states = ["pending", "failed", "delivered", "quarantined", "unconfirmed"]
    assert [entry["state"] for entry in entries] == states
    assert [entry["id"] for entry in entries] == [ids[state] for state in states]
    received = [entry["received_at"] for entry in entries]
    assert received == sorted(received)
    assert received[0] == "2026-03-02T09:00:00Z"
    json.dumps(entries)


EXPECTED: dict[str, tuple[Any, ...]] = {
    # state: outcome, contact, attempts, reason, flags
    "delivered": ("created", "c1", 1, None, ["look"]),
    "failed": (None, None, 1, "Wix's reason", []),
    "pending": (None, None, 1, "r", []),
    "quarantined": (None, None, 0, None, []),
    "unconfirmed": (None, None, 0, None, []),
}


def test_an_entry_of_the_list_tells_what_became_of_it(database: Database) -> None:
    filled(database)
    keys = ("outcome", "contact_id", "attempts", "reason", "flags")
    for entry in list_submissions(database):
        assert tuple(entry[key] for key in keys) == EXPECTED[entry["state"]]
        assert entry["site"] == SITE


def test_the_list_can_be_narrowed_by_form_and_state(database: Database) -> None:
    ids = filled(database)
    assert [each["id"] for each in list_submissions(database, state="failed")] == [ids["failed"]]
    assert len(list(list_submissions(database, form="quote"))) == 2
    assert list(list_submissions(database, form="quote", state="pending")) == []
    # Honeypot catches are out of sight until they are asked for.
    assert ids["spam"] not in [each["id"] for each in list_submissions(database)]
    assert [each["id"] for each in list_submissions(database, state="spam")] == [ids["spam"]]


def test_a_list_that_nobody_reads_to_its_end_holds_nothing_up(sqlite: Database) -> None:
    filled(sqlite)
    entries = list_submissions(sqlite)
    next(iter(entries))
    entries.close()  # type: ignore[attr-defined] # it is a generator
    assert not keep(sqlite, submission(lead())).repeated


def test_show_tells_the_whole_story(database: Database) -> None:
    ids = filled(database)
    shown = show_submission(database, ids["failed"])
    assert shown["answers"] == {"email": "failed@example.com", "message": "hello"}
    assert shown["meta"] == {"page": "p", "_subject": "s"}
    assert (shown["consents"], shown["address"], shown["form_version"]) == ([], None, "1")
    (delivery,) = shown["deliveries"]
    assert {key: delivery[key] for key in ("site", "state", "outcome", "reason", "flags")} == {
        "site": SITE,
        "state": "failed",
        "outcome": None,
        "reason": "Wix's reason",
        "flags": [],
    }
    assert delivery["finished_at"] == "2026-03-02T12:00:00.012000Z"
    assert delivery["attempts"] == [
        {
            "at": "2026-03-02T12:00:00Z",
            "result": "failed",
            "operation": "createContact",
            "status": 400,
            "code": "CODE",
            "request_id": "request-1",
            "duration_ms": 12,
            "calls": CALLS,
        }
    ]
    json.dumps(shown)


def test_show_has_unknown_fields_and_notes(database: Database) -> None:
    notes = [{"code": "FILE_DROPPED", "field": "cv", "value": "cv.pdf"}]
    sent = submission(lead(), unknown={"budget": "5", "tags": ["a", "b"]}, notes=notes)
    shown = show_submission(database, keep(database, sent).id)
    assert (shown["unknown"], shown["notes"]) == (sent.unknown, notes)
    lines = list(entry_lines(shown))
    for line in ("  budget  5", "  tags    a, b", "Fields that the form doesn't know", "Notes"):
        assert line in lines
    plain = show_submission(database, keep(database, submission(lead())).id)
    assert (plain["unknown"], plain["notes"]) == ({}, [])


@pytest.mark.parametrize("status", ["quarantined", "unconfirmed"])
def test_what_was_not_accepted_has_no_delivery(database: Database, status: str) -> None:
    shown = show_submission(database, filled(database)[status])
    assert (shown["state"], shown["deliveries"]) == (status, [])


def test_show_knows_a_honeypot_catch_by_its_id_and_no_invented_ids(database: Database) -> None:
    shown = show_submission(database, filled(database)["spam"])
    assert (shown["state"], shown["deliveries"]) == ("spam", [])
    for submission_id in ("nothing", ""):
        with pytest.raises(UnknownSubmissionError):
            show_submission(database, submission_id)


def test_the_export_has_the_answers_of_all_that_are_listed(database: Database) -> None:
    filled(database)
    header, *cells = csv_rows(database)
    rows = [dict(zip(header, row, strict=True)) for row in cells]
    assert [row["id"] for row in rows] == [each["id"] for each in list_submissions(database)]
    assert rows[0]["message"] == "hello"
    assert (rows[0]["page"], rows[0]["referrer"]) == ("p", "")
