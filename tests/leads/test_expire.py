"""Retention: answers go a set time after they were of use, and nothing goes before."""

import logging
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.tables import deliveries
from formapp.jobs.worker import PeriodicTask
from formapp.lead import Lead
from formapp.leads import anonymize as erasing
from formapp.leads import expire as retention
from formapp.leads.accept import Status, keep
from formapp.leads.errors import ErasedError
from formapp.leads.expire import EVERY, expire
from formapp.leads.export import csv_rows
from formapp.leads.report import list_ids, list_submissions, show_submission
from formapp.leads.retry import retry_submission
from tests.support.claiming import claim_next
from tests.support.clock import NOON, TurnedClock
from tests.support.leads import EMAIL, SITE, lead, phone, submission
from tests.support.ledger import (
    CONTACT,
    days_later,
    delivered,
    delivery_row,
    everything,
    failed,
    kept,
    rows,
    submission_row,
)

CANARY = "a word that only the visitor said"


def _expired(database: Database, days: float, keep_days: int = 90) -> int:
    return expire(database, keep_days, days_later(NOON, days))


def test_answers_go_ninety_days_after_delivery_and_not_before(database: Database) -> None:
    submission_id = delivered(database, submission(lead(first_name=CANARY)))
    assert _expired(database, 89.9) == 0
    assert CANARY in everything(database)
    assert _expired(database, 90.1) == 1
    assert CANARY not in everything(database)
    assert submission_row(database, submission_id)["erased_at"] == days_later(NOON, 90.1)
    assert _expired(database, 91) == 0


def test_the_row_stays_and_says_what_became_of_the_lead(database: Database) -> None:
    given = submission(
        lead(phones=(phone(),), first_name="Ines"),
        answers={"email": EMAIL, "phone": "020 7946 0018", "message": CANARY},
        consents=[{"field": "privacy", "text": "I agree.", "at": NOON.isoformat()}],
        meta={"page": f"https://example.com/?m={EMAIL}", "_replyto": EMAIL},
        key="token:abc",
        address="203.0.113.7",
    )
    submission_id = delivered(database, given)
    before = delivery_row(database, submission_id)
    assert _expired(database, 91) == 1

    row = submission_row(database, submission_id)
    gone = {name: row[name] for name in ("answers", "meta", "address", "key", "digest")}
    assert gone == {"answers": {}, "meta": {}, "address": None, "key": None, "digest": ""}
    assert Lead.from_json(row["lead"]) == Lead(form="contact", site=SITE)
    assert (row["form"], row["received_at"]) == ("contact", NOON)
    # The consent says why the contact at Wix may be held, and nothing that was typed.
    assert row["consents"][0]["text"] == "I agree."

    after = delivery_row(database, submission_id)
    assert (after.pop("email"), after.pop("phone")) == (None, None)
    assert after == {name: value for name, value in before.items() if name in after}
    assert (after["state"], after["outcome"], after["contact_id"]) == (
        "delivered",
        "created",
        CONTACT,
    )
    assert len(rows(database, "attempts")) == 1
    held = everything(database)
    for trace in (EMAIL, "Ines", "7946", CANARY, "203.0.113.7", "token:abc", "example.com"):
        assert trace not in held


def test_a_form_that_says_how_long_is_obeyed_whatever_the_setting_says(database: Database) -> None:
    short = delivered(database, submission(lead("a@example.com"), keep_days=7))
    default = delivered(database, submission(lead("b@example.com")))
    long = delivered(database, submission(lead("c@example.com"), keep_days=365))

    def erased() -> set[str]:
        return {row["id"] for row in rows(database, "submissions") if row["erased_at"]}

    _expired(database, 7.1)
    assert erased() == {short}
    _expired(database, 90.1)
    assert erased() == {short, default}
    _expired(database, 364.9)
    assert erased() == {short, default}
    _expired(database, 365.1)
    assert erased() == {short, default, long}


@pytest.mark.parametrize("status", [Status.SPAM, Status.QUARANTINED, Status.UNCONFIRMED])
def test_what_was_no_lead_goes_after_thirty_days(database: Database, status: Status) -> None:
    submission_id = kept(database, submission(lead(), status=status))
    assert _expired(database, 29.9) == 0
    assert _expired(database, 30.1) == 1
    row = submission_row(database, submission_id)
    assert (row["status"], row["answers"]) == (status, {})


def test_what_was_no_lead_goes_with_the_others_where_those_are_kept_for_less(
    sqlite: Database,
) -> None:
    kept(sqlite, submission(lead(), status=Status.SPAM, keep_days=3))
    assert _expired(sqlite, 3.1) == 1


def test_a_pending_lead_is_never_erased(database: Database) -> None:
    submission_id = kept(database, submission(lead(), keep_days=1))
    assert _expired(database, 4000) == 0
    assert submission_row(database, submission_id)["answers"]["email"] == EMAIL


def test_a_failed_lead_stays_for_thirty_days_after_it_failed_at_least(database: Database) -> None:
    submission_id = failed(database, submission(lead(), keep_days=1), after=timedelta(days=10))
    assert _expired(database, 39.9) == 0
    assert _expired(database, 40.1) == 1
    row = delivery_row(database, submission_id)
    assert (row["state"], row["reason"]) == ("failed", "erased")
    assert "ines is no name" not in everything(database)


