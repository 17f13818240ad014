"""Keeping a submission: one transaction, one receipt."""

import sqlite3
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.tables import deliveries, submissions
from formapp.lead import Lead, Private
from formapp.leads import accept as intake
from formapp.leads.accept import KeyReusedError, Status, keep
from tests.support.clock import NOON
from tests.support.leads import PHONE, field, lead, phone, submission


def rows(database: Database, table: Any) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row._mapping) for row in connection.execute(select(table))]


def counts(database: Database) -> tuple[int, int]:
    with database.read() as connection:
        return (
            connection.execute(select(func.count()).select_from(submissions)).scalar_one(),
            connection.execute(select(func.count()).select_from(deliveries)).scalar_one(),
        )


def test_a_submission_is_kept_whole_with_its_delivery(database: Database) -> None:
    given = lead(first_name="Ínés 👋", phones=(phone(),), extended_fields=(field("Budget", 8.5),))
    sent = submission(
        given,
        answers={"message": "Zeile\nzwei 👋", "boats": [1, 2.5], "ok": True, "none": None},
        consents=[{"field": "privacy", "text": "I agree.", "at": NOON.isoformat()}],
        meta={"page": "https://example.com/a?b", "utm": {"source": "x"}},
        key="nonce",
        address="2001:db8::1",
    )
    receipt = keep(database, sent)
    (kept,) = rows(database, submissions)
    assert kept["id"] == receipt.id
    assert not receipt.repeated
    for name in ("form", "form_version", "received_at", "answers", "consents", "meta", "key"):
        assert kept[name] == getattr(sent, name)
    assert (kept["address"], kept["status"]) == ("2001:db8::1", "accepted")
    assert Lead.from_json(kept["lead"]) == given
    (due,) = rows(database, deliveries)
    assert (due["submission_id"], due["state"], due["site"]) == (receipt.id, "pending", "main")
    assert (due["email"], due["phone"]) == (given.email_identity, PHONE)
    assert (due["due_at"], due["created_at"], due["attempts"]) == (NOON, NOON, 0)


def test_no_text_form_of_what_was_sent_shows_it() -> None:
    sent = submission(lead("ines@example.com"), key="nonce")
    for value in (sent, sent.lead, sent.lead.email):
        assert isinstance(value, Private)
        assert repr(value) == f"<{type(value).__name__}>"
        assert list(value.__rich_repr__()) == []


@pytest.mark.parametrize("status", [Status.QUARANTINED, Status.UNCONFIRMED, Status.SPAM])
def test_only_an_accepted_submission_is_delivered(database: Database, status: Status) -> None:
    keep(database, submission(lead(), status=status))
    assert counts(database) == (1, 0)


def test_the_same_key_and_answers_give_the_same_receipt(database: Database) -> None:
    first = keep(database, submission(lead(), key="nonce"))
    again = keep(database, submission(lead(), key="nonce"))
    assert (again.id, again.repeated) == (first.id, True)
    assert counts(database) == (1, 1)


def test_the_order_of_the_answers_does_not_make_them_others(database: Database) -> None:
    keep(database, submission(lead(), key="nonce", answers={"a": 1, "b": 2}))
    assert keep(database, submission(lead(), key="nonce", answers={"b": 2, "a": 1})).repeated


@pytest.mark.parametrize("other", [{"a": 2}, {"a": "1"}, {"a": True}, {"a": 1, "b": None}, {}])
def test_the_same_key_with_other_answers_is_refused_and_nothing_is_kept(
    database: Database, other: dict[str, Any]
) -> None:
    keep(database, submission(lead(), key="nonce", answers={"a": 1}))
    with pytest.raises(KeyReusedError) as refused:
        keep(database, submission(lead("other@example.com"), key="nonce", answers=other))
    assert "other@example.com" not in str(refused.value)
    assert counts(database) == (1, 1)
    (kept,) = rows(database, submissions)
    assert kept["answers"] == {"a": 1}


def test_the_same_key_with_other_unknown_fields_is_refused(database: Database) -> None:
    keep(database, submission(lead(), key="k", unknown={"budget": "5"}))
    assert keep(database, submission(lead(), key="k", unknown={"budget": "5"})).repeated
    with pytest.raises(KeyReusedError):
        keep(database, submission(lead(), key="k", unknown={"budget": "6"}))


def test_a_key_of_one_form_is_not_anothers_and_no_key_is_no_key(database: Database) -> None:
    keep(database, submission(lead(), key="nonce"))
    keep(database, submission(lead(form="quote"), key="nonce"))
    keep(database, submission(lead()))
    keep(database, submission(lead()))
    assert counts(database) == (4, 4)


def test_one_nonce_posted_from_many_threads_at_once_is_one_submission(database: Database) -> None:
    count = 30
    start = threading.Barrier(6)

    def post(number: int) -> intake.Receipt:
        if number < 6:
            start.wait(10)
        return keep(database, submission(lead(), key="nonce"))

    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(post, range(count)))
    assert len({receipt.id for receipt in receipts}) == 1
    assert sum(not receipt.repeated for receipt in receipts) == 1
    assert counts(database) == (1, 1)


def test_ids_are_uuids_of_version_7_that_increase(database: Database) -> None:
    ids = [keep(database, submission(lead())).id for _ in range(50)]
    assert ids == sorted(set(ids))
    assert {uuid.UUID(submission_id).version for submission_id in ids} == {7}


def test_a_delivery_that_cannot_be_written_keeps_no_submission(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(intake, "delivery_of", broken)
    with pytest.raises(ZeroDivisionError):
        keep(database, submission(lead()))
    assert counts(database) == (0, 0)


def test_a_locked_database_refuses_and_keeps_nothing(sqlite: Database) -> None:
    impatient = Database(sqlite.url.render_as_string(), busy_seconds=0.1)
    holder = sqlite3.connect(str(sqlite.url.database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailableError, match="locked"):
        keep(impatient, submission(lead()))
    holder.execute("COMMIT")
    holder.close()
    assert counts(sqlite) == (0, 0)
    keep(impatient, submission(lead()))
    assert counts(sqlite) == (1, 1)
    impatient.close()


def test_a_database_that_cannot_be_reached_refuses() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:9/none")
    with pytest.raises(DatabaseUnavailableError):
        keep(away, submission(lead()))
    away.close()


def test_a_database_without_the_schema_refuses(database_url: str) -> None:
    bare = Database(database_url)
    with pytest.raises(DatabaseUnavailableError):
        keep(bare, submission(lead()))
    bare.close()


DIES_BEFORE_THE_COMMIT = """
import os, signal, sys
from sqlalchemy import event
from formapp.db.database import Database
from formapp.leads.accept import keep
from tests.support.leads import lead, submission
database = Database(sys.argv[1])
event.listen(database.engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
keep(database, submission(lead()))
"""


def test_a_process_that_is_killed_before_its_commit_keeps_nothing_half(database: Database) -> None:
    root = Path(__file__).parent.parent.parent
    url = database.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", DIES_BEFORE_THE_COMMIT, url], cwd=root, check=False, timeout=60
    )
    assert done.returncode == -9
    assert counts(database) == (0, 0)
    keep(database, submission(lead()))
    assert counts(database) == (1, 1)


def test_sqlite_is_opened_for_durability(sqlite: Database) -> None:
    with sqlite.write() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


def test_a_time_without_a_zone_is_refused_and_nothing_is_kept(database: Database) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        keep(database, submission(lead(), NOON.replace(tzinfo=None)))
    assert counts(database) == (0, 0)
