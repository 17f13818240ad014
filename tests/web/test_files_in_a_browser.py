"""The script of forms with files, in Chromium: lists, checks, sends, and shows errors in place."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from formapp.forms.form import Form
from tests.web.running import Running
from tests.web.support import SiteMaker
from tests.web.test_files import PNG, ROOF, compiled, files_of


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    return {"roof": compiled(ROOF)}


@pytest.fixture
def running(make_site: SiteMaker) -> Iterator[Running]:
    running = Running(make_site())
    yield running
    running.stop()


def chosen(name: str, content: bytes) -> Any:
    return {"name": name, "mimeType": "image/png", "buffer": content}


@pytest.mark.browser
def test_files_are_listed_checked_and_kept_after_an_error(
    running: Running, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(f"http://localhost:{running.address[1]}/f/roof")
    photos = page.get_by_label("Photos")
    photos.set_input_files([chosen("big.png", PNG + b"\0" * 200_000)])
    page.get_by_role("button", name="Send").click()
    expect(page.locator("output").first).to_contain_text("Choose a file of no more than 100 kB.")
    photos.set_input_files([chosen("roof.png", PNG)])
    expect(page.locator("output").first).to_have_text("roof.png (58 B)")
    page.get_by_label("E-mail").fill("x")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Send roof.png (58 B)")).to_be_checked()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Photos").set_input_files([chosen("more.png", PNG)])
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/thanks*")
    assert [each.name for each in files_of(running.site)] == ["roof.png", "more.png"]
    page.close()
