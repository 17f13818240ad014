"""What axe-core looks at: a page or a frame, its ground, and how a visitor brings it about."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Page

from tests.support.browser import axe_violations
from tests.uses.conftest import World
from tests.uses.visitors import fitted, send

OpenPage = Callable[..., Page]
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
FORMS = pytest.mark.parametrize("form", ["lead", "hebrew", "themed"])
PLACES = pytest.mark.parametrize("place", ["page", "frame"])


def assert_accessible(page: Page, frame: Frame | None = None) -> None:
    """Demand that axe finds nothing, on the page and in its frame."""
    assert axe_violations(page) == []
    # axe-core looks into frames only where it runs in them.
    assert frame is None or axe_violations(frame) == []


def complete(where: Page | Frame) -> None:
    """Fill in whatever is demanded, in any language, press the button, and be thanked."""
    answer(where)
    where.locator(".thanks").wait_for()


def answer(where: Page | Frame) -> None:
    """Fill in whatever is demanded, in any language, and press the button."""
    for name, answer in {"name": "Ada", "email": "ada@example.com"}.items():
        for control in where.locator(f"[name={name}]").all():
            control.fill(answer)
    where.locator("[name=colour]").first.check()
    for box in where.locator("[name=privacy]").all():
        box.check()
    send(where)


def ground(page: Page, frame: Frame) -> None:
    """Give a frame the ground that is seen through it, which axe-core can't know."""
    light = page.evaluate(
        "matchMedia('(prefers-color-scheme: light)').matches"
        " || !document.querySelector('meta[name=color-scheme]')"
    )
    paint(frame, light=light)


def paint(frame: Frame, *, light: bool) -> None:
    """Give a frame a ground; one that no script tells the scheme around has the visitor's."""
    frame.evaluate(
        "(colour) => { document.documentElement.style.backgroundColor = colour; }",
        "#ffffff" if light else "#121212",
    )


def shown(world: World, open_page: OpenPage, form: str, scheme: str, place: str) -> Page:
    """Open a form in a window of its own, or in a frame of a listed site."""
    if place == "page":
        return open_page(f"{world.origin}/f/{form}", color_scheme=scheme)
    address = world.listed.page(world.snippet(form))
    return open_page(address, color_scheme=scheme, width=390)


def look(page: Page, place: str, selector: str, text: str = "") -> Page | Frame:
    """Wait until something is there, demand that axe finds nothing, and return where it is."""
    if place == "page":
        page.locator(selector, has_text=text).wait_for()
        assert_accessible(page)
        return page
    page.frame_locator("iframe").locator(selector, has_text=text).wait_for()
    frame = fitted(page)
    ground(page, frame)
    assert_accessible(page, frame)
    return frame
