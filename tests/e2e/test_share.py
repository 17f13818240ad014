"""The demo's page of what to paste, and that a post of its HTML form becomes a contact."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.demo import Demo
from tests.web.pages import Page as Markup

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_demo_opens_its_page_of_snippets_to_everybody(
    demo: Demo, open_page: Callable[..., Page]
) -> None:
    address = f"{demo.web}/f/contact/share"
    assert address in demo.printed.read_text()
    page = open_page(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Put this form on your website")
    expect(page.locator("#origins")).to_contain_text(demo.sandbox)
    markup = Markup(page.locator("#html-text").text_content() or "")
    assert markup.action == f"{demo.web}/f/contact"
    assert {"name", "email", "message", "_gotcha"} <= set(markup.sent)
