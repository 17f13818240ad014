"""Where limits are counted: shared by all servers, naming nobody, and never in a lead's way."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from limits.errors import StorageError
from limits.storage import RedisStorage
from sqlalchemy import select

from formapp.config.settings import Settings, SettingsError
from formapp.db.database import Database
from formapp.db.tables import counts
from formapp.forms.form import Form
from formapp.web.errors import RefusalError
from formapp.web.rate_limit import (
    RETRY_SECONDS,
    SWEEP_SECONDS,
    DatabaseCounts,
    Limits,
    MemoryCounts,
)
from formapp.web.services import EXTENSION
from tests.support.clock import NOON, TurnedClock
from tests.support.greenlets import in_greenlets
from tests.support.redis import RedisServer, redis_server
from tests.web.guarded import beside
from tests.web.support import GOOD, Site, SiteMaker, schemaless

ADDRESS = "203.0.113.77"


@pytest.fixture(scope="module")
def running_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(running_redis: RedisServer) -> RedisServer:
    running_redis.clear()
    return running_redis


@pytest.fixture(params=["database", "redis"])
def storage(request: pytest.FixtureRequest) -> str:
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        return server.url
    return "database"


def close(*sites: Site) -> None:
    for site in sites:
        counts = site.app.extensions[EXTENSION].limits._counts
        if isinstance(counts, RedisStorage):
            counts.storage.close()


def post(site: Site, form: str = "lead", address: str = ADDRESS) -> int:
    answer = site.open(
        "POST",
        f"/f/{form}",
        data=GOOD,
        headers={"Origin": "https://www.example.com"},
        environ_overrides={"REMOTE_ADDR": address},
    )
    return answer.status_code


def test_two_servers_share_a_limit(
    make_site: SiteMaker, storage: str, tmp_path: Path, forms: dict[str, Form]
) -> None:
    settings = {"LIMIT_STORAGE": storage, "LIMIT_PER_ADDRESS": "3/minute"}
    first = make_site(**settings)
    second = beside(first, tmp_path, forms, **settings)
    assert [post((first, second)[n % 2]) for n in range(5)] == [303, 303, 303, 429, 429]
    assert post(second, address="203.0.113.78") == 303
    close(first, second)
    second.database.close()


def test_nobodys_address_is_kept(make_site: SiteMaker) -> None:
    site = make_site(
        LIMIT_STORAGE="database", LIMIT_PER_ADDRESS="3/minute", LIMIT_PER_FORM="9/minute"
    )
    post(site)
    with site.database.read() as connection:
        rows = connection.execute(select(counts)).all()
    assert len(rows) == 2
    assert all(len(row.hash) == 64 and int(row.hash, 16) for row in rows)
    assert ADDRESS not in str(rows)


def test_nor_in_redis(make_site: SiteMaker, redis: RedisServer) -> None:
    site = make_site(LIMIT_STORAGE=redis.url, LIMIT_PER_ADDRESS="3/minute")
    post(site, address="203.0.113.79")
    [key] = redis.keys()
    assert "203.0.113.79" not in key
    close(site)


def test_where_the_table_is_away_the_limit_is_not_in_the_way(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(LIMIT_STORAGE="database", LIMIT_PER_ADDRESS="1/minute", busy_seconds=0.2)
    with schemaless(site):
        # Nothing can be kept either, and that is what is told.
        assert [post(site) for _ in range(3)] == [503] * 3
    told = [r.getMessage() for r in caplog.records if "aren't limited" in r.getMessage()]
    assert told == ["posts aren't limited: the counts can't be reached (DatabaseUnavailableError)"]


def test_when_redis_goes_away_posts_are_let_in_and_it_is_told_once(
    make_site: SiteMaker, caplog: pytest.LogCaptureFixture
) -> None:
    with redis_server() as server:
        site = make_site(LIMIT_STORAGE=server.url, LIMIT_PER_ADDRESS="1/minute")
        assert [post(site), post(site)] == [303, 429]
        server.stop()
        assert [post(site) for _ in range(4)] == [303] * 4
        close(site)
    told = [r for r in caplog.records if "aren't limited" in r.getMessage()]
    assert len(told) == 1
    assert "127.0.0.1" not in told[0].getMessage()


class Flickering(MemoryCounts):
    """A storage that is away when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.asked = 0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.asked += 1
        if self.away:
            raise StorageError(ConnectionError("secret.example:6379"))
        return super().incr(key, expiry, amount)


