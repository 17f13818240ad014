"""The numbers of the overview."""

from datetime import timedelta

import pytest

from formapp.db.database import Database
from formapp.leads import statistics
from formapp.leads.accept import Status
from formapp.leads.statistics import overview
from tests.support.clock import NOON
from tests.support.leads import lead, submission
from tests.support.ledger import kept


def test_a_flood_of_honeypot_catches_hides_no_lead(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "SAMPLE", 3)
    for site in ("main", "north"):
        kept(database, submission(lead(site=site), NOON - timedelta(days=2)))
    for _ in range(5):
        kept(database, submission(lead(), NOON - timedelta(hours=1), status=Status.SPAM))
    kept(database, submission(lead(), NOON - timedelta(days=40)))
    found = overview(database, None, NOON)
    assert (found.total, found.since) == (2, None)
    assert found.outcomes == {"pending": 2, "spam": 3}
    north = overview(database, ["north"], NOON)
    assert (north.total, north.outcomes) == (1, {"pending": 1})
    assert overview(database, [], NOON).outcomes == {}


def test_of_many_leads_the_newest_are_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "SAMPLE", 3)
    for hours in range(5):
        kept(database, submission(lead(), NOON - timedelta(hours=hours)))
    found = overview(database, None, NOON)
    assert (found.total, found.since) == (3, NOON - timedelta(hours=2))
