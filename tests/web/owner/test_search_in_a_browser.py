"""A search among very many leads: its page goes on by itself until it is full, or has seen all."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from formapp.leads.lead_filter import LeadFilter
from formapp.leads.search import count_leads, iterate_ids
from tests.support.browser import DESKTOP, PHONE, axe_violations
from tests.support.many_leads import fill_leads
from tests.web.owner.busy import Office, running_office
from tests.web.owner.inbox import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with running_office(tmp_path_factory.mktemp("search")) as office:
        fill_leads(office.site.database, 12_000)
        yield office


def _signed_in(browser: Browser, office: Office, width: int, *, script: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=script
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{office.address}/inbox")
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("heading", name="Leads")).to_be_visible()
    return page


def _sparse() -> tuple[LeadFilter, str]:
    """Return a filter of which each part has very many, and the query of its page."""
    day = (datetime.now(UTC) - timedelta(days=150)).replace(hour=0, minute=0, second=0)
    wanted = LeadFilter(
        search="given3",
        states=("failed",),
        forms=("form3",),
        since=day.replace(microsecond=0),
    )
    return wanted, f"search=given3&state=failed&form=form3&since={day:%Y-%m-%d}"


def _shown(page: Page) -> list[str]:
    """Return the ids of the leads on a page."""
    links = page.locator("table.leads tbody th a").evaluate_all("all => all.map(a => a.href)")
    return [address.rsplit("/", 1)[-1] for address in links]


def test_it_goes_on_until_all_is_searched(browser: Browser, office: Office) -> None:
    wanted, query = _sparse()
    ids = [*iterate_ids(office.site.database, wanted)]
    assert count_leads(office.site.database, wanted).number < len(ids) < 50
    page = _signed_in(browser, office, PHONE)
    page.goto(f"{office.address}/inbox/leads?{query}")
    expect(page.locator("[data-found]")).to_have_text(f"{len(ids)} leads")
    assert _shown(page) == ids
    expect(page.get_by_text("Searched so far")).to_have_count(0)
    expect(page.get_by_role("navigation", name="Pages")).to_have_count(0)
    expect(page.get_by_role("link", name="Export these leads")).to_be_visible()
    assert axe_violations(page) == []
    page.context.close()


def test_it_stops_once_the_page_is_full(browser: Browser, office: Office) -> None:
    wanted = LeadFilter(search="given3", states=("failed",))
    ids = [*iterate_ids(office.site.database, wanted)]
    page = _signed_in(browser, office, DESKTOP)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{office.address}/inbox/leads?search=given3&state=failed")
    expect(page.get_by_role("link", name="Older leads")).to_be_visible()
    shown = _shown(page)
    assert 50 <= len(shown) < 100
    expect(page.locator("[data-found]")).to_have_text(f"{len(shown)}+ leads")
    assert shown == ids[: len(shown)]
    assert sum("after=" in url for url in asked) == 1
    page.get_by_role("link", name="Older leads").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    assert shown + _shown(page) == ids[: len(shown) + 50]
    page.context.close()


def test_it_says_in_the_end_that_none_fits(browser: Browser, office: Office) -> None:
    page = _signed_in(browser, office, PHONE)
    page.goto(f"{office.address}/inbox/leads?search=given3+given4")
    expect(page.get_by_role("heading", name="No lead fits")).to_be_visible()
    expect(page.get_by_role("link", name="Export these leads")).to_have_count(0)
    expect(page.locator("[data-found]")).to_have_text("None found")
    expect(page.get_by_text("Searched so far")).to_have_count(0)
    assert axe_violations(page) == []
    page.context.close()


def test_the_link_that_goes_on_keeps_the_focus(browser: Browser, office: Office) -> None:
    page = _signed_in(browser, office, DESKTOP)
    held: list[Route] = []
    page.route("**/inbox/leads?*after=*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.goto(f"{office.address}/inbox/leads?search=given3&state=failed")
    link = page.get_by_role("link", name="Search further back")
    link.focus()
    expect(page.locator("[aria-busy=true]")).to_have_count(1)
    held.pop().continue_()
    expect(page.get_by_role("link", name="Older leads")).to_be_focused()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.context.close()


def test_a_later_page_does_not_say_how_many_there_are(browser: Browser, office: Office) -> None:
    page = _signed_in(browser, office, DESKTOP)
    newest = max(iterate_ids(office.site.database, LeadFilter()))
    page.goto(f"{office.address}/inbox/leads?search=given3+given4&after={newest}")
    expect(page.get_by_role("heading", name="No lead fits")).to_be_visible()
    expect(page.locator("[data-found]")).to_have_text("")
    page.context.close()


def test_where_the_server_does_not_answer_the_link_stays(browser: Browser, office: Office) -> None:
    page = _signed_in(browser, office, DESKTOP)
    page.route("**/inbox/leads?*after=*", lambda route: route.abort())
    page.goto(f"{office.address}/inbox/leads?search=given3+given4")
    expect(page.locator("[data-found]")).to_have_text("None found yet")
    expect(page.get_by_role("heading", name="None among these")).to_be_visible()
    expect(page.get_by_role("link", name="Search further back")).to_be_visible()
    page.context.close()


def test_without_a_script_a_link_goes_on(browser: Browser, office: Office) -> None:
    wanted, query = _sparse()
    ids = [*iterate_ids(office.site.database, wanted)]
    page = _signed_in(browser, office, DESKTOP, script=False)
    page.goto(f"{office.address}/inbox/leads?{query}")
    expect(page.get_by_text("Searched so far")).to_be_visible()
    first = _shown(page)
    expect(page.locator("[data-found]")).to_have_text(f"{len(first)}+ leads")
    page.get_by_role("link", name="Search further back").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    assert first + _shown(page) == ids
    page.context.close()
