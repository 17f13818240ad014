"""Every list of leads is read by indexes: no plan looks at all submissions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from formapp.db.database import Database
from formapp.leads import totals
from formapp.leads.same_person import list_others
from formapp.leads.search import (
    LeadFilter,
    count_leads,
    find_submission,
    list_leads,
    list_sources,
)
from formapp.leads.statistics import overview
from tests.support.many_leads import fill_leads

TABLES = ("submissions", "deliveries", "search_terms", "attempts", "audit")
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


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine, "before_cursor_execute", note)


def scans(database: Database, statement: str, parameters: Any) -> list[str]:
    """The lines of its plan that read a whole table."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            lines = [row[3] for row in plan]
            return [
                line
                for line in lines
                if line.startswith("SCAN")
                and any(line.split()[1] == table for table in TABLES)
                # An index in the order of the list is read as far as the page goes.
                and (" USING " not in line or "LIMIT" not in statement)
            ]
        # With few rows PostgreSQL would rather read them all.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        lines = [row[0] for row in plan]
        return [line for line in lines if "Seq Scan on" in line and any(t in line for t in TABLES)]


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
