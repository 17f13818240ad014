"""The frame fits its form at any time, and the page around hears of it and of what was sent."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.uses.conftest import World
from tests.uses.visitors import fill_in, fitted, frame_of, send, thanked, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]


def test_the_frame_fits_as_the_form_changes_and_comes_to_rest(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(world.listed.page(world.snippet()), width=390)
    page.evaluate(
        """() => {
            window.heights = [];
            addEventListener("formapp:height", (event) => heights.push(event.detail.height));
        }"""
    )
    frame = fitted(page)
    first = frame.evaluate("innerHeight")
    frame.locator("textarea").fill("line\n" * 12)
    until(page, f"heights.at(-1) > {first}")
    fitted(page)
    send(frame)
    expect(frame.locator(".summary")).to_be_visible()
    errors = fitted(page).evaluate("innerHeight")
    assert errors > first
    fill_in(frame)
    send(frame)
    thanked(frame_of(page))
    assert fitted(page).evaluate("innerHeight") < first
    # At rest: nothing is told in the next half second.
    told = page.evaluate(
        "() => new Promise(done => { const n = heights.length;"
        " setTimeout(() => done(heights.length - n), 500); })"
    )
    assert told == 0
    assert page.evaluate("heights.length") < 20
    world.forgiven = ("422",)


def test_the_page_hears_of_what_was_sent_once(world: World, open_page: OpenPage) -> None:
    page = open_page(world.listed.page(world.snippet()))
    page.evaluate(
        "() => { window.sent = [];"
        " addEventListener('formapp:sent', e => sent.push([e.detail, e.target.tagName])); }"
    )
    frame = fitted(page)
    fill_in(frame)
    send(frame)
    until(page, "sent.length > 0")
    fitted(page)
    assert page.evaluate("sent") == [[{"form": "lead"}, "IFRAME"]]
