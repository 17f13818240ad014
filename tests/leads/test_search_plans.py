"""Every list of leads is read by indexes: no plan looks at all submissions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from formapp.db.database import Database
from formapp.leads import totals
from formapp.leads.ids import find_submission
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.places import list_sources
from formapp.leads.same_person import list_others
from formapp.leads.search import count_leads, list_leads, newest_ids
from formapp.leads.statistics import overview
from tests.support.many_leads import FORMS, fill_leads
from tests.support.plans import scans, statements

FILTERS: list[dict[str, Any]] = [
    {},
    {"forms": ("form3",)},
    {"sites": ("main",)},
    {"states": ("failed",)},
    {"states": ("failed",), "forms": ("form3",)},
    {"states": ("quarantined", "unconfirmed")},
    {"states": ("delivered",)},
    {"outcomes": ("created",)},
    {"since": datetime.now(UTC) - timedelta(days=9)},
    {"until": datetime.now(UTC) - timedelta(days=9), "forms": ("form1",)},
    {"search": "given7"},
    {"search": "given1 family"},
    {"search": "person77@"},
    {"search": "+44 7944 607"},
    {"search": "given3", "states": ("failed",), "sites": ("main",)},
]


@pytest.mark.slow
def test_no_list_count_or_overview_reads_all_submissions(database: Database) -> None:
    fill_leads(database, 2000)
    some = list_leads(database, LeadFilter(), limit=3).leads[2].id
    with statements(database) as asked:
        for each in FILTERS:
            wanted = LeadFilter(**each)
            found = list_leads(database, wanted, after=some)
            assert found.leads or "unconfirmed" in wanted.states, each
            count_leads(database, wanted)
        find_submission(database, some[-8:])
        list_others(database, some, None)
        list_sources(database)
        overview(database, None, datetime.now(UTC))
        totals.refresh(database, datetime.now(UTC))
        overview(database, None, datetime.now(UTC))
    assert len(asked) > 2 * len(FILTERS)
    found_scans = {
        line: statement
        for statement, parameters in asked
        if statement.lstrip().startswith(("SELECT", "WITH"))
        for line in scans(database, statement, parameters)
    }
    assert found_scans == {}


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [{"states": ("failed",)}, {"outcomes": ("created",)}])
def test_postgresql_expects_as_many_rows_as_there_are(
    postgresql: Database, chosen: dict[str, Any]
) -> None:
    """Where it expects too few, it reads and sorts them all instead of the newest by the index."""
    fill_leads(postgresql, 7000)
    with postgresql.read() as connection, statements(postgresql) as asked:
        count = len(newest_ids(connection, LeadFilter(**chosen), 7000))
    [(statement, parameters)] = asked
    with postgresql.engine.connect() as connection:
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        [expected] = _expected(plan.scalar_one()[0]["Plan"])
    assert count > 500
    assert 0.5 * count < FORMS * expected < 2 * count, (count, expected)


def _expected(node: dict[str, Any]) -> list[int]:
    """The rows that it expects of the deliveries of one form."""
    below = [number for each in node.get("Plans", ()) for number in _expected(each)]
    return [*below, node["Plan Rows"]] if node.get("Relation Name") == "deliveries" else below
