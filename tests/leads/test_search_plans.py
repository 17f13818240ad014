"""Every list of leads is read by indexes: no plan looks at all submissions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from formapp.db.database import Database
from formapp.leads import totals
from formapp.leads.places import list_sources
from formapp.leads.same_person import list_others
from formapp.leads.search import (
    LeadFilter,
    count_leads,
    find_submission,
    list_leads,
)
from formapp.leads.statistics import overview
from tests.support.many_leads import fill_leads
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
