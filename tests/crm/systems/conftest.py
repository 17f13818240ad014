"""Wix as a side of a book, against the sandbox."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from formapp.crm.model import Book, FieldPair
from formapp.crm.systems.wix import WixSystem
from formapp.crm.systems.wix_calls import WixCalls, limited_client
from formapp.db.database import Database
from formapp.delivery.sites import Site
from formapp.monitoring.metrics import Metrics
from tests.crm.wix_book import NAMES, Open
from tests.support.clock import TurnedClock
from tests.support.wixsite import WixSite


@pytest.fixture
def calls_of(
    sqlite: Database, wix_site: WixSite, turned_clock: TurnedClock
) -> Iterator[Callable[..., WixCalls]]:
    """Makes clients of the site; waiting turns the clock."""
    made = []

    def wait(seconds: float) -> bool:
        turned_clock.turn(seconds)
        return False

    def calls(*, limit: int = 10_000, patient: bool = False) -> WixCalls:
        site = Site("main", wix_site.auth, limit, base_url=wix_site.url)
        client = limited_client(site, sqlite, turned_clock, Metrics())
        made.append(WixCalls(client, clock=turned_clock, wait=wait, patient=patient))
        return made[-1]

    yield calls
    for each in made:
        each.close()


@pytest.fixture
def opened(calls_of: Callable[..., WixCalls]) -> Open:
    """Opens Wix for a book that maps these fields."""

    def open_system(*names: str, mode: Any = "two-way", **more: Any) -> WixSystem:
        pairs = tuple(FieldPair(name, name) for name in names or NAMES)
        book = Book("main", "carddav", "main", pairs, mode=mode, region="PT")
        return WixSystem(book, calls_of(**more))

    return open_system
