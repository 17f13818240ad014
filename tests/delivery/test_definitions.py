"""A worker reads what a site has defined, within its budget, and says why it can't."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from formapp.delivery.definitions import DefinitionReader
from formapp.delivery.sites import Budget, Pauses, Site
from formapp.jobs.queue import JobRunner
from formapp.leads.wix_definitions import (
    FRESH,
    KIND,
    SiteDefinitions,
    read_definitions,
    refresh_definitions,
)
from formapp.monitoring.metrics import Metrics
from formapp.wix import Timeouts
from tests.support.leads import SITE
from tests.support.world import World


def runner(world: World, *, url: str | None = None, limit: int = 200) -> JobRunner:
    """The runner of a worker that knows the site."""
    auth = world.site.auth
    site = Site(SITE, auth, limit, base_url=url or world.site.url, timeouts=Timeouts(2, 2))
    reader = DefinitionReader(world.database, [site], world.clock, Metrics())
    return JobRunner(world.database, {KIND: reader}, clock=world.clock)


def read(world: World, **more: object) -> SiteDefinitions:
    """Ask for the site's definitions, have a worker read them, and return them."""
    refresh_definitions(world.database, SITE, world.clock())
    assert runner(world, **more).run_next()  # type: ignore[arg-type]
    return read_definitions(world.database, SITE)


def test_labels_and_fields_are_as_wix_has_them(both_worlds: World) -> None:
    world = both_worlds
    world.site.api("POST", "/labels", {"displayName": "Website lead"})
    field = {"displayName": "Budget", "dataType": "NUMBER"}
    world.site.api("POST", "/extended-fields", field)
    asked = refresh_definitions(world.database, SITE, world.clock())
    assert (asked.labels, asked.waits_since) == (None, world.clock())
    found = read(world)
    assert found.labels
    assert "Website lead" in found.labels
    assert found.fields
    assert found.fields["Budget"] == "NUMBER"
    assert (found.fault, found.waits_since, found.read_at) == (None, None, world.clock())
    # Fresh: no second request is sent.
    assert refresh_definitions(world.database, SITE, world.clock()) == found
    assert not runner(world).run_next()
    world.clock.turn(FRESH.total_seconds())
    assert refresh_definitions(world.database, SITE, world.clock()).waits_since == world.clock()


def _paused(world: World) -> None:
    until = world.clock() + timedelta(minutes=5)
    Pauses(world.database).pause(SITE, until, "401 from queryContacts")


def _refused(world: World) -> None:
    world.site.fault("status", "listLabels", status=401)


def _spent(world: World) -> None:
    for _ in range(2):
        Budget(world.database, 2).take(SITE, world.clock())


@pytest.mark.parametrize(
    ("spoil", "more", "fault"),
    [
        (_paused, {}, "calls to this site pause until"),
        (_refused, {}, "401"),
        (lambda _world: None, {"url": "http://127.0.0.1:9"}, "no connection"),
        (_spent, {"limit": 2}, "are spent"),
    ],
)
def test_what_can_not_be_read_says_why_and_keeps_what_was_read_before(
    world: World, spoil: Callable[[World], None], more: dict[str, object], fault: str
) -> None:
    before = read(world)
    world.clock.turn(FRESH.total_seconds())
    spoil(world)
    found = read(world, **more)
    assert found.fault
    assert fault in found.fault
    assert (found.labels, found.fields) == (before.labels, before.fields)
    assert found.read_at == world.clock()


def test_a_site_that_no_worker_knows_says_so(world: World) -> None:
    refresh_definitions(world.database, "north", world.clock())
    assert runner(world).run_next()
    assert read_definitions(world.database, "north").fault == (
        "the worker has no credentials of this site"
    )


def test_a_worker_that_ends_leaves_it_to_the_next_one(world: World) -> None:
    refresh_definitions(world.database, SITE, world.clock())
    ending = runner(world)
    ending.handlers[KIND].interrupt()  # type: ignore[attr-defined]
    assert ending.run_next()
    assert read_definitions(world.database, SITE).read_at is None
    world.clock.turn(10)
    assert runner(world).run_next()
    assert read_definitions(world.database, SITE).labels is not None
