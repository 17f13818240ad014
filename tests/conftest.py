"""What all tests share."""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from formapp.db.database import Database
from tests.support.apps import build_apps_quickly
from tests.support.browser import chromium
from tests.support.clock import TurnedClock
from tests.support.driven import Driven
from tests.support.firefox import firefox
from tests.support.passwords import hash_weakly
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.schema import give_schema
from tests.support.webkit import webkit
from tests.support.wixsite import WixSite, running_site
from tests.support.world import World

Start = Callable[[Path], AbstractContextManager[Driven]]

# These start a browser, a database server or formapp itself, which takes seconds.
_SLOW_FIXTURES = frozenset(
    {
        *("browser", "postgres", "world", "commands", "demo", "clients", "running"),
        *("radicale", "xandikos", "tryton"),
    }
)


# SQLite waits for the disk at each commit; what a test keeps needs to outlive no power cut. A
# container's memory file system may be as small as 64 MB.
_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 1 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


# Tests start processes of formapp, which each would compile all its modules, as pytest compiles the
# tests, where an environment keeps Python from storing bytecode.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


build_apps_quickly()
hash_weakly()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector the tests themselves: half a million objects that stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what uses one of these, each variant on PostgreSQL, and the proofs."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        values = callspec.params.values() if callspec else ()
        on_postgresql = any(
            "postgresql" in each for each in values if isinstance(each, str | tuple)
        )
        is_proof = "proofs" in item.path.parts
        if is_proof or on_postgresql or _SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run; skipped where it isn't installed, but never in CI."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=[firefox, webkit], ids=["firefox", "webkit"])
def driven(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driven]:
    """Another browser than Chromium."""
    start: Start = request.param
    with start(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run; skipped where it isn't installed, but never in CI."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database; a test that doesn't care of which kind it is names one instead."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """The address of an empty database, of either kind."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'formapp.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with the current schema, of either kind."""
    database = Database(database_url)
    give_schema(database)
    yield database
    database.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A SQLite database with the current schema, where the kind doesn't matter."""
    database = Database(f"sqlite:///{tmp_path / 'formapp.db'}")
    give_schema(database)
    yield database
    database.close()


@pytest.fixture
def turned_clock() -> TurnedClock:
    """A clock that stands until a test turns it."""
    return TurnedClock()


@pytest.fixture
def wix_site(turned_clock: TurnedClock) -> Iterator[WixSite]:
    """A site of a running sandbox, on the turned clock."""
    with running_site(turned_clock) as site:
        yield site


@pytest.fixture
def world(sqlite: Database, wix_site: WixSite, turned_clock: TurnedClock) -> Iterator[World]:
    """A deliverer between a SQLite database and a sandbox."""
    world = World(sqlite, wix_site, turned_clock)
    yield world
    world.close()


@pytest.fixture
def both_worlds(
    database: Database, wix_site: WixSite, turned_clock: TurnedClock
) -> Iterator[World]:
    """The same on a database of either kind, for what depends on it."""
    world = World(database, wix_site, turned_clock)
    yield world
    world.close()


@pytest.fixture
def postgresql(postgres: PostgresServer) -> Iterator[Database]:
    """A PostgreSQL database with the current schema, where the other kind can't do it."""
    with postgres.database() as url:
        database = Database(url)
        give_schema(database)
        yield database
        database.close()