def test_a_failed_lead_stays_as_long_as_a_delivered_one_where_that_is_longer(
    sqlite: Database,
) -> None:
    failed(sqlite, submission(lead()))
    assert _expired(sqlite, 89.9) == 0
    assert _expired(sqlite, 90.1) == 1


def test_an_erased_lead_is_not_retried(database: Database) -> None:
    submission_id = failed(database, submission(lead()))
    assert list_ids(database, "failed") == [submission_id]
    _expired(database, 91)
    assert list_ids(database, "failed") == []
    with pytest.raises(ErasedError):
        retry_submission(database, submission_id, lambda *_: lead(), days_later(NOON, 92))
    assert delivery_row(database, submission_id)["state"] == "failed"
    assert claim_next(database, [SITE], days_later(NOON, 92)) is None


def test_a_lead_that_was_sent_on_its_way_again_while_others_were_erased_stays(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission_id = failed(sqlite, submission(lead()))
    now = days_later(NOON, 91)
    taken = erasing.lock

    def retried_just_before(connection: object, idents: list[str]) -> None:
        assert idents == [submission_id]
        connection.execute(  # type: ignore[attr-defined] # what `lock` gets
            update(deliveries).values(state="pending", finished_at=None)
        )
        taken(connection, idents)  # type: ignore[arg-type] # the same

    monkeypatch.setattr(retention, "lock", retried_just_before)
    assert expire(sqlite, 90, now) == 0
    assert submission_row(sqlite, submission_id)["answers"]["email"] == EMAIL


def test_the_memory_of_a_contact_goes_with_the_last_lead_that_needs_it(database: Database) -> None:
    delivered(database, submission(lead()))
    later = days_later(NOON, 60)
    delivered(database, submission(lead(), later))
    assert _expired(database, 91) == 1
    assert [row["identity"] for row in rows(database, "contacts")] == [EMAIL]
    assert _expired(database, 151) == 1
    assert rows(database, "contacts") == []


def test_a_batch_is_no_larger_than_asked_for(database: Database) -> None:
    for number in range(7):
        delivered(database, submission(lead(f"v{number}@example.com")))
    now = days_later(NOON, 91)
    assert [expire(database, 90, now, limit=3) for _ in range(4)] == [3, 3, 1, 0]


def test_a_worker_erases_batch_by_batch_then_rests_for_an_hour(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(retention.expire, "__defaults__", (2,))
    for number in range(3):
        delivered(sqlite, submission(lead(f"v{number}@example.com")))
    clock = TurnedClock(days_later(NOON, 91))
    run = PeriodicTask(partial(expire, sqlite, 90), EVERY, clock)

    def left() -> int:
        return sum(row["erased_at"] is None for row in rows(sqlite, "submissions"))

    counts = []
    for _ in range(3):
        run()
        counts.append(left())
    assert counts == [1, 0, 0]

    delivered(sqlite, submission(lead("late@example.com")))
    clock.turn(hours=0.9)
    run()
    assert left() == 1
    clock.turn(hours=0.2)
    run()
    assert left() == 0
    assert "erased the answers of 1 submissions" in caplog.text
    assert "example.com" not in caplog.text


def test_a_clock_that_was_put_back_doesnt_stop_it(sqlite: Database) -> None:
    clock = TurnedClock(days_later(NOON, 300))
    run = PeriodicTask(partial(expire, sqlite, 90), EVERY, clock)
    run()
    delivered(sqlite, submission(lead()))
    clock.turn(hours=-24 * 100)
    run()
    assert submission_row(sqlite, rows(sqlite, "submissions")[0]["id"])["erased_at"]


def test_nothing_is_erased_while_the_database_is_locked(sqlite: Database) -> None:
    delivered(sqlite, submission(lead()))
    impatient = Database(str(sqlite.url), busy_seconds=0.05)
    with sqlite.write(), pytest.raises(DatabaseUnavailableError):
        expire(impatient, 90, days_later(NOON, 91))
    assert expire(impatient, 90, days_later(NOON, 91)) == 1
    impatient.close()


def test_list_show_and_export_stand_erased_rows(database: Database) -> None:
    submission_id = delivered(database, submission(lead()))
    hidden = kept(database, submission(lead(), status=Status.QUARANTINED))
    _expired(database, 91)
    entries = {entry["id"]: entry for entry in list_submissions(database)}
    assert entries[submission_id]["state"] == "delivered"
    assert entries[hidden]["state"] == "quarantined"
    assert entries[submission_id]["erased_at"] == "2026-06-01T12:00:00Z"
    shown = show_submission(database, submission_id)
    assert (shown["answers"], shown["deliveries"][0]["outcome"]) == ({}, "created")
    header, *exported = csv_rows(database)
    assert "email" not in header
    assert [row[0] for row in exported] == [submission_id, hidden]


def test_the_same_key_may_come_again_after_the_answers_are_gone(database: Database) -> None:
    delivered(database, submission(lead(), key="given:1"))
    _expired(database, 91)
    receipt = keep(database, submission(lead(), days_later(NOON, 92), key="given:1"))
    assert not receipt.repeated
