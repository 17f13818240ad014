"""Several sites: each has its pause, its budget and its contacts, and none waits for another."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from formapp.db.database import Database
from formapp.db.tables import wix_calls
from formapp.delivery.deliver import Deliverer
from formapp.delivery.sites import Pauses, RateLimitedClient, Site
from formapp.leads.accept import keep
from formapp.leads.report import show_submission
from formapp.monitoring.metrics import Metrics
from tests.support.clock import TurnedClock
from tests.support.leads import EMAIL, lead, submission
from tests.support.wixsite import OTHER_ID, WixSite

NAMES = ("berlin", "paris")


@dataclass
class Two:
    """Two sites of one sandbox, and one deliverer that serves both."""

    database: Database
    clock: TurnedClock
    sites: dict[str, WixSite]

    def deliverer(self, **limits: int) -> Deliverer:
        sites = [
            Site(name, site.auth, limits.get(name, 1000), base_url=site.url)
            for name, site in self.sites.items()
        ]
        grace = timedelta(seconds=60)
        return Deliverer(self.database, sites, grace=grace, clock=self.clock)

    def keep(self, site: str, address: str = EMAIL) -> str:
        given = lead(address, site=site, form=f"form-of-{site}", labels=("Lead",))
        return keep(self.database, submission(given, self.clock(), form=given.form)).id

    def state(self, submission_id: str) -> str:
        return str(show_submission(self.database, submission_id)["state"])


@pytest.fixture
def two(database: Database, turned_clock: TurnedClock, wix_site: WixSite) -> Iterator[Two]:
    other = WixSite(wix_site.url, OTHER_ID)
    yield Two(database, turned_clock, dict(zip(NAMES, (wix_site, other), strict=True)))
    other.close()


def drain(deliverer: Deliverer) -> int:
    count = 0
    while tried := deliverer.deliver_next():
        count += tried
        assert count < 100
    return count


def test_one_is_refused_while_the_other_goes_on(two: Two) -> None:
    kept = {name: [two.keep(name, f"{n}@example.com") for n in range(3)] for name in NAMES}
    two.sites["berlin"].fault("status", site=two.sites["berlin"].site_id, status=401)
    deliverer = two.deliverer()
    assert drain(deliverer) == 4
    assert {two.state(each) for each in kept["berlin"]} == {"pending"}
    assert {two.state(each) for each in kept["paris"]} == {"delivered"}
    paused = Pauses(two.database).paused(two.clock())
    assert list(paused) == ["berlin"]
    assert "credentials refused (401" in paused["berlin"][1]
    two.sites["berlin"].mend()
    two.clock.turn(60)
    assert drain(deliverer) == 3
    assert {two.state(each) for each in kept["berlin"]} == {"delivered"}


def test_a_person_is_a_contact_at_each_site_with_the_labels_of_each(two: Two) -> None:
    for name in NAMES:
        two.keep(name)
    assert drain(two.deliverer()) == 2
    (berlin,), (paris,) = (two.sites[name].contacts() for name in NAMES)
    assert berlin["id"] != paris["id"]
    assert berlin["info"]["labelKeys"] == paris["info"]["labelKeys"] != []
    # The second time, each finds its own contact by the cache.
    for name in NAMES:
        two.keep(name)
    drain(two.deliverer())
    assert [len(two.sites[name].contacts()) for name in NAMES] == [1, 1]


def test_a_spent_budget_is_one_site_s_and_calls_are_counted_by_site(two: Two) -> None:
    for number in range(3):
        for name in NAMES:
            two.keep(name, f"{number}@example.com")
    drain(two.deliverer(berlin=4))
    with two.database.read() as connection:
        query = select(wix_calls.c.site, func.count()).group_by(wix_calls.c.site)
        counts = {row[0]: row[1] for row in connection.execute(query)}
    assert counts["berlin"] <= 4
    assert counts["paris"] == 5  # the label's key, one search and three contacts
    assert len(two.sites["paris"].contacts()) == 3
    assert list(Pauses(two.database).paused(two.clock())) == ["berlin"]


def test_a_flood_at_one_site_lets_the_other_have_its_turn(two: Two) -> None:
    for number in range(10):
        two.keep("berlin", f"{number}@example.com")
    lonely = two.keep("paris")
    deliverer = two.deliverer()
    for _ in range(2):
        deliverer.deliver_next()
    assert two.state(lonely) == "delivered"


def test_calls_of_a_client_have_their_site_in_the_metrics(two: Two) -> None:
    metrics = Metrics()
    for name, site in two.sites.items():
        at = Site(name, site.auth, 100, base_url=site.url)
        client = RateLimitedClient(at, two.database, two.clock, metrics)
        client.begin()
        client.wix.contacts.query(limit=1)
        client.wix.close()
    text = metrics.text().decode()
    for name in NAMES:
        line = f'count{{operation="queryContacts",site="{name}",status="200"}} 1.0'
        assert f"formapp_wix_call_seconds_{line}" in text
