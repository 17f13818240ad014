"""Fields that apply by another's answer, in Chromium: with and without JavaScript."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.look.embedded import OpenPage, fitted
from tests.look.test_browser import assert_accepted

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONDITIONAL = ["part", "power", "harbour", "dock"]


def seen(page: Page) -> list[str]:
    """The conditional fields that can be seen."""
    first = {name: page.locator(f"[name={name}]").first for name in CONDITIONAL}
    return [name for name, control in first.items() if control.is_visible()]


def sent(page: Page) -> dict[str, Any]:
    """What the form would send of these fields."""
    names = page.evaluate("() => [...new FormData(document.querySelector('form')).keys()]")
    return {name: name in names for name in CONDITIONAL}


def test_a_field_appears_with_its_condition_and_vanishes_with_it(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/visit")
    assert seen(page) == ["harbour"]
    page.select_option("[name=topic]", "repair")
    assert seen(page) == ["part", "harbour"]
    page.check("[name=part][value=Engine]")
    assert seen(page) == ["part", "power", "harbour"]
    page.check("[name=same]")
    assert seen(page) == ["part", "power", "dock"]
    expect(page.get_by_role("group", name="At my address")).to_be_visible()
    page.select_option("[name=topic]", "sale")
    assert seen(page) == ["dock"]


def test_what_vanished_is_not_sent_and_comes_back_as_it_was_typed(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/visit")
    page.fill("[name=harbour]", "Whitby")
    page.select_option("[name=topic]", "repair")
    page.check("[name=part][value=Engine]")
    page.fill("[name=power]", "8")
    page.select_option("[name=topic]", "sale")
    page.check("[name=same]")
    assert sent(page) == {"part": False, "power": False, "harbour": False, "dock": True}
    page.select_option("[name=topic]", "repair")
    page.uncheck("[name=same]")
    assert sent(page) == {"part": True, "power": True, "harbour": True, "dock": False}
    expect(page.locator("[name=power]")).to_have_value("8")
    expect(page.locator("[name=harbour]")).to_have_value("Whitby")


def test_the_server_asks_for_what_applies_and_the_page_shows_it(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/visit")
    page.select_option("[name=topic]", "repair")
    page.check("[name=same]")
    page.locator("button[type=submit]").click()
    page.locator(".summary").wait_for()
    page.wait_for_load_state()  # the script runs before that
    assert page.locator(".summary a").evaluate_all("all => all.map(a => a.hash)") == [
        "#f-name",
        "#f-email",
        "#f-part-0",
        "#f-privacy",
    ]
    assert seen(page) == ["part", "dock"]
    assert_accepted(page)


def test_without_script_all_fields_show_each_with_its_hint(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/visit", java_script_enabled=False)
    assert seen(page) == CONDITIONAL
    expect(page.get_by_role("group", name="What is broken?")).to_have_accessible_description(
        "Only if “What is it about?” is A repair."
    )
    expect(page.locator("[name=power]")).to_have_accessible_description(
        "Only if “What is broken?” is Engine. In horsepower."
    )
    expect(page.locator("[name=dock]")).to_have_accessible_description(
        "Only if you tick “The boat is at my address”."
    )
    expect(page.locator("[name=harbour]")).to_have_accessible_description(
        "Only if you don't tick “The boat is at my address”."
    )


def test_without_script_a_field_that_does_not_apply_may_stay_blank(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/visit", java_script_enabled=False)
    page.fill("[name=name]", "Ada")
    page.fill("[name=email]", "ada@example.com")
    page.select_option("[name=topic]", "Else")
    page.fill("[name=harbour]", "Whitby")
    page.check("[name=privacy]")
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/thanks?*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


def test_with_script_nothing_hints_at_what_can_be_seen(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/visit")
    expect(page.get_by_text("Only if")).to_have_count(0)
    expect(page.locator("[name=harbour]")).to_have_accessible_description("")


def test_a_script_that_never_comes_leaves_what_the_server_asks_for_in_sight(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page("about:blank")
    page.route("**/conditions.js", lambda route: route.fulfill(body=""))
    page.goto(f"{origin}/f/visit")
    assert seen(page) == ["harbour"]
    page.select_option("[name=topic]", "repair")
    page.locator("button[type=submit]").click()
    page.locator(".summary").wait_for()
    page.wait_for_load_state()
    assert seen(page) == ["part", "harbour"]


def test_the_frame_fits_as_fields_come_and_go(open_page: OpenPage, foreign: str) -> None:
    page = open_page(f"{foreign}/plain?form=visit")
    frame = fitted(page)
    before = frame.evaluate("innerHeight")
    frame.select_option("[name=topic]", "repair")
    frame = fitted(page)
    assert frame.evaluate("innerHeight") > before


def late(route: Route) -> None:
    """Let a script come after the page was painted."""
    time.sleep(0.3)
    route.continue_()


@pytest.mark.parametrize("form", ["visit", "steps"])
def test_nothing_moves_while_the_page_loads(open_page: OpenPage, origin: str, form: str) -> None:
    page = open_page("about:blank")
    page.add_init_script(
        "window.shifts = [];"
        "new PerformanceObserver((list) => shifts.push(...list.getEntries().map((e) => e.value)))"
        ".observe({ type: 'layout-shift', buffered: true })"
    )
    # The page is painted before the script comes.
    page.route("**/conditions.js", late)
    page.goto(f"{origin}/f/{form}")
    expect(page.locator(".when")).to_have_count(0)
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert page.evaluate("shifts") == []
