"""The main job in a real browser: fill in wrongly, then rightly, and see the contact arrive."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import DESKTOP, PHONE, axe_violations
from tests.support.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Page]


def _fill_in(page: Page, company: str = "") -> None:
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Company").fill(company)
    page.get_by_label("Message").fill("Can it compose music?")
    page.get_by_role("checkbox").check()


def _send(page: Page) -> None:
    page.locator("form button").click()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_lead_filled_in_wrongly_then_rightly_becomes_one_contact(
    demo: Demo, open_page: Open, artefacts: Path, width: int, scheme: str
) -> None:
    page = open_page(f"{demo.web}/f/contact?utm_source=e2e", width=width, scheme=scheme)
    page.screenshot(path=artefacts / f"form-{width}-{scheme}.png", full_page=True)
    assert axe_violations(page) == []

    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill("ada at example")
    page.get_by_label("Message").fill("Can it compose music?")
    _send(page)
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    page.screenshot(path=artefacts / f"errors-{width}-{scheme}.png", full_page=True)
    assert axe_violations(page) == []
    expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("E-mail")).to_have_value("ada at example")
    expect(page.get_by_label("Message")).to_have_value("Can it compose music?")
    summary.get_by_role("link", name=re.compile("e-mail")).click()
    expect(page.get_by_label("E-mail")).to_be_focused()

    _fill_in(page)
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    page.screenshot(path=artefacts / f"thanks-{width}-{scheme}.png", full_page=True)
    assert axe_violations(page) == []

    contact = demo.contact_when(lambda _contact: True)
    assert contact["info"]["name"] == {"first": "Ada", "last": "Lovelace"}
    assert contact["primaryInfo"]["email"] == "ada@example.com"
    assert contact["info"]["labelKeys"]["items"]
    assert "Can it compose music?" in contact["info"]["extendedFields"]["items"].values()

    contacts = open_page(f"{demo.sandbox}/", width=width, scheme=scheme)
    expect(contacts.get_by_text("Ada Lovelace").first).to_be_visible()
    contacts.screenshot(path=artefacts / f"contacts-{width}-{scheme}.png", full_page=True)
    assert axe_violations(contacts) == []


def test_the_same_person_with_a_company_completes_the_same_contact(
    demo: Demo, open_page: Open
) -> None:
    page = open_page(f"{demo.web}/f/contact")
    _fill_in(page)
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    first = demo.contact_when(lambda _contact: True)
    page.goto(f"{demo.web}/f/contact")
    _fill_in(page, company="Engines Ltd")
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    second = demo.contact_when(lambda contact: contact["info"].get("company") == "Engines Ltd")
    assert second["id"] == first["id"]


def test_reloading_and_going_back_make_no_second_submission(demo: Demo, open_page: Open) -> None:
    page = open_page(f"{demo.web}/f/contact")
    _fill_in(page)
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    before = demo.contact_when(lambda _contact: True)
    page.reload()
    page.go_back()
    expect(page.get_by_label("E-mail")).to_have_value("ada@example.com")
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    # A second submission would be delivered within a second; its look-up would be a call.
    time.sleep(1.5)
    assert demo.contact_when(lambda _contact: True) == before
    metrics = page.request.get(f"{demo.web}/metrics").text()
    repeated = re.search(
        r'formapp_submissions_total\{form="contact",result="repeated"\} (\S+)', metrics
    )
    assert repeated
    assert float(repeated[1]) >= 1


def test_everything_works_with_javascript_off(demo: Demo, open_page: Open) -> None:
    page = open_page(f"{demo.web}/f/contact", javascript=False)
    _send(page)
    expect(page.get_by_role("alert")).to_be_visible()
    _fill_in(page)
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")
    demo.contact_when(lambda _contact: True)


def test_the_contact_is_there_within_a_second_of_the_answer(demo: Demo, open_page: Open) -> None:
    page = open_page(f"{demo.web}/f/newsletter")
    page.get_by_label("E-mail").fill("warm-up@example.com")
    page.get_by_role("checkbox").check()
    _send(page)
    demo.contact_when(lambda _contact: True)
    page.goto(f"{demo.web}/f/newsletter")
    page.get_by_label("E-mail").fill("quick@example.com")
    page.get_by_role("checkbox").check()
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    deadline = time.monotonic() + 1
    while len(demo.contacts()) < 2:
        assert time.monotonic() < deadline, "it took more than a second"
        time.sleep(0.02)


def test_a_quote_with_every_field_fills_the_contact(
    demo: Demo, open_page: Open, artefacts: Path
) -> None:
    page = open_page(f"{demo.web}/f/quote?utm_source=spring", width=PHONE)
    page.screenshot(path=artefacts / "quote-390-light.png", full_page=True)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("First name").fill("Grace")
    page.get_by_label("Last name").fill("Hopper")
    page.get_by_label("E-mail").fill("grace@example.com")
    page.get_by_label("Phone").fill("020 7946 0018")
    page.get_by_label("Website").fill("navy.example.com")
    page.get_by_label("Street and number").fill("1 Harbour Road")
    page.get_by_label("Town or city").fill("Plymouth")
    page.get_by_label("Country").select_option("GB")
    page.get_by_label("Something new").check()
    page.get_by_label("Delivery").check()
    page.get_by_label("Training").check()
    page.get_by_label("Budget").select_option("l")
    page.get_by_label("How many?").fill("12")
    for box in page.locator("input[type=checkbox][required]").all():
        box.check()
    for area in page.locator("textarea[required]").all():
        area.fill("A compiler, please.")
    _send(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")

    info = demo.contact_when(lambda _contact: True)["info"]
    assert info["name"] == {"first": "Grace", "last": "Hopper"}
    assert info["phones"]["items"][0]["e164Phone"] == "+442079460018"
    assert info["addresses"]["items"][0]["address"]["city"] == "Plymouth"
    values = info["extendedFields"]["items"].values()
    assert 12 in values
    assert "https://navy.example.com" in values
    assert "spring" in values
    assert "Delivery, Training" in values
    assert "custom.big-budget" in info["labelKeys"]["items"]


def test_the_form_works_embedded_on_another_site(
    demo: Demo, open_page: Open, artefacts: Path
) -> None:
    page = open_page(f"{demo.sandbox}/example/")
    assert axe_violations(page) == []
    frame = page.frame_locator("iframe")
    frame.locator("form button").click()
    expect(frame.get_by_role("alert")).to_be_visible()
    frame.get_by_label("Name").fill("Ada Lovelace")
    frame.get_by_label("E-mail").fill("ada@example.com")
    frame.get_by_label("Message").fill("From a harbour.")
    frame.get_by_role("checkbox").check()
    page.screenshot(path=artefacts / "embedded-1280-light.png", full_page=True)
    inner = page.frames[1]
    assert inner.evaluate("document.documentElement.scrollHeight <= innerHeight")
    frame.locator("form button").click()
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Thank you")
    demo.contact_when(lambda _contact: True)


def test_the_demo_prints_the_addresses_that_a_newcomer_needs(demo: Demo) -> None:
    printed = demo.printed.read_text()
    for address in (f"{demo.web}/f/contact", f"{demo.sandbox}/example/", f"{demo.sandbox}/"):
        assert address in printed
