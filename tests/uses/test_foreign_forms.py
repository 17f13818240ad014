"""Forms and scripts of other sites that post to a form of formapp, from where they may."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.uses.conftest import World
from tests.uses.kept import CAMPAIGN, UTM, assert_kept
from tests.uses.visitors import fill_in, frame_of, send, thanked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]

FOREIGN = """
<form method="post" action="{origin}/f/lead">
<label>Name <input name="name"></label>
<label>E-mail <input name="email"></label>
<label><input type="checkbox" name="privacy" value="yes"> I agree</label>
<input type="hidden" name="_next" value="{next}">
<input type="hidden" name="_subject" value="From the shop">
<button type="submit">Send</button>
</form>
"""


@pytest.mark.parametrize("javascript", [True, False])
def test_by_a_form_of_another_site(world: World, open_page: OpenPage, *, javascript: bool) -> None:
    done = world.partner.page("<p>Done</p>", "/done")
    address = world.partner.page(FOREIGN.format(origin=world.origin, next=done), "/own")
    page = open_page(f"{address}?{CAMPAIGN}", javascript=javascript)
    fill_in(page)
    send(page)
    page.wait_for_url(done)
    # Browsers tell another site the origin alone, unless the page says otherwise.
    assert_kept(world, "foreign", world.partner.origin + "/", _subject="From the shop", utm={})


def test_by_a_form_of_another_site_that_tells_its_whole_address(
    world: World, open_page: OpenPage
) -> None:
    html = FOREIGN.format(origin=world.origin, next="")
    address = world.partner.page(html, Referrer_Policy="no-referrer-when-downgrade")
    page = open_page(f"{address}?utm_source=letter&utm_medium=mail")
    fill_in(page, email="wrong")
    send(page)
    # The errors are shown on a page of ours, and nothing of the visit is lost.
    expect(page.locator(".summary")).to_be_visible()
    fill_in(page)
    send(page)
    thanked(page)
    kept = f"{address}?utm_source=letter&utm_medium=mail"
    assert_kept(world, "page", kept, utm=UTM, _subject="From the shop")
    world.forgiven = ("422",)


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("policy", ["no-referrer-when-downgrade", ""])
def test_the_errors_of_a_form_of_another_site_lead_back_to_it(
    world: World, open_page: OpenPage, policy: str, *, javascript: bool
) -> None:
    html = FOREIGN.format(origin=world.origin, next="")
    world.partner.page("<p>Welcome</p>", "/")
    address = world.partner.page(html, **({"Referrer_Policy": policy} if policy else {}))
    page = open_page(f"{address}?{CAMPAIGN}", javascript=javascript)
    fill_in(page, email="wrong")
    send(page)
    # Once more: the way back outlives a second fault.
    expect(page.locator(".summary")).to_be_visible()
    send(page)
    expect(page.locator(".summary")).to_be_visible()
    page.get_by_role("link", name="Back to the site you came from").click()
    # Of a page that tells its origin alone no more is known.
    page.wait_for_url(f"{address}?{CAMPAIGN}" if policy else f"{world.partner.origin}/")
    world.forgiven = ("422",)


def test_in_a_frame_nothing_leads_back_since_the_page_stands_around_it(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(world.partner.page(world.iframe()))
    frame = frame_of(page)
    send(frame)
    frame.locator(".summary").wait_for()
    expect(frame.locator(".back")).to_have_count(0)
    world.forgiven = ("422",)


@pytest.mark.parametrize("policy", ["no-referrer", "same-origin"])
def test_a_form_of_a_page_without_a_name_is_refused_and_the_visitor_told(
    world: World, open_page: OpenPage, policy: str
) -> None:
    html = FOREIGN.format(origin=world.origin, next="")
    page = open_page(world.listed.page(html, Referrer_Policy=policy))
    fill_in(page)
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("You can't do this from here")
    assert world.kept() == []
    world.forgiven = ("403",)


JSON = "application/json"


@pytest.mark.parametrize("kind", [JSON, "application/x-www-form-urlencoded", "multipart"])
def test_by_fetch_from_a_listed_page(world: World, open_page: OpenPage, kind: str) -> None:
    page = open_page(world.listed.page("<p>Fetch</p>", "/shop"))
    answer = page.evaluate(
        """async ([address, kind]) => {
            const answers = { name: "Ada Lovelace", email: "ada@example.com", privacy: "yes" };
            const form = new FormData();
            for (const [name, value] of Object.entries(answers)) form.append(name, value);
            const json = kind === "application/json";
            const headers = { Accept: "application/json" };
            if (json) headers["Content-Type"] = kind;
            const body = json ? JSON.stringify(answers)
                : kind === "multipart" ? form : new URLSearchParams(answers);
            const answer = await fetch(address, { method: "POST", body, headers });
            return [answer.status, await answer.json()];
        }""",
        [f"{world.origin}/f/lead", kind],
    )
    assert answer == [200, {"ok": True, "next": f"{world.origin}/f/lead/thanks"}]
    # From a page by TLS to one without, a browser names no more than the origin.
    assert_kept(world, "foreign", world.listed.origin)
