"""The pages of double opt-in in a real browser: what a person sees, presses and reads."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESKTOP, PHONE, axe_violations
from tests.web.public.test_confirmation import MAIL, link, news
from tests.web.running import Running
from tests.web.support import SiteMaker

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots go: looked at by people, never committed."""
    folder = Path(os.environ.get("FORMAPP_ARTEFACTS", "artifacts"))
    folder.mkdir(exist_ok=True)
    return folder.absolute()


@pytest.fixture
def running(make_site: SiteMaker) -> Iterator[Running]:
    running = Running(make_site(forms={"news": news()}, **MAIL))
    yield running
    running.stop()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_visitor_signs_up_looks_at_the_link_and_confirms(
    running: Running, browser: Browser, artefacts: Path, width: int, scheme: str
) -> None:
    said: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))

    def look(name: str) -> None:
        page.screenshot(path=artefacts / f"{name}-{width}-{scheme}.png", full_page=True)
        assert axe_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    origin = f"http://localhost:{running.address[1]}"
    page.goto(f"{origin}/f/news")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_role("checkbox").check()
    page.get_by_role("button").click()
    _heading(page, "Check your e-mail")
    look("asked")

    path = link(running.site.row().id)
    page.goto(origin + path)
    _heading(page, "One more step")
    expect(page.get_by_text("Send me the newsletter.")).to_be_visible()
    look("confirm")
    assert running.site.row().status == "unconfirmed"
    page.get_by_role("button", name="Yes, I confirm").click()
    _heading(page, "Welcome")
    assert urlsplit(page.url).path == "/f/news/thanks"
    assert running.site.row().status == "accepted"

    page.goto(origin + path)
    _heading(page, "Thank you for confirming")
    look("confirmed")
    assert said == []
    page.goto(origin + path[:-3])
    _heading(page, "This link doesn't work")
    look("link-invalid")
    page.get_by_role("link").click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert context.cookies() == []
    context.close()


def _heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
