"""The merge rules end to end: generated leads against the running sandbox, under both readings."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from formapp.lead import Lead, Merge
from tests.support.leads import EMAIL, items
from tests.support.strategies import fill_leads, leads
from tests.support.wixsite import SITE_ID
from tests.support.world import World

MODES = pytest.mark.parametrize("mode", ["merge", "replace"])
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    # The site is made anew for each example.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def start(world: World, mode: str, first: Lead) -> Any:
    """A site whose only contact was made by one lead, then edited by its owner."""
    if world.site.contacts():
        world.site.control("DELETE", f"/sites/{SITE_ID}")
    world.site.set(extended_fields=mode)
    made = world.bring(first)
    theirs, note = world.site.label("Theirs"), world.site.field("Note")
    info = world.site.info()
    world.site.edit(
        made["contact_id"],
        emails=items({"email": EMAIL}, {"email": "second@example.com", "primary": True}),
        labelKeys=items(*info.get("labelKeys", items())["items"], theirs),
        extendedFields={"items": {**custom(info), note: "theirs"}},
    )
    return world.site.contact()


def custom(info: Any) -> dict[str, Any]:
    fields = info.get("extendedFields", {"items": {}})["items"]
    return {key: value for key, value in fields.items() if key.startswith("custom.")}


@MODES
@EXAMPLES
@given(first=leads(), second=leads())
def test_a_lead_applied_twice_changes_nothing_the_second_time(
    world: World, mode: str, first: Lead, second: Lead
) -> None:
    before = start(world, mode, first)
    row = world.bring(second)
    assert (row["state"], row["contact_id"]) == ("delivered", before["id"])
    after = world.site.contact()
    assert (row["outcome"] == "unchanged") == (after == before)
    assert world.bring(second)["outcome"] == "unchanged"
    assert world.site.contact() == after


@MODES
@EXAMPLES
@given(first=leads(), second=fill_leads)
def test_a_lead_that_only_fills_takes_nothing_away_and_changes_nothing_that_is_there(
    world: World, mode: str, first: Lead, second: Lead
) -> None:
    before = start(world, mode, first)["info"]
    world.bring(second)
    after = world.site.info()
    for key in ("company", "jobTitle", "birthdate", "locale", "emails", "phones", "addresses"):
        if key in before:
            assert after[key] == before[key]
    assert before.get("name", {}).items() <= after.get("name", {}).items()
    assert set(before["labelKeys"]["items"]) <= set(after["labelKeys"]["items"])
    assert custom(before).items() <= custom(after).items()


@MODES
@EXAMPLES
@given(first=leads(), second=leads())
def test_whatever_a_lead_overwrites_it_leaves_emails_labels_and_other_fields(
    world: World, mode: str, first: Lead, second: Lead
) -> None:
    before = start(world, mode, first)["info"]
    world.bring(second)
    after = world.site.info()
    assert after["emails"] == before["emails"]
    assert set(before["labelKeys"]["items"]) <= set(after["labelKeys"]["items"])
    overwritten = {
        f"custom.{each.name.lower()}"
        for each in second.extended_fields
        if each.merge is Merge.OVERWRITE
    }
    for key, value in custom(before).items():
        if key not in overwritten:
            assert custom(after)[key] == value
