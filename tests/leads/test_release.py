"""Out of quarantine: one delivery, once, and nothing that was erased or is under way."""

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from formapp.db.database import Database
from formapp.db.tables import deliveries, jobs
from formapp.leads.accept import Status, keep
from formapp.leads.anonymize import anonymize
from formapp.leads.errors import ErasedError, NotHeldError, UnknownSubmissionError
from formapp.leads.release import Caught, release
from formapp.leads.report import list_ids, show_submission
from tests.support.clock import NOON
from tests.support.leads import EMAIL, lead, submission

LATER = NOON.replace(hour=15)
NOTE = {"code": "UNKNOWN_CUT"}
READ = {"lead": lead(EMAIL), "answers": {"email": EMAIL}, "consents": []}


def no_reading(_caught: Caught) -> dict[str, Any]:
    raise AssertionError("what was read when it came isn't read again")


def kept(database: Database, status: Status = Status.QUARANTINED, **more: Any) -> str:
    given = submission(more.pop("lead", lead()), status=status, **more)
    return keep(database, given).id


def number_of_deliveries(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(deliveries)).scalar_one()


def test_what_is_released_is_due_at_once(database: Database) -> None:
    submission_id = kept(database, meta={"suspect": ["fast"], "page": "p"})
    assert release(database, submission_id, no_reading, LATER) is Status.ACCEPTED
    shown = show_submission(database, submission_id)
    assert shown["state"] == "pending"
    assert shown["deliveries"][0]["due_at"] == "2026-03-02T15:00:00Z"
    assert shown["meta"] == {
        "suspect": ["fast"],
        "page": "p",
        "released_at": LATER.isoformat(),
    }
    with database.read() as connection:
        assert connection.execute(select(deliveries.c.email)).scalar_one() == EMAIL


def test_however_many_release_it_there_is_one_delivery(database: Database) -> None:
    submission_id = kept(database)
    results: list[object] = []

    def work() -> None:
        try:
            results.append(release(database, submission_id, no_reading, LATER))
        except NotHeldError:
            results.append(None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(Status.ACCEPTED) == 1
    assert results.count(None) == 3
    assert number_of_deliveries(database) == 1


def test_a_honeypots_catch_is_read_by_the_form_of_today(database: Database) -> None:
    submission_id = kept(
        database, Status.SPAM, lead=lead(None), answers={"email": [EMAIL], "_gotcha": ["x"]}
    )
    seen: list[Caught] = []

    def reread(caught: Caught) -> dict[str, Any]:
        seen.append(caught)
        consents = [{"field": "privacy", "text": "I agree.", "at": NOON.isoformat()}]
        return READ | {"consents": consents, "unknown": {"budget": "5"}, "notes": [NOTE]}

    assert release(database, submission_id, reread, LATER) is Status.ACCEPTED
    assert seen[0]["answers"] == {"email": [EMAIL], "_gotcha": ["x"]}
    assert (seen[0]["form"], seen[0]["received_at"]) == ("contact", NOON)
    shown = show_submission(database, submission_id)
    assert (shown["answers"], shown["state"]) == ({"email": EMAIL}, "pending")
    assert shown["consents"][0]["text"] == "I agree."
    assert (shown["unknown"], shown["notes"]) == ({"budget": "5"}, [NOTE])
    with database.read() as connection:
        assert connection.execute(select(deliveries.c.email)).scalar_one() == EMAIL


def test_what_can_not_be_read_stays_as_it_was(database: Database) -> None:
    submission_id = kept(database, Status.SPAM, answers={"email": ["x"]})

    def reread(_caught: Caught) -> dict[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        release(database, submission_id, reread, LATER)
    shown = show_submission(database, submission_id)
    assert (shown["state"], shown["answers"], shown["meta"]) == ("spam", {"email": ["x"]}, {})


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.UNCONFIRMED])
def test_what_is_not_held_back_by_us_is_not_released(database: Database, status: Status) -> None:
    submission_id = kept(database, status)
    before = number_of_deliveries(database)
    with pytest.raises(NotHeldError):
        release(database, submission_id, no_reading, LATER)
    assert number_of_deliveries(database) == before
    with pytest.raises(UnknownSubmissionError):
        release(database, "nobody", no_reading, LATER)


def test_what_was_erased_is_not_released(database: Database) -> None:
    submission_id = kept(database)
    with database.write() as connection:
        anonymize(connection, [submission_id], NOON)
    with pytest.raises(ErasedError):
        release(database, submission_id, no_reading, LATER)
    assert list_ids(database, "quarantined") == []


def test_the_quarantine_is_listed_by_form(database: Database) -> None:
    ids = [kept(database), kept(database), kept(database, lead=lead(form="quote"))]
    for other in (Status.ACCEPTED, Status.SPAM, Status.UNCONFIRMED):
        kept(database, other)
    assert list_ids(database, "quarantined") == ids
    assert list_ids(database, "quarantined", "quote") == ids[2:]


def test_who_has_to_confirm_is_asked_for_it_once_released(database: Database) -> None:
    asked = {"confirmation": {"title": "Newsletter"}}
    held, caught = kept(database, meta=asked), kept(database, Status.SPAM, meta=asked)
    assert release(database, held, no_reading, LATER) is Status.UNCONFIRMED
    assert release(database, caught, lambda _caught: READ, LATER) is Status.UNCONFIRMED
    assert number_of_deliveries(database) == 0
    with database.read() as connection:
        assert connection.execute(select(jobs.c.kind)).scalars().all() == ["confirm"] * 2
