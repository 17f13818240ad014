"""Real CardDAV servers and a real Tryton, one of each for a whole run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crm import davservers, trytonserver
from tests.crm.davservers import DavServer


@pytest.fixture(scope="session")
def dav_environment(request: pytest.FixtureRequest) -> Path:
    """Installed once; kept in pytest's cache for the next run."""
    return davservers.environment(Path(request.config.cache.mkdir("carddav")))


@pytest.fixture(scope="session")
def tryton(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    venv = trytonserver.environment(Path(request.config.cache.mkdir("tryton")))
    with trytonserver.tryton(venv, tmp_path_factory.mktemp("tryton")) as url:
        yield url


@pytest.fixture(scope="session")
def radicale(
    dav_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DavServer]:
    with davservers.radicale(dav_environment, tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="session")
def xandikos(
    dav_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DavServer]:
    with davservers.xandikos(dav_environment, tmp_path_factory.mktemp("xandikos")) as server:
        yield server
