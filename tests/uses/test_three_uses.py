"""The uses of one form in a real browser, on real origins; each checks what was kept."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.uses.conftest import World
from tests.uses.kept import CAMPAIGN, UTM, assert_kept
from tests.uses.visitors import fill_in, fitted, frame_of, send, thanked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]


def test_hosted(world: World, open_page: OpenPage) -> None:
    link = world.partner.page(f'<a href="{world.origin}/f/lead?{CAMPAIGN}">Ask us</a>')
    page = open_page(link)
    page.get_by_role("link", name="Ask us").click()
    fill_in(page)
    send(page)
    thanked(page)
    address = f"{world.origin}/f/lead?{CAMPAIGN}"
    assert_kept(world, "page", address, referrer=world.partner.origin + "/", utm=UTM)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("site", ["listed", "partner"])
def test_by_the_script(world: World, open_page: OpenPage, site: str, width: int) -> None:
    other = getattr(world, site)
    target = other.page(world.snippet(), "/prices")
    before = other.page(f'<a href="{target}?{CAMPAIGN}">Prices</a>', "/home")
    page = open_page(f"{before}?token=private", width=width)
    page.get_by_role("link", name="Prices").click()
    frame = fitted(page)
    send(frame)
    expect(frame.locator(".summary")).to_be_focused()
    frame = fitted(page)
    fill_in(frame)
    send(frame)
    thanked(frame)
    frame = fitted(page)
    expect(frame.get_by_role("heading", level=1)).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_kept(world, "embed", target, referrer=before, utm=UTM)
    answers = world.one().answers
    assert (answers["source"], answers["page"], answers["referrer"]) == ("letter", target, before)
    world.forgiven = ("422",)


def test_by_the_script_with_a_page_that_tells_no_referrer(
    world: World, open_page: OpenPage
) -> None:
    target = world.listed.page(world.snippet(), Referrer_Policy="no-referrer")
    frame = fitted(page := open_page(target))
    fill_in(frame)
    send(frame)
    thanked(frame_of(page))
    assert_kept(world, "embed", target, referrer=None)


def test_by_the_script_on_a_page_with_a_strict_policy_of_its_own(
    world: World, open_page: OpenPage
) -> None:
    policy = (
        f"default-src 'none'; script-src {world.origin}; frame-src {world.origin}; "
        "img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    page = open_page(world.listed.page(world.snippet(), Content_Security_Policy=policy))
    frame = fitted(page)
    fill_in(frame)
    send(frame)
    thanked(frame)
    fitted(page)
    assert_kept(world, "embed", world.listed.origin + "/page")


@pytest.fixture(scope="module")
def cookieless(browser: Browser) -> Iterator[Browser]:
    """A browser that blocks the cookies of third parties."""
    other = browser.browser_type.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox", "--test-third-party-cookie-phaseout"],
    )
    yield other
    other.close()


@pytest.mark.parametrize("how", ["snippet", "iframe"])
def test_with_the_cookies_of_third_parties_blocked(
    world: World, open_page: OpenPage, cookieless: Browser, how: str
) -> None:
    page = open_page(world.listed.page(getattr(world, how)()), of=cookieless)
    frame = page.frame_locator("iframe")
    frame.locator("form").wait_for()
    # The browser does block: what a frame tries to keep is gone.
    assert (
        frame_of(page).evaluate("document.cookie = 'a=b; SameSite=None; Secure'; document.cookie")
        == ""
    )
    fill_in(frame)
    send(frame)
    thanked(frame)
    assert world.one().meta["use"] == "embed"


@pytest.mark.parametrize("javascript", [True, False])
def test_in_a_plain_iframe(world: World, open_page: OpenPage, *, javascript: bool) -> None:
    address = world.partner.page(world.iframe(query=f"?{CAMPAIGN}&email=ada@example.com"))
    page = open_page(address, javascript=javascript)
    frame = page.frame_locator("iframe")
    expect(frame.locator("[name=email]")).to_have_value("ada@example.com")
    fill_in(frame)
    send(frame)
    thanked(frame)
    # Without a script the browser tells the origin of the page around, and no more.
    assert_kept(world, "embed", world.partner.origin + "/", referrer=None, utm=UTM)


@pytest.mark.parametrize(
    "sandbox",
    ["allow-forms allow-scripts allow-same-origin", "allow-forms allow-same-origin"],
)
def test_in_a_sandbox_that_leaves_the_form_its_origin(
    world: World, open_page: OpenPage, sandbox: str
) -> None:
    page = open_page(world.partner.page(world.iframe(attributes=f'sandbox="{sandbox}"')))
    frame = page.frame_locator("iframe")
    send(frame)
    expect(frame.locator(".summary:visible")).to_be_visible()
    fill_in(frame)
    send(frame)
    thanked(frame)
    assert_kept(world, "embed", world.partner.origin + "/")
    world.forgiven = ("422", "Blocked script execution", "can escape its sandbox")


def test_by_keyboard_alone_in_a_frame(world: World, open_page: OpenPage) -> None:
    page = open_page(world.listed.page(world.snippet()))
    frame = fitted(page)
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name, kind = frame.evaluate("[document.activeElement.name, document.activeElement.type]")
        seen.append(name)
        if name == "name":
            page.keyboard.type("Ada Lovelace")
        elif name == "email":
            page.keyboard.type("ada@example.com")
        elif name == "privacy":
            page.keyboard.press("Space")
        elif kind == "submit":
            page.keyboard.press("Enter")
            break
    assert "_gotcha" not in seen
    thanked(frame_of(page))
    expect(frame_of(page).get_by_role("heading", level=1)).to_be_focused()
    assert_kept(world, "embed", world.listed.origin + "/page")
