"""Queries of the worker, of retention and of alerts go by indexes: none reads all rows.

Those of lists and searches are in `tests/leads/test_search_plans.py`.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from formapp.confirmation.store import CONFIRMATION_MAIL
from formapp.db.database import Database
from formapp.db.state_counts import count_by_form, count_by_site
from formapp.db.tables import submissions
from formapp.delivery.claims import claim_many, release
from formapp.jobs.queue import claim_job
from formapp.leads import expire, report
from formapp.monitoring import incidents
from formapp.monitoring.incidents import find_incidents
from formapp.monitoring.metrics import Metrics
from tests.support.many_leads import fill_leads
from tests.support.plans import scans, statements, steps_of

Query = Callable[[Database, datetime], object]


def _counts(database: Database, _now: datetime) -> None:
    with database.read() as connection:
        count_by_site(connection, "pending")
        count_by_form(connection, "quarantined")


QUERIES: dict[str, Query] = {
    "claim": lambda database, now: claim_many(database, "main", now, 50),
    "claim a job": lambda database, now: claim_job(database, now, [CONFIRMATION_MAIL, "notify"]),
    "retention": lambda database, now: expire.expire(database, 90, now),
    "retry --failed": lambda database, _now: report.list_ids(database, "failed"),
    "release all": lambda database, _now: report.list_ids(database, "quarantined", "form3"),
    "unknown fields": lambda database, _now: report.count_unknown(database),
    "unconfirmed": lambda database, _now: report.count_unmailed(database),
    "incidents": lambda database, now: find_incidents(database, now, backlog=timedelta(minutes=15)),
    "metrics": lambda database, now: Metrics().read_queue(database, now, ["main"]),
    "counts": _counts,
}


OF_FEW_ROWS = ("pending_turn", "failed_site", "quarantined", "unknown", "unaccepted")
"""Indexes that hold no other rows than those which are to be read."""


@pytest.fixture
def filled(database: Database) -> Database:
    fill_leads(database, 2000, waiting=300)
    return database


@pytest.mark.slow
def test_no_query_reads_all_rows(filled: Database) -> None:
    found: dict[str, list[str]] = {}
    now = datetime.now(UTC)
    for name, query in QUERIES.items():
        with statements(filled) as asked:
            query(filled, now)
        reads = [each for each in asked if each[0].lstrip().startswith(("SELECT", "WITH"))]
        assert reads, name
        found[name] = [
            line
            for each in reads
            for line in scans(filled, *each)
            if not any(index in line for index in OF_FEW_ROWS)
        ]
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["claim", "metrics", "counts", "incidents"])
def test_it_takes_no_more_steps_the_more_wait(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(incidents, "_MOST", 10)
    monkeypatch.setattr(incidents, "_LOOKED_THROUGH", 10)
    now = datetime.now(UTC)
    steps = []
    for waiting in (300, 3000):
        with sqlite.write() as connection:
            connection.execute(delete(submissions))
        fill_leads(sqlite, 4000, waiting=waiting)
        steps.append(steps_of(sqlite, lambda: QUERIES[name](sqlite, now)))
    few, many = steps
    assert few > 0
    assert many <= 1.1 * few, steps


def test_a_claim_finds_the_same_among_many(sqlite: Database) -> None:
    fill_leads(sqlite, 300, waiting=200)
    now = datetime.now(UTC) + timedelta(seconds=1)
    claims = claim_many(sqlite, "main", now, 14)
    # Forms take turns, each with its oldest.
    assert [claim.lead.form for claim in claims[:7]] == [claim.lead.form for claim in claims[7:]]
    assert len({claim.lead.form for claim in claims}) == 7
    release(sqlite, claims)
    assert [each.delivery_id for each in claim_many(sqlite, "main", now, 14)] == [
        each.delivery_id for each in claims
    ]