def test_counts_that_can_not_be_reached_are_left_alone_for_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, storage = TurnedClock(), Flickering()
    limits = Limits("1/minute", None, storage, clock=clock.seconds)
    limits.hit(ADDRESS, "lead")
    storage.away = True
    for _ in range(5):
        limits.hit(ADDRESS, "lead")
    assert storage.asked == 2
    clock.turn(RETRY_SECONDS)
    limits.hit(ADDRESS, "lead")
    assert storage.asked == 3
    storage.away = False
    clock.turn(RETRY_SECONDS)
    with pytest.raises(RefusalError):
        limits.hit(ADDRESS, "lead")
    assert [record.getMessage() for record in caplog.records] == [
        "posts aren't limited: the counts can't be reached (ConnectionError)",
        "posts are limited again",
    ]


def test_counts_in_the_database_end_by_themselves(database: Database) -> None:
    clock = TurnedClock(NOON)
    counts = DatabaseCounts(database, lambda key: key.ljust(64, "0"), clock)
    assert [counts.incr("a", 60), counts.incr("a", 60, 2), counts.incr("b", 60)] == [1, 3, 1]
    clock.turn(60)
    assert [counts.incr("a", 60), counts.incr("a", 60)] == [1, 2]


def test_so_do_counts_in_memory() -> None:
    clock = TurnedClock(NOON)
    counts = MemoryCounts(clock.seconds)
    assert [counts.incr("a", 60), counts.incr("a", 60, 2), counts.incr("b", 60)] == [1, 3, 1]
    clock.turn(60)
    assert [counts.incr("a", 60), counts.incr("a", 60)] == [1, 2]


def test_memory_counts_for_many_threads_without_a_thread_of_its_own() -> None:
    storage = MemoryCounts()
    before = {*threading.enumerate()}
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: storage.incr("a", 60), range(4000)))
    assert sorted(counted) == list(range(1, 4001))
    assert {*threading.enumerate()} <= before  # those of earlier tests may end meanwhile


def test_what_has_ended_leaves_memory() -> None:
    clock = TurnedClock(NOON)
    storage = MemoryCounts(clock.seconds)
    for number in range(1000):
        storage.incr(f"address {number}", 30)
    storage.incr("form", 3600)
    clock.turn(SWEEP_SECONDS)
    assert storage.incr("form", 3600) == 2
    assert list(storage._counts) == ["form"]


@pytest.mark.parametrize(
    "where", ["disk", "redis://", "redis://host:0", "http://host:6379", "redis:host", "memory://"]
)
def test_a_wrong_storage_is_a_fault_at_start(where: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({"FORMAPP_LIMIT_STORAGE": where})
    [fault] = caught.value.faults
    assert fault.startswith("FORMAPP_LIMIT_STORAGE: is no storage")


def test_without_the_package_the_fault_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formapp.config.checks.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match=r"pip install 'formapp\[redis\]'"):
        Settings.read({"FORMAPP_LIMIT_STORAGE": "redis://user:secret@localhost:6379/1"})


def test_the_address_of_redis_shows_no_password() -> None:
    settings = Settings.read({"FORMAPP_LIMIT_STORAGE": "rediss://user:hunter2@localhost:6379/1"})
    assert "hunter2" not in repr(settings)


class _Silent:
    """Counts that nobody answers for, after a while."""

    def __init__(self) -> None:
        self.asked = 0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:  # noqa: ARG002 - as Counts has it
        self.asked += 1
        time.sleep(0.2)
        raise StorageError(TimeoutError())


def test_posts_at_once_do_not_wait_in_turn_for_counts_that_are_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counts = _Silent()
    limits = Limits("30/minute", "100/minute", counts, waits=True)
    began = time.monotonic()
    hits = [partial(limits.hit, f"203.0.113.{number}", "lead") for number in range(100)]
    assert in_greenlets(hits) == [None] * 100
    assert time.monotonic() - began < 2
    assert counts.asked <= 4, "as many as there are threads"
    assert 1 <= len(caplog.records) <= 4
