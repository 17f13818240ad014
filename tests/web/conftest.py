"""A site per test, and forms compiled once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formapp.forms import Form
from tests.web.forms import load
from tests.web.running import Running
from tests.web.support import Site, SiteMaker


@pytest.fixture(scope="session")
def forms() -> dict[str, Form]:
    return load()


@pytest.fixture
def make_site(tmp_path: Path, forms: dict[str, Form]) -> Iterator[SiteMaker]:
    """Open sites, each on a database of its own; settings go without their prefix."""
    sites: list[Site] = []

    def make(**options: Any) -> Site:
        folder = tmp_path / str(len(sites))
        folder.mkdir()
        sites.append(Site.build(folder, **{"forms": forms, **options}))
        return sites[-1]

    yield make
    for site in sites:
        site.database.close()


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site()


@pytest.fixture
def running(make_site: SiteMaker) -> Iterator[Running]:
    running = Running(make_site())
    yield running
    running.stop()
