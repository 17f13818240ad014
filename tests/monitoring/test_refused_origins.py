"""Refused origins: logged once an hour, counted by day, both within bounds."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from formapp.db.database import Database
from formapp.db.tables import refused_origins
from formapp.monitoring.refused_origins import (
    ABSENT,
    HIDDEN,
    KEEP,
    MAX_LOGGED,
    MAX_ORIGINS,
    OTHERS,
    Refused,
    RefusedOrigins,
    find_refused,
)
from formapp.web.rate_limit import MemoryCounts
from tests.support.clock import NOON, TurnedClock

SHOP = "https://shop.example.com"


@pytest.fixture
def refused(database: Database, turned_clock: TurnedClock) -> RefusedOrigins:
    return RefusedOrigins(database, MemoryCounts(turned_clock.seconds), turned_clock)


def test_each_is_counted_by_form_and_the_days_add_up(
    refused: RefusedOrigins, database: Database, turned_clock: TurnedClock
) -> None:
    for form, origin in (("lead", SHOP), ("lead", SHOP), ("news", SHOP), ("lead", HIDDEN)):
        refused.note(form, origin)
    turned_clock.turn(hours=24)
    refused.note("lead", SHOP)
    assert find_refused(database, NOON.date()) == [
        Refused("lead", SHOP, 3),
        Refused("lead", HIDDEN, 1),
        Refused("news", SHOP, 1),
    ]
    assert find_refused(database, turned_clock().date()) == [Refused("lead", SHOP, 1)]


def test_threads_count_together(refused: RefusedOrigins, database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: refused.note("lead", SHOP), range(20)))
    assert find_refused(database, NOON.date()) == [Refused("lead", SHOP, 20)]


@pytest.mark.slow
def test_a_form_has_a_bounded_number_of_rows(
    refused: RefusedOrigins, database: Database, turned_clock: TurnedClock
) -> None:
    for _ in range(20):
        for number in range(2 * MAX_ORIGINS):
            refused.note("lead", f"https://{number}.example.com")
        turned_clock.turn(hours=24)
    with database.read() as connection:
        rows = connection.scalar(select(func.count()).select_from(refused_origins))
    assert rows == KEEP.days * (MAX_ORIGINS + 1)
    counted = find_refused(database, (turned_clock() - timedelta(days=1)).date())
    assert counted[0] == Refused("lead", OTHERS, MAX_ORIGINS)
    assert len(counted) == MAX_ORIGINS + 1


def test_each_is_logged_once_an_hour(
    refused: RefusedOrigins, turned_clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        refused.note("lead", SHOP)
        refused.note("news", SHOP)
    assert [record.getMessage() for record in caplog.records] == [
        f"the form {form} refused {SHOP}: "
        f'if that is your site, add "{SHOP}" to origins in {form}.toml'
        for form in ("lead", "news")
    ]
    turned_clock.turn(hours=1)
    refused.note("lead", SHOP)
    assert len(caplog.records) == 3


def test_made_up_origins_flood_neither_the_log_nor_the_memory(
    sqlite: Database, turned_clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    refused = RefusedOrigins(sqlite, MemoryCounts(turned_clock.seconds), turned_clock)
    for number in range(MAX_LOGGED + 50):
        refused.note("lead", f"https://{number}.example.com")
    assert len(caplog.records) == MAX_LOGGED
    turned_clock.turn(hours=1)
    refused.note("lead", SHOP)
    assert len(caplog.records) == MAX_LOGGED + 1


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        (ABSENT, "FORMAPP_API_TOKEN"),
        (HIDDEN, 'unknown_origin = "quarantine" in lead.toml'),
        (OTHERS, "log"),
        (SHOP, f'add "{SHOP}" to origins in lead.toml'),
    ],
)
def test_there_is_advice_for_each(origin: str, advice: str) -> None:
    assert advice in Refused("lead", origin, 1).advice


def test_without_a_database_it_is_still_logged(
    sqlite: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite.write() as connection:
        refused_origins.drop(connection)
    with caplog.at_level(logging.DEBUG):
        RefusedOrigins(sqlite, MemoryCounts()).note("lead", SHOP)
    assert [record.levelname for record in caplog.records][:1] == ["WARNING"]
