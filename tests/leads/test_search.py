"""Lists of leads: filtered, searched, newest first, page by page, by indexes alone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from formapp.db.database import Database
from formapp.delivery.results import Attempt, Result, finish, give_up
from formapp.leads.accept import Status, keep
from formapp.leads.erase import erase_person
from formapp.leads.errors import AmbiguousIdError, UnknownSubmissionError
from formapp.leads.ids import find_submission
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.places import list_sources
from formapp.leads.retry import retry_submission
from formapp.leads.search import LeadCount, LeadPage, count_leads, iterate_ids, list_leads
from formapp.leads.summary import format_age
from formapp.signing import ERASED, Keyring
from tests.support.claiming import claim_next
from tests.support.clock import NOON
from tests.support.leads import lead, phone, submission
from tests.support.searching import narrow

HOUR = timedelta(hours=1)


def filled(database: Database) -> dict[str, str]:
    """Submissions of each state, two forms and two sites, an hour apart, newest first; by name."""
    ids: dict[str, str] = {}
    hours = 0

    def add(name: str, given: Any, **more: Any) -> None:
        nonlocal hours
        ids[name] = keep(database, submission(given, NOON - hours * HOUR, **more)).id
        hours += 1

    attempt = Attempt(NOON, "delivered", 1)
    for name, outcome in (("old", "unchanged"), ("done", "created"), ("bad", None)):
        add(name, lead(f"{name}@example.com", first_name="Ana", last_name=name.title()))
        claim = claim_next(database, ["main"], NOON)
        assert claim
        if outcome:
            finish(database, claim, attempt, Result(outcome, "c1"))  # type: ignore[arg-type]
        else:
            give_up(database, claim, attempt, "Wix's reason")
    add("new", lead("new@example.com", first_name="Żaneta", last_name="Müller-Şahin"))
    add("north", lead(None, form="quote", site="north", phones=(phone("+442079460018"),)))
    add("held", lead("held@example.com", form="quote"), status=Status.QUARANTINED)
    add("asked", lead("asked@example.com", company="ÖBB"), status=Status.UNCONFIRMED)
    add("caught", lead(None), status=Status.SPAM)
    return ids


def names(page: LeadPage, ids: dict[str, str]) -> list[str]:
    by_id = {id_: name for name, id_ in ids.items()}
    return [by_id[each.id] for each in page.leads]


ALL = ["old", "done", "bad", "new", "north", "held", "asked"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ALL),
        ({"states": ("failed",)}, ["bad"]),
        ({"states": ("delivered",)}, ["old", "done"]),
        ({"states": ("failed", "quarantined", "delivered")}, ["old", "done", "bad", "held"]),
        ({"states": ("pending", "spam")}, ["new", "north", "caught"]),
        ({"states": ("unconfirmed",), "forms": ("quote",)}, []),
        ({"outcomes": ("created",)}, ["done"]),
        ({"outcomes": ("created", "unchanged"), "states": ("delivered",)}, ["old", "done"]),
        ({"outcomes": ("updated",)}, []),
        ({"forms": ("quote",)}, ["north", "held"]),
        ({"forms": ("quote", "contact"), "sites": ("north",)}, ["north"]),
        ({"forms": ("gone",)}, []),
        ({"sites": ("main",), "forms": ("quote",), "states": ("quarantined",)}, ["held"]),
        ({"sites": ()}, []),
        ({"sites": (), "search": "ana"}, []),
        ({"since": NOON - 2 * HOUR}, ["old", "done", "bad"]),
        ({"until": NOON - 2 * HOUR}, ["new", "north", "held", "asked"]),
        ({"since": NOON - HOUR, "until": NOON, "states": ("delivered",)}, ["done"]),
        ({"search": "ana"}, ["old", "done", "bad"]),
        ({"search": "an bad"}, ["bad"]),
        ({"search": "ana", "outcomes": ("created",)}, ["done"]),
        ({"search": "ana", "states": ("failed",)}, ["bad"]),
        ({"search": "ZANETA"}, ["new"]),
        ({"search": "muller"}, ["new"]),
        ({"search": "  şah  mü"}, ["new"]),
        ({"search": "obb"}, ["asked"]),
        ({"search": "Bad@Example.com"}, ["bad"]),
        ({"search": "bad@"}, ["bad"]),
        ({"search": "020 7946 0018"}, ["north"]),
        ({"search": "+44 (0)20 7946 0018"}, ["north"]),
        ({"search": "0044 20 79460018"}, ["north"]),
        ({"search": "0018"}, ["north"]),
        ({"search": "0018", "sites": ("main",)}, []),
        ({"search": "018"}, []),
        ({"search": "..."}, []),
        ({"search": "' OR 1=1 --"}, []),
        ({"search": "%"}, []),
        ({"search": "ana", "since": NOON - HOUR}, ["old", "done"]),
    ],
)
def test_a_filter_selects_these_newest_first(
    database: Database, wanted: dict[str, Any], expected: list[str]
) -> None:
    ids = filled(database)
    selected = LeadFilter(**wanted)
    assert names(list_leads(database, selected), ids) == expected
    assert count_leads(database, selected) == LeadCount(len(expected))
    assert [*iterate_ids(database, selected, 2)] == [ids[name] for name in expected]


def test_pages_follow_each_other_without_gap_or_repetition(sqlite: Database) -> None:
    for hour in range(7):
        keep(sqlite, submission(lead("ana@example.com", first_name="Ana"), NOON - hour * HOUR))
    for wanted in (LeadFilter(), LeadFilter(search="ana"), LeadFilter(forms=("contact",))):
        seen, after = [], None
        for size in (3, 3, 1):
            page = list_leads(sqlite, wanted, after=after, limit=3)
            assert len(page.leads) == size
            seen += [each.received_at for each in page.leads]
            after = page.after
        assert after is None
        assert seen == [NOON - hour * HOUR for hour in range(7)]
    assert str(count_leads(sqlite, LeadFilter(), limit=5)) == "5+"


def test_a_line_says_who_and_how_it_ended(sqlite: Database) -> None:
    ids = filled(sqlite)
    lines = {each.id: each for each in list_leads(sqlite, LeadFilter()).leads}
    bad = lines[ids["bad"]]
    assert (bad.name, bad.email, bad.phone) == ("Ana Bad", "bad@example.com", None)
    assert (bad.state, bad.outcome, bad.reason, bad.attempts) == (
        *("failed", None, "Wix's reason", 1),
    )
    assert lines[ids["asked"]].name == "ÖBB"
    assert lines[ids["north"]].phone == "+442079460018"
    assert (lines[ids["north"]].name, lines[ids["north"]].site) == ("", "north")
    assert lines[ids["done"]].contact_id == "c1"
    assert "Ana" not in repr(bad)


def test_where_very_many_words_begin_alike_the_newest_part_is_searched(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, longer=3, first=2, further=4)
    for hour in range(10):
        given = lead(f"a{hour}@example.com", first_name=f"Mar{hour}")
        keep(database, submission(given, NOON - hour * HOUR))
    seen, after, parts = [], None, 0
    while parts == 0 or after:
        page = list_leads(database, LeadFilter(search="mar"), after=after)
        seen += [each.name for each in page.leads]
        assert (page.searched_until is None) == (page.after is None)
        after, parts = page.after, parts + 1
    assert seen == [f"Mar{hour}" for hour in range(10)]
    assert parts == 4, "two leads, then four at a time"
    assert len([*iterate_ids(database, LeadFilter(search="mar"))]) == 10
    # A complete word has its own place in the index.
    assert list_leads(database, LeadFilter(search="mar9")).searched_until is None


def test_sites_and_forms_are_listed_from_the_submissions(database: Database) -> None:
    assert list_sources(database) == []
    filled(database)
    pairs = [("main", "contact"), ("main", "quote"), ("north", "quote")]
    assert list_sources(database) == pairs
    assert list_sources(database, ("north",)) == pairs[2:]


def test_a_reader_of_some_sites_gets_no_others() -> None:
    assert LeadFilter().within(None).sites is None
    assert LeadFilter().within(("a",)).sites == ("a",)
    assert LeadFilter(sites=("a", "b")).within(("b", "c")).sites == ("b",)
    assert LeadFilter(sites=("a",)).within(()).sites == ()


def test_a_short_id_is_the_end_of_the_id(database: Database) -> None:
    ids = filled(database)
    wanted = ids["bad"]
    page = list_leads(database, LeadFilter(states=("failed",)))
    assert page.leads[0].short_id == wanted[-8:]
    for given in (wanted, wanted[-8:], wanted[-13:], f" {wanted[-8:].upper()} "):
        assert find_submission(database, given) == wanted
        assert find_submission(database, given, ("main", "north")) == wanted
        with pytest.raises(UnknownSubmissionError):
            find_submission(database, given, ("north",))
    assert names(list_leads(database, LeadFilter(search=wanted[-8:])), ids) == ["bad"]
    for given in (wanted[-7:], wanted[:8], "", "x" * 36, "%" * 8, "x" + wanted[-8:]):
        with pytest.raises(UnknownSubmissionError):
            find_submission(database, given)


def test_two_alike_short_ids_are_both_named(database: Database) -> None:
    ids = filled(database)
    other = "1" if ids["caught"][-9] == "0" else "0"
    twin = ids["new"][:-9] + other + ids["caught"][-8:]
    with database.write() as connection:
        change = text("UPDATE submissions SET id = :new WHERE id = :old")
        connection.execute(text("DELETE FROM unindexed"))
        connection.execute(text("DELETE FROM deliveries"))
        connection.execute(change, {"new": twin, "old": ids["new"]})
    with pytest.raises(AmbiguousIdError, match=twin):
        find_submission(database, twin[-8:])
    assert find_submission(database, twin[-9:]) == twin


def test_what_is_erased_or_replaced_is_not_found_any_more(database: Database) -> None:
    ids = filled(database)
    retry_submission(
        database,
        ids["bad"],
        lambda *_: lead("right@example.com", first_name="Ida", site="north"),
        NOON,
    )
    assert names(list_leads(database, LeadFilter(search="ida")), ids) == ["bad"]
    assert names(list_leads(database, LeadFilter(sites=("north",))), ids) == ["bad", "north"]
    assert not list_leads(database, LeadFilter(search="bad@")).leads
    keyring = Keyring(["a key that is long enough"], ERASED)
    erase_person(database, {"right@example.com"}, keyring=keyring, now=NOON)
    assert not list_leads(database, LeadFilter(search="ida")).leads
    with database.read() as connection:
        left = text("SELECT term FROM search_terms WHERE submission_id = :id")
        assert connection.execute(left, {"id": ids["bad"]}).all() == []
    erased = list_leads(database, LeadFilter(sites=("north",))).leads[0]
    assert (erased.erased, erased.name, erased.email) == (True, "", None)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (86_400 * 12, "12 d"), (4e7, "1 y")],
)
def test_an_age_is_short(seconds: float, expected: str) -> None:
    assert format_age(NOON - timedelta(seconds=seconds), NOON) == expected
