"""What tests of embedded forms share: waiting for a frame, and listening to it."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Page

OpenPage = Callable[..., Page]
LISTEN = """() => {
    window.heard = [];
    for (const type of ["formapp:height", "formapp:sent"])
        addEventListener(type, (event) => heard.push([type, event.detail, event.target.tagName]));
}"""


def fitted(page: Page, index: int = 0) -> Frame:
    """Wait until a frame is exactly as tall as its page, and return that page."""
    handle = page.locator("iframe").nth(index).element_handle()
    # Out of sight, the browser may put off telling the inner page how tall it is.
    handle.scroll_into_view_if_needed()
    frame = handle.content_frame()
    assert frame
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        frame.wait_for_load_state()
        sizes = frame.evaluate(
            "[Math.ceil(document.body.getBoundingClientRect().height), innerHeight]"
        )
        if "/f/" in frame.url and {handle.evaluate("e => e.clientHeight")} == set(sizes):
            return frame
        page.evaluate("() => new Promise(requestAnimationFrame)")
    pytest.fail("the frame never fitted its page")


def until(page: Page, condition: str) -> None:
    """Wait for a condition; Playwright's own way evaluates text, which the policy forbids."""
    page.evaluate(
        f"""() => new Promise((done, failed) => {{
            setTimeout(() => failed(new Error("it never happened")), 10000);
            const look = () => ({condition}) ? done() : requestAnimationFrame(look);
            look();
        }})"""
    )
