"""Where a form can't be shown or sent, visitor and owner are told why, and lose nothing."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from formapp.monitoring.refused_origins import find_refused
from tests.support.browser import axe_violations
from tests.uses.conftest import World
from tests.uses.visitors import fill_in, send, thanked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]
INSTEAD = "The form can't be shown here"


def counted(world: World) -> dict[str, int]:
    found = find_refused(world.site.database, datetime.now(UTC).date())
    return {f"{each.form} {each.origin}": each.count for each in found}


def instead(page: Page, world: World) -> None:
    """Check the link that stands in the frame's place, and follow it."""
    link = page.get_by_role("link", name=INSTEAD)
    expect(link).to_be_visible()
    expect(page.locator("iframe")).to_be_hidden()
    assert axe_violations(page) == []
    with page.expect_popup() as popup:
        link.click()
    assert popup.value.url.startswith(f"{world.origin}/f/lead?utm_source=letter")
    fill_in(popup.value)
    send(popup.value)
    thanked(popup.value)
    assert world.one().meta["utm"] == {"utm_source": "letter"}


@pytest.fixture(autouse=True)
def the_browser_says_so_too(world: World) -> None:
    """Every refusal here is one of the browser's, or has a status of its own."""
    world.forgiven = (
        "violates the following",
        "refused to connect",
        "responded with a status of 4",
        "Blocked form submission",
        "Blocked script execution",
        "can escape its sandbox",
    )


def test_a_page_that_isnt_listed_gets_a_link_and_its_owner_the_reason(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(world.evil.page(world.snippet()) + "?utm_source=letter")
    instead(page, world)
    [said] = world.warnings()
    assert f'Add "{world.evil.origin}" to origins in lead.toml' in said
    assert counted(world) == {f"lead {world.evil.origin}": 1}


def test_a_script_of_a_page_that_isnt_listed_leaves_a_trace_for_the_owner(
    world: World, open_page: OpenPage
) -> None:
    world.forgiven += ("blocked by CORS policy", "net::ERR_FAILED")
    page = open_page(world.evil.page("<p>x</p>"))
    post = "fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'})"
    said = page.evaluate(f"url => {post}.catch(error => error.name)", f"{world.origin}/f/lead")
    assert said == "TypeError"
    assert counted(world) == {f"lead {world.evil.origin}": 1}


def test_a_page_whose_policy_forbids_frames_gets_a_link_at_once(
    world: World, open_page: OpenPage
) -> None:
    policy = f"script-src {world.origin}; frame-src 'self'"
    page = open_page(
        world.listed.page(world.snippet(), Content_Security_Policy=policy) + "?utm_source=letter"
    )
    # Long before the patience with a frame that says nothing ends.
    expect(page.get_by_role("link", name=INSTEAD)).to_be_visible(timeout=2000)
    assert [f'Add "frame-src {world.origin}"' in said for said in world.warnings()] == [True]


def test_a_policy_that_only_reports_changes_nothing(world: World, open_page: OpenPage) -> None:
    page = open_page(
        world.listed.page(world.snippet(), Content_Security_Policy_Report_Only="frame-src 'self'")
    )
    frame = page.frame_locator("iframe")
    fill_in(frame)
    send(frame)
    thanked(frame)
    expect(page.get_by_role("link", name=INSTEAD)).to_have_count(0)
    assert world.warnings() == []


def test_an_unknown_form_and_a_server_that_is_away_get_a_link_too(
    world: World, open_page: OpenPage
) -> None:
    line = world.snippet("nothing", 'data-link="Ask us in a window of its own" async')
    page = open_page(world.listed.page(line))
    expect(page.get_by_role("link", name="Ask us in a window of its own")).to_be_visible()
    [said] = world.warnings()
    assert '"nothing"' in said


def test_a_page_in_a_sandbox_has_no_origin_that_could_be_listed(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(
        world.listed.page(
            world.snippet(), Content_Security_Policy="sandbox allow-scripts allow-popups"
        )
    )
    expect(page.get_by_role("link", name=INSTEAD)).to_be_visible()
    [said] = world.warnings()
    assert "The page has no origin" in said


@pytest.mark.parametrize("popups", ["", " allow-popups"])
def test_a_sandbox_without_its_origin_is_told_before_anything_is_typed(
    world: World, open_page: OpenPage, popups: str
) -> None:
    attributes = f'sandbox="allow-forms allow-scripts{popups}"'
    page = open_page(world.partner.page(world.iframe(attributes=attributes)))
    frame = page.frame_locator("iframe")
    notice = frame.get_by_role("alert")
    expect(notice).to_contain_text("can't be sent from this page")
    expect(notice).to_contain_text("allow-same-origin")
    # A frame that opens no window shows where to go.
    expect(notice.get_by_role("link")).to_have_text(f"{world.origin}/f/lead")
    fill_in(frame)
    send(frame)
    # Sent all the same, it is refused in words.
    expect(frame.get_by_role("heading", level=1)).to_have_text("You can't do this from here")
    expect(frame.locator("main")).to_contain_text("new window")
    assert world.kept() == []


def test_without_scripts_such_a_sandbox_is_refused_in_words(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(world.partner.page(world.iframe(attributes='sandbox="allow-forms"')))
    frame = page.frame_locator("iframe")
    fill_in(frame)
    send(frame)
    expect(frame.locator("main")).to_contain_text("new window")
    assert world.kept() == []


def test_a_sandbox_without_forms_is_told_when_the_button_does_nothing(
    world: World, open_page: OpenPage
) -> None:
    attributes = 'sandbox="allow-scripts allow-same-origin"'
    page = open_page(world.partner.page(world.iframe(attributes=attributes)))
    frame = page.frame_locator("iframe")
    fill_in(frame)
    expect(frame.locator("#blocked")).to_be_hidden()
    send(frame)
    notice = frame.get_by_role("alert")
    expect(notice).to_contain_text("allow-forms")
    expect(notice).to_be_focused()
    expect(frame.locator("[name=email]")).to_have_value("ada@example.com")
    assert world.kept() == []
