"""What a visitor does with a form, in a window of its own or in a frame."""

import time
from typing import Any

import pytest
from playwright.sync_api import Error, Frame, FrameLocator, Page, expect

ANSWERS = {"name": "Ada Lovelace", "email": "ada@example.com"}


def fill_in(where: Page | Frame | FrameLocator, **answers: str) -> None:
    """Fill in what the form demands."""
    for name, answer in (ANSWERS | answers).items():
        where.locator(f"[name={name}]").fill(answer)
    where.locator("[name=privacy]").check()


def send(where: Page | Frame | FrameLocator) -> None:
    """Press the button."""
    where.locator("button[type=submit]").click()


def thanked(where: Page | Frame | FrameLocator) -> None:
    """Wait for the thank-you page."""
    expect(where.get_by_role("heading", level=1)).to_have_text("Thank you")


def frame_of(page: Page, index: int = 0) -> Frame:
    """The document in a frame of the page."""
    handle = page.locator("iframe").nth(index).element_handle()
    frame = handle.content_frame()
    assert frame
    return frame


_SIZES = """() => new Promise((done) => setTimeout(() => done({
    wanted: Math.ceil(document.body.getBoundingClientRect().height),
    room: innerHeight,
    scrolls: document.documentElement.scrollHeight,
    bar: innerWidth - document.documentElement.clientWidth,
}), 20))"""


def fitted(page: Page, index: int = 0) -> Frame:
    """Wait until a frame is exactly as tall as its page and has no scroll bar; return its page."""
    frame = frame_of(page, index)
    # Out of sight, the browser may put off telling the inner page how tall it is.
    page.locator("iframe").nth(index).scroll_into_view_if_needed()
    deadline = time.monotonic() + 20
    sizes: dict[str, Any] = {}
    while time.monotonic() < deadline:
        try:
            frame.wait_for_load_state()
            sizes = frame.evaluate(_SIZES)
        except Error:  # between two pages
            continue
        if sizes["wanted"] == sizes["room"] == sizes["scrolls"] and sizes["bar"] == 0:
            return frame
    pytest.fail(f"the frame never fitted its page: {sizes}")


def until(page: Page | Frame, condition: str) -> None:
    """Wait for a condition; Playwright's own way evaluates text, which a strict policy forbids."""
    page.evaluate(
        f"""() => new Promise((done, failed) => {{
            setTimeout(() => failed(new Error("it never happened: " + {condition!r})), 10000);
            const look = () => ({condition}) ? done() : setTimeout(look, 10);
            look();
        }})"""
    )
