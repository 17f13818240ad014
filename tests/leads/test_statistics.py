"""The numbers of the overview."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete

from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.leads import totals
from formapp.leads.accept import Status
from formapp.leads.anonymize import anonymize
from formapp.leads.mark_spam import mark_spam
from formapp.leads.statistics import Overview, overview
from tests.support.clock import NOON
from tests.support.leads import lead, submission
from tests.support.ledger import kept

Act = Callable[[Database, str], object]
LATER = NOON + timedelta(minutes=2)


def seen(found: Overview) -> tuple[dict[str, int], dict[str, int]]:
    """Leads by day, and their outcomes."""
    days = {f"{day:%d}": counts.total() for day, counts in found.days.items() if counts}
    return days, dict(found.outcomes)


def test_catches_of_the_honeypot_are_no_leads_and_sites_are_apart(database: Database) -> None:
    for site in ("main", "north"):
        kept(database, submission(lead(site=site), NOON - timedelta(days=2)))
    for _ in range(5):
        kept(database, submission(lead(), NOON - timedelta(hours=1), status=Status.SPAM))
    kept(database, submission(lead(), NOON - timedelta(days=40)))
    for _ in range(2):  # counted live, then by a worker
        found = overview(database, None, NOON)
        assert (found.total, found.outcomes) == (2, {"pending": 2, "spam": 5})
        north = overview(database, ["north"], NOON)
        assert (north.total, north.outcomes) == (1, {"pending": 1})
        assert overview(database, [], NOON).outcomes == {}
        totals.refresh(database, NOON)
    assert totals.read_totals(database)


def _erase(database: Database, submission_id: str) -> None:
    with database.write() as connection:
        anonymize(connection, [submission_id], NOON)


def _remove(database: Database, submission_id: str) -> None:
    with database.write() as connection:
        connection.execute(delete(submissions).where(submissions.c.id == submission_id))


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (lambda database, id_: mark_spam(database, id_, NOON, by="ana"), "quarantined"),
        (_erase, "failed"),
        (_remove, None),
    ],
)
def test_whatever_happens_to_a_counted_lead_is_in_the_next_numbers(
    database: Database, act: Act, outcome: str | None
) -> None:
    old = kept(database, submission(lead(), NOON - timedelta(days=3)))
    totals.refresh(database, NOON)
    kept(database, submission(lead(), NOON))
    assert seen(overview(database, None, LATER))[1] == {"pending": 2}
    act(database, old)
    totals.refresh(database, LATER)
    stored = totals.read_totals(database)
    assert stored
    assert stored.until > NOON
    found = overview(database, None, LATER)
    live = totals.count_totals(database, LATER)
    assert found.total == sum(each.number for each in live.counts) == (2 if outcome else 1)
    assert found.outcomes == ({"pending": 1} | ({outcome: 1} if outcome else {}))


def test_a_lead_is_counted_once_whenever_a_worker_counts(database: Database) -> None:
    """Between the days, too: each second around midnight has one."""
    midnight = NOON.replace(hour=0)
    for second in range(-15, 15):
        kept(database, submission(lead(), midnight + timedelta(seconds=second)))
    for second in range(0, 40, 5):
        now = midnight + timedelta(seconds=second)
        with database.write() as connection:
            connection.exec_driver_sql("DELETE FROM lead_totals")
        totals.refresh(database, now)
        days, _ = seen(overview(database, None, midnight + timedelta(minutes=1)))
        assert list(days.values()) == [15, 15], second


def test_one_of_several_workers_counts_and_a_turned_clock_stops_none(database: Database) -> None:
    kept(database, submission(lead(), NOON))
    totals.refresh(database, NOON)
    first = totals.read_totals(database)
    totals.refresh(database, NOON + timedelta(seconds=10))
    assert totals.read_totals(database) == first
    for later in (NOON + timedelta(seconds=90), NOON - timedelta(days=1)):
        totals.refresh(database, later)
        again = totals.read_totals(database)
        assert again
        assert again.until < later < again.until + timedelta(minutes=1)
