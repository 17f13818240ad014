"""The inbox in a browser: accessible and unclipped at three widths, light and dark, by keyboard."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESKTOP, PHONE, axe_violations
from tests.web.owner.busy import Office, running_office
from tests.web.owner.inbox import PASSWORD, send

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABLET = 768


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with running_office(tmp_path_factory.mktemp("inbox")) as office:
        yield office


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
        *(f"/inbox/leads/{office.held}", f"/inbox/leads/{office.unconfirmed}"),
        f"/inbox/leads/{office.failed}/correct",
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
    paths = ("/inbox/leads", f"/inbox/leads/{office.failed}", "/inbox/overview")
    for path in (*paths, "/inbox/forms", "/inbox/forms/lead"):
        page.goto(f"{office.address}{path}")
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, path
    page.locator(".account summary").click()
    button = page.get_by_role("button", name="Sign out everywhere")
    expect(button).to_be_in_viewport(ratio=1)
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


ACTIONS = {
    "Try again now": ("failed", "It is tried again now."),
    "Release it": ("held", "It is released."),
    "Send the mail again": ("unconfirmed", "The mail is sent again now."),
    "Erase this person": ("delivered", "The person is erased."),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_the_keyboard_alone_acts_on_a_lead(browser: Browser, office: Office, action: str) -> None:
    which, said = ACTIONS[action]
    page = signed_in(browser, office, PHONE, "dark")
    page.goto(f"{office.address}/inbox/leads/{getattr(office, which)}")
    _tab_to(page, action)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{action}?")
    assert axe_violations(page) == []
    _tab_to(page, action)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(said)
    page.context.close()


def test_the_keyboard_alone_corrects_the_answers_of_a_lead(
    browser: Browser, office: Office
) -> None:
    page = signed_in(browser, office, PHONE, "light")
    page.goto(f"{office.address}/inbox/leads/{office.to_correct}")
    _tab_to(page, "Correct the answers")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Correct the answers")
    _tab_to(page, "Name")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    _tab_to(page, "Correct and try again")
    page.keyboard.press("Enter")
    # The faults have the focus; the first link in them leads to the field.
    expect(page.get_by_role("alert")).to_be_focused()
    assert axe_violations(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Corrected")
    page.keyboard.press("Enter")
    done = "The answers are corrected; it is tried again now."
    expect(page.get_by_role("status")).to_have_text(done)
    expect(page.get_by_role("heading", level=1)).to_have_text("Corrected")
    page.context.close()


@pytest.mark.parametrize("button", ["Sign out", "Sign out everywhere"])
def test_the_keyboard_alone_signs_out(browser: Browser, office: Office, button: str) -> None:
    pages = [signed_in(browser, office, DESKTOP, "light") for _ in range(2)]
    _tab_to(pages[0], "Signed in as")
    pages[0].keyboard.press("Enter")
    expect(pages[0].get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    assert axe_violations(pages[0]) == []
    _tab_to(pages[0], button)
    pages[0].keyboard.press("Enter")
    expect(pages[0].get_by_label("Password")).to_be_visible()
    # The other browser is signed out by the second button alone.
    pages[1].reload()
    ended = pages[1].get_by_label("Password")
    still_in = pages[1].get_by_role("heading", name="Leads")
    expect(still_in if button == "Sign out" else ended).to_be_visible()
    for page in pages:
        page.context.close()


def test_the_keyboard_alone_exports_what_the_list_shows(browser: Browser, office: Office) -> None:
    page = signed_in(browser, office, DESKTOP, "dark")
    page.goto(f"{office.address}/inbox/leads?search=ana+4")
    _tab_to(page, "Export these leads")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Export")
    for link, name, begin in (
        ("For Excel", "lead.csv", b"\xef\xbb\xbf"),
        ("JSON Lines", "leads.jsonl", b'{"'),
    ):
        _tab_to(page, link)
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename == name
        written = download.value.path().read_bytes()
        assert written.startswith(begin)
        assert b"Ana 44" in written
        assert b"Ana 30" not in written
    page.context.close()


def test_the_keyboard_alone_opens_what_a_form_has_at_wix_and_its_snippets(
    browser: Browser, office: Office
) -> None:
    page = signed_in(browser, office, DESKTOP, "dark")
    page.goto(f"{office.address}/inbox/forms/lead")
    preview = page.frame_locator("iframe.preview")
    expect(preview.get_by_role("heading", name="Every kind of field")).to_be_visible()
    page.get_by_role("heading", name="Where its leads came from").click()
    _tab_to(page, "labels")
    page.keyboard.press("Enter")
    expect(page.locator(".names").first).to_be_visible()
    assert axe_violations(page) == []
    page.context.close()


def test_beginning_to_fill_in_counts_once_and_the_policy_lets_it(
    browser: Browser, office: Office
) -> None:
    send(office.site, "Zoe", email="zoe@example.com", meta={"use": "page"})
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{office.address}/f/lead")
    with page.expect_response("**/f/lead/started") as counted:
        page.get_by_label("Name").press_sequentially("Ada")
    assert counted.value.status == 204
    assert (said, context.cookies()) == ([], [])
    context.close()
    page = signed_in(browser, office, DESKTOP, "light")
    page.goto(f"{office.address}/inbox/overview")
    row = page.get_by_role("row").filter(has_text="%").first
    # 20 days with 20 each, and this one.
    expect(row.get_by_role("cell").nth(1)).to_have_text("401")
    page.context.close()
