"""Formspree's packages, a formapp server, and a page of a listed origin."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.clients.installing import HERE, Clients, install
from tests.clients.serving import Served, forms, page_server
from tests.web.running import Running
from tests.web.support import Site


@pytest.fixture(scope="session")
def clients(request: pytest.FixtureRequest) -> Clients:
    """Installed once; kept in pytest's cache for the next run."""
    return install(Path(request.config.cache.mkdir("clients")))


@pytest.fixture(scope="session")
def pages(clients: Clients) -> Iterator[str]:
    """The origin of a site with a page of each kind."""
    contents = {
        "/ajax": (HERE / "ajax.html").read_text(),
        "/ajax.js": clients.ajax(),
        "/react": (HERE / "react.html").read_text(),
        "/react.js": clients.react(),
        "/favicon.ico": "",
    }
    with page_server(contents) as origin:
        yield origin


@pytest.fixture
def served(tmp_path: Path, database_url: str, pages: str) -> Iterator[Served]:
    site = Site.build(
        tmp_path, url=database_url, forms=forms(pages), TRUSTED_HOSTS="127.0.0.1,localhost"
    )
    running = Running(site)
    yield Served(running)
    running.stop()
    site.database.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    yield context.new_page()
    cookies = context.cookies()
    context.close()
    assert cookies == []
