"""The inbox in a browser: accessible and unclipped at three widths, light and dark, by keyboard."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from formapp.delivery.results import Attempt, Result, finish, give_up
from formapp.leads.accept import Status
from formapp.server import Server, listen
from tests.support.browser import DESKTOP, PHONE, axe_violations
from tests.support.claiming import claim_next
from tests.web.forms import load
from tests.web.owner.inbox import HOSTILE, PASSWORD, send
from tests.web.support import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABLET = 768
LONG = "Catarina Maria-José von Hohenzollern-Sigmaringen zu Castell-Rüdenhausen" + "x" * 60


@dataclass
class Office:
    """A running site with leads of every kind."""

    site: Site
    address: str
    failed: str
    delivered: str
    held: str


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    folder = tmp_path_factory.mktemp("inbox")
    site = Site.build(folder, forms=load(), BASE_URL=address, OWNER_PASSWORD=PASSWORD)
    office = _fill(site, address)
    server = Server(site.app, listener)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield office
    server.stop()
    thread.join(20)
    site.database.close()


def _fill(site: Site, address: str) -> Office:
    now = datetime.now(UTC)
    names = [LONG, HOSTILE, "محمد العربي", *(f"Ana {number}" for number in range(55))]
    for number, name in enumerate(names):
        send(site, name, at=now - timedelta(hours=7 * number))
    held = send(
        site,
        "Quentin",
        status=Status.QUARANTINED,
        at=now,
        meta={"suspect": ["many links in the texts"]},
        unknown={"budget": "5,000"},
        consents=[{"field": "privacy", "text": "I agree.", "at": now.isoformat()}],
    )
    settled: dict[str, str] = {}
    calls = [{"operation": "createContact", "status": 400, "code": "X", "request_id": "r", "ms": 3}]
    for result in ("failed", "delivered"):
        claim = claim_next(site.database, ["main"], now)
        assert claim
        settled[result] = claim.submission_id
        attempt = Attempt(now, result, 12, calls, "createContact", 400, "INVALID_ARGUMENT")
        if result == "failed":
            give_up(site.database, claim, attempt, "Wix refused: info.phones must be a number")
        else:
            change = {"field": "company", "result": "kept", "before": "x" * 200, "given": LONG}
            finish(site.database, claim, attempt, Result("updated", "c1", (), [change]))  # type: ignore[list-item]
    return Office(site, address, settled["failed"], settled["delivered"], held)


def signed_in(
    browser: Browser, office: Office, width: int, scheme: Literal["light", "dark"]
) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{office.address}/inbox")
    assert axe_violations(page) == []
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("heading", name="Leads")).to_be_visible()
    return page


@pytest.mark.parametrize(
    ("width", "scheme"), [(DESKTOP, "dark"), (TABLET, "light"), (PHONE, "dark"), (PHONE, "light")]
)
def test_every_page_is_accessible_and_unclipped(
    browser: Browser, office: Office, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = signed_in(browser, office, width, scheme)
    paths = [
        *("/inbox/leads", "/inbox/leads?search=nothing&form=lead", "/inbox/overview"),
        *(f"/inbox/leads/{office.failed}", f"/inbox/leads/{office.delivered}"),
        *(f"/inbox/leads/{office.held}", f"/inbox/leads/{office.failed}/correct"),
        *(f"/inbox/leads/{office.failed}/erase", "/inbox/export"),
        *("/inbox/forms", "/inbox/forms/lead", f"/inbox/leads/{office.failed}/release"),
    ]
    for path in paths:
        page.goto(f"{office.address}{path}")
        assert axe_violations(page) == [], path
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, path
    page.context.close()


def test_a_page_of_twice_the_size_still_fits(browser: Browser, office: Office) -> None:
    """As a browser of 1280 at 200 %: WCAG 1.4.10 goes down to 320."""
    page = signed_in(browser, office, 320, "light")
    for path in ("/inbox/leads", f"/inbox/leads/{office.failed}", "/inbox/overview"):
        page.goto(f"{office.address}{path}")
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, path
    page.context.close()


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on a control of this name."""
    for _ in range(60):
        page.keyboard.press("Tab")
        text = page.evaluate(
            "(at => at.innerText || at.labels?.[0]?.innerText || '')(document.activeElement)"
        )
        if name in text:
            return
    raise AssertionError(f"Tab never reached {name}")


def test_the_keyboard_alone_finds_a_lead_and_marks_it_as_spam(
    browser: Browser, office: Office
) -> None:
    page = signed_in(browser, office, DESKTOP, "light")
    page.goto(f"{office.address}/inbox/leads")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    _tab_to(page, "Name, e-mail, phone or id")
    page.keyboard.type("ana 30")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    _tab_to(page, "Ana 30")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana 30")
    _tab_to(page, "Mark as spam")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mark as spam?")
    _tab_to(page, "Mark as spam")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("It is in quarantine now.")
    page.context.close()


def test_the_overview_refreshes_and_keeps_focus_and_place(browser: Browser, office: Office) -> None:
    page = signed_in(browser, office, PHONE, "light")
    page.clock.install()
    page.goto(f"{office.address}/inbox/overview")
    page.get_by_text("The numbers").click()
    page.evaluate("scrollTo(0, 300)")
    before = page.evaluate("scrollY")
    page.locator(".figure").first.evaluate("node => node.textContent = 'old'")
    page.clock.run_for(31_000)
    expect(page.locator(".figure").first).not_to_have_text("old")
    # The table that the reader has opened is still open, and the page where it was.
    expect(page.locator("section details").first).to_have_attribute("open", "")
    assert page.evaluate("scrollY") == before
    page.context.close()
