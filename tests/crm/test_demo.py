"""`formapp demo --crm`: a lead reaches the address book, an edit there reaches Wix, no loop."""

import importlib.util
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from formapp.cli import demo_crm
from tests.crm.davservers import AddressBook
from tests.support.browser import DESKTOP, PHONE, axe_violations
from tests.support.processes import Commands, end, free_port, wait_for

pytestmark = pytest.mark.slow
SECONDS = 30_000


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    web: str
    page: str
    cards: AddressBook


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """With an address book in which somebody is already, and started for the second time."""
    commands, (web, sandbox, dav) = Commands(tmp_path), (free_port() for _ in range(3))
    ports = ("--port", str(web), "--sandbox-port", str(sandbox), "--crm-port", str(dav))
    cards = AddressBook(f"http://127.0.0.1:{dav}/shop/contacts/", None)
    for _ in range(2):
        process = commands.start("demo", "--crm", *ports)
        wait_for(f"http://127.0.0.1:{web}/readyz", 60)
        if not cards.call("GET", "eva.vcf").ok:
            cards.put("eva.vcf", _card("Eva", "Novak"))
            assert end(process) == 0
    yield Demo(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{sandbox}/crm/", cards)
    assert end(process) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(cards.url, timeout=5)
    commands.close()


def _card(first: str, last: str) -> str:
    lines = ("UID:eva", f"FN:{first} {last}", f"N:{last};{first};;;", "EMAIL:eva@example.com")
    text = "\r\n".join(("BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD"))
    return f"{text}\r\n"


def _send_lead(page: Page) -> None:
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Message").fill("Can it compose music?")
    page.get_by_role("checkbox").check()
    page.locator("form button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")


@pytest.mark.browser
def test_the_demo_shows_a_lead_and_an_edit_on_both_sides_and_then_no_call(
    demo: Demo, browser: Browser
) -> None:
    artefacts = Path(os.environ.get("FORMAPP_ARTEFACTS", "artifacts"))
    artefacts.mkdir(exist_ok=True)
    context = browser.new_context(viewport={"width": PHONE, "height": 900})
    page, form = context.new_page(), context.new_page()
    page.goto(demo.page)
    cards, contacts = page.locator("#cards"), page.locator("#contacts")
    expect(contacts).to_contain_text("Eva Novak", timeout=SECONDS)

    form.goto(f"{demo.web}/f/contact")
    _send_lead(form)
    expect(contacts).to_contain_text("Ada Lovelace", timeout=SECONDS)
    expect(cards).to_contain_text("Ada Lovelace", timeout=SECONDS)

    # An edit on the page, and one by another program.
    cards.get_by_text("Ada Lovelace").click()
    cards.get_by_label("Last name").nth(0).fill("King")
    page.screenshot(path=artefacts / "demo-crm-editing.png", full_page=True)
    assert axe_violations(page) == []
    cards.get_by_role("button", name="Save").nth(0).click()
    expect(contacts).to_contain_text("Ada King", timeout=SECONDS)
    demo.cards.put("eva.vcf", _card("Eva", "Silva"))
    expect(contacts).to_contain_text("Eva Silva", timeout=SECONDS)

    # A card of the page's own, and its end: the surviving contact is marked.
    page.get_by_text("Add a card").click()
    page.locator("#new").get_by_label("First name").fill("Bo")
    page.locator("#new").get_by_label("E-mails").fill("bo@example.com")
    page.get_by_role("button", name="Add").click()
    expect(contacts).to_contain_text("bo@example.com", timeout=SECONDS)
    _expect_no_more_calls(page)
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    page.screenshot(path=artefacts / "demo-crm-wide.png", full_page=True)
    page.set_viewport_size({"width": PHONE, "height": 900})
    page.screenshot(path=artefacts / "demo-crm-phone.png", full_page=True)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    context.close()


def _expect_no_more_calls(page: Page) -> None:
    """Both sides are looked at three times more, and nothing is written."""
    rows, looks = page.locator("#calls tbody"), page.locator("#calls b").nth(1)
    first = int(looks.inner_text())
    before = ""
    while before != rows.inner_html():
        before = rows.inner_html()
        shown = int(looks.inner_text())
        expect(looks).to_have_text(re.compile(f"^({'|'.join(_later(shown))})$"), timeout=SECONDS)
    assert int(looks.inner_text()) >= first + 2


def _later(number: int) -> list[str]:
    return [str(number + more) for more in range(2, 40)]


def test_a_missing_address_book_server_is_installed_by_the_printed_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "pip" or None)
    with pytest.raises(click.ClickException) as refused:
        demo_crm.check_installed()
    line = refused.value.message.partition("\n")[2]
    assert shlex.split(line) == [sys.executable, "-m", "pip", "install", "radicale>=3.5"]
