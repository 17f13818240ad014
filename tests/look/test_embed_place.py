"""The place of an embedded form in its page: flush, reserved while it loads, one heading."""

import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.look.embedded import LISTEN, OpenPage, fitted, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) =>
    shifts.push(...list.getEntries().map((entry) => entry.value))
).observe({ type: "layout-shift", buffered: true });
"""


def around(page: Page, foreign: str, form: str, *, height: int, heading: str = "on") -> None:
    """Open a page of another site around a form that loads late, and watch what moves."""
    page.route("**/embed?*", late)
    page.route("**/embed.js", late)
    page.add_init_script(OBSERVE)
    page.add_init_script(f"({LISTEN})()")
    page.goto(f"{foreign}/around?form={form}&height={height}&heading={heading}")


def late(route: Route) -> None:
    time.sleep(0.2)
    route.continue_()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("form", "height"), [("newsletter", 560), ("contact", 820)])
def test_nothing_of_the_page_moves_while_a_form_loads_in_a_reserved_place(
    open_page: OpenPage, foreign: str, width: int, form: str, height: int
) -> None:
    page = open_page("about:blank", width=width)
    around(page, foreign, form, height=height)
    until(page, "heard.some(([type]) => type === 'formapp:height')")
    fitted(page)
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert page.evaluate("shifts") == []


def test_a_skeleton_fills_the_reserved_place_until_the_form_is_there(
    open_page: OpenPage, foreign: str
) -> None:
    page = open_page("about:blank")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/embed?*", hold)
    page.goto(f"{foreign}/around?form=contact&height=700&heading=on", wait_until="commit")
    frame = page.locator("iframe")
    frame.wait_for()
    looks = "e => [e.clientHeight, getComputedStyle(e).backgroundImage !== 'none']"
    assert frame.evaluate(looks) == [700, True]
    assert frame.evaluate("e => e.getAnimations().length") == 1
    page.wait_for_timeout(0)
    held[0].continue_()
    fitted(page)
    assert frame.evaluate(looks)[1] is False
    assert frame.evaluate("e => e.getAnimations().length") == 0


def test_the_form_is_flush_with_the_column_around_it(open_page: OpenPage, foreign: str) -> None:
    page = open_page("about:blank", width=390)
    around(page, foreign, "contact", height=700)
    frame = fitted(page)
    frame.focus("#f-name")
    left, right = frame.locator("#f-name").evaluate(
        "e => [e.getBoundingClientRect().left, innerWidth - e.getBoundingClientRect().right]"
    )
    assert (left, right) == (0, 0)
    assert frame.locator("h1").evaluate("e => e.getBoundingClientRect().left") == 0
    # Its ring is within, where the frame doesn't cut it.
    assert frame.locator("#f-name").evaluate("e => getComputedStyle(e).outlineOffset") == "-3px"


def test_the_heading_can_be_left_to_the_page_around(open_page: OpenPage, foreign: str) -> None:
    page = open_page("about:blank")
    around(page, foreign, "newsletter", height=500, heading="off")
    frame = fitted(page)
    heading = frame.get_by_role("heading", level=1, name="Our newsletter")
    assert heading.evaluate("e => e.getBoundingClientRect().width") == 1
    assert frame.title() == "Our newsletter"
    # It stays so with errors and in another language; the thanks have a heading again.
    frame.locator("button[type=submit]").click()
    frame.locator(".summary").wait_for()
    assert heading.evaluate("e => e.getBoundingClientRect().width") == 1
    frame.get_by_role("textbox", name="E-mail").fill("ada@example.com")
    for box in frame.locator("input[type=checkbox][required]").all():
        box.check()
    frame.locator("button[type=submit]").click()
    thanks = frame.get_by_role("heading", level=1)
    expect(thanks).to_be_focused()
    assert thanks.evaluate("e => e.getBoundingClientRect().width") > 100
