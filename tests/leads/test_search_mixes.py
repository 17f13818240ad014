"""Lists among very many others: each shows what it must, and reads no more for them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, select

from formapp.db.database import Database
from formapp.db.tables import deliveries, state_counts, submissions
from formapp.leads.ids import id_at
from formapp.leads.lead_filter import OUTCOMES, STATES, LeadFilter
from formapp.leads.places import list_sources
from formapp.leads.search import LeadCount, count_leads, iterate_ids, list_leads
from formapp.leads.search_index import beginnings_of, fold
from formapp.leads.summary import state_of_row
from tests.support.many_leads import Crowd, fill_leads
from tests.support.plans import rows_read, steps_of
from tests.support.searching import narrow

MIXES: dict[str, Callable[[int], Crowd]] = {
    "waiting": lambda number: Crowd(number, "pending"),
    "delivered": lambda number: Crowd(number, "delivered"),
    "failed": lambda number: Crowd(number, "failed"),
    "waiting in one form": lambda number: Crowd(number, "pending", "form3"),
    "delivered in a form of its own": lambda number: Crowd(number, "delivered", "z", "north"),
    "quarantined in one form": lambda number: Crowd(number, "quarantined", "form3"),
    "caught in one form": lambda number: Crowd(number, "spam", "form3"),
}
PAST = datetime.now(UTC) - timedelta(days=300)
STATES_CHOSEN: list[tuple[str, ...]] = [*((each,) for each in STATES), ("failed", "delivered"), ()]
FILTERS: list[dict[str, Any]] = [
    {},
    *({"states": each, **more} for each in STATES_CHOSEN for more in ({}, {"sites": ("main",)})),
    *({"states": each, "forms": ("form3",)} for each in STATES_CHOSEN),
    *({"states": each, "forms": ("form4",)} for each in STATES_CHOSEN),
    *({"outcomes": (each,), "forms": (form,)} for each in OUTCOMES for form in ("form4", "z")),
    *({"outcomes": (each,)} for each in OUTCOMES),
    {"outcomes": ("created", "updated"), "states": ("delivered", "failed")},
    {"outcomes": ("created",), "states": ("failed",)},
    {"forms": ("form1", "form2"), "sites": ("main", "north")},
    {"forms": ("z",), "sites": ("main",)},
    {"since": PAST},
    {"until": PAST, "states": ("failed", "pending")},
    {"until": PAST, "forms": ("form3",)},
]
SEARCHES: list[dict[str, Any]] = [
    {"search": "given3", "states": ("delivered",)},
    {"search": "given3", "states": ("pending",), "forms": ("form3",)},
    {"search": "given3", "outcomes": ("created",), "until": PAST},
    {"search": "given3", "sites": ("north",)},
    {"search": "given3", "forms": ("form4",)},
    {"search": "given3 family1"},
    {"search": "given", "states": ("failed",)},
    {"search": "given family12"},
]


@pytest.mark.slow
@pytest.mark.parametrize("mix", MIXES)
def test_a_list_is_what_a_look_at_all_finds(
    database: Database, monkeypatch: pytest.MonkeyPatch, mix: str
) -> None:
    narrow(monkeypatch, longer=30, first=3, further=50)
    fill_leads(database, 700, crowd=MIXES[mix](300))
    rows = _all(database)
    assert [*{(row["site"], row["form"]): None for row in _by_place(rows)}] == list_sources(
        database
    )
    for each in FILTERS + SEARCHES:
        wanted = LeadFilter(**each)
        expected = [row["id"] for row in rows if _fits(row, wanted)]
        assert [*_by_pages(database, wanted)] == expected, each
        assert [*iterate_ids(database, wanted, 40)] == expected, each
        for limit in (20, 1000):
            count = count_leads(database, wanted, limit)
            if not wanted.search:
                assert count == LeadCount(min(len(expected), limit), len(expected) > limit), each
            assert count.number <= len(expected), each
            assert count.has_more or count.number == len(expected), each


def _all(database: Database) -> list[dict[str, Any]]:
    """Return all submissions, newest first."""
    sent, sending = submissions.c, deliveries.c
    query = select(sent.id, sent.form, sent.site, sent.lead, state_of_row, sending.outcome)
    joined = query.outerjoin(deliveries, sending.submission_id == sent.id)
    with database.read() as connection:
        rows = connection.execute(joined.order_by(sent.id.desc()))
        return [dict(row._mapping) for row in rows]


def _by_place(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["site"], row["form"]))


def _fits(row: dict[str, Any], wanted: LeadFilter) -> bool:
    """Whether a filter selects a submission, decided by looking at it alone."""
    words = fold(f"{row['lead']['first_name']['value']} {row['lead']['last_name']['value']}")
    return (
        (row["state"] in wanted.states if wanted.states else row["state"] != "spam")
        and (not wanted.outcomes or row["outcome"] in wanted.outcomes)
        and (not wanted.forms or row["form"] in wanted.forms)
        and (wanted.sites is None or row["site"] in wanted.sites)
        and (not wanted.since or row["id"] >= id_at(wanted.since))
        and (not wanted.until or row["id"] < id_at(wanted.until))
        and all(
            any(f"n{word}".startswith(beginning) for word in words)
            for beginning in beginnings_of(wanted.search)
        )
    )


def _by_pages(database: Database, wanted: LeadFilter) -> Iterator[str]:
    after = None
    while True:
        page = list_leads(database, wanted, after=after, limit=37)
        assert page.after is None or page.searched_until or len(page.leads) == 37
        yield from (lead.id for lead in page.leads)
        after = page.after
        if after is None:
            return


@pytest.mark.slow
@pytest.mark.parametrize("mix", MIXES)
def test_a_list_reads_no_more_the_more_there_are(database: Database, mix: str) -> None:
    filters = [each for each in FILTERS if "since" not in each and "until" not in each]
    few, many = (_read(database, MIXES[mix](number), filters) for number in (280, 7000))
    # Some can't find anything, and so read nothing.
    assert sum(sum(read) > 0 for read in few) > len(few) // 2, "reading isn't seen"
    grown = {
        f"{each} {what}": (less, more)
        for each, those, these in zip(filters, few, many, strict=True)
        for what, less, more in zip(("page", "next page", "count"), those, these, strict=True)
        if more > 1.2 * less + 20
    }
    assert grown == {}


WIDE: list[dict[str, Any]] = [
    {"search": search, **more}
    for search in ("given", "given3", "given3 given4", "given3 fam", "g f e")
    for more in (
        {},
        {"forms": ("form3",)},
        {"sites": ("main",)},
        {"states": ("failed",)},
        {"states": ("quarantined",), "forms": ("form3",)},
        {"outcomes": ("created",), "sites": ("main",)},
    )
]


@pytest.mark.slow
def test_the_first_answer_of_a_search_reads_no_more_the_more_there_are(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of searches whose parts are all frequent, in any number of leads."""
    narrow(monkeypatch, longer=20, first=10, further=10)
    looks = steps_of if database.is_sqlite else rows_read
    read: list[list[int]] = []
    for number in (2000, 20_000):
        with database.write() as connection:
            connection.execute(delete(submissions))
            connection.execute(delete(state_counts))
        fill_leads(database, number)
        wanted = [LeadFilter(**each) for each in WIDE]
        works: list[Callable[[], object]] = [
            *(partial(list_leads, database, each, limit=10) for each in wanted),
            *(partial(count_leads, database, each, 10) for each in wanted),
        ]
        read.append([looks(database, work) for work in works])
    few, many = read
    grown = {
        f"{number}: {WIDE[number % len(WIDE)]}": (less, more)
        for number, (less, more) in enumerate(zip(few, many, strict=True))
        if more > 1.2 * less + 20
    }
    assert grown == {}


def test_no_page_has_the_id_of_a_lead_that_its_reader_may_not_see(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a search ends that goes on, there may be another site's lead."""
    narrow(monkeypatch, longer=20, first=10, further=50)
    fill_leads(database, 700, crowd=Crowd(500, "delivered", "z", "north"))
    theirs = {row["id"] for row in _all(database) if row["site"] == "north"}
    for each in ("given", "given3", "given3 given4", "given3 fam"):
        wanted = LeadFilter(search=each).within(("main",))
        page = list_leads(database, wanted)
        assert page.searched_until, each
        assert page.searched_until.microsecond == 0
        while page.after:
            assert page.after not in theirs
            page = list_leads(database, wanted, after=page.after)
            assert not theirs & {lead.id for lead in page.leads}


def _read(database: Database, crowd: Crowd, filters: list[dict[str, Any]]) -> list[list[int]]:
    """Return what each filter's page, next page and count read."""
    with database.write() as connection:
        connection.execute(delete(submissions))
        connection.execute(delete(state_counts))
    fill_leads(database, crowd.number + 1400, crowd=crowd, found=0)
    looks = steps_of if database.is_sqlite else rows_read
    found = []
    for each in filters:
        wanted = LeadFilter(**each)
        after = list_leads(database, wanted, limit=3).after
        works: list[Callable[[], object]] = [
            partial(list_leads, database, wanted, limit=10),
            partial(list_leads, database, wanted, after=after, limit=10),
            partial(count_leads, database, wanted, 10),
        ]
        found.append([looks(database, work) for work in works])
    return found
