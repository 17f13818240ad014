"""The hosted pages in a real browser: accessible, narrow, by keyboard, without JavaScript."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenPage = Callable[..., Page]
STATES = {
    "empty": "/f/quote",
    "notice": "/f/quote?notice",
    "embedded": "/f/quote/embed",
    "newsletter": "/f/newsletter",
    "contact": "/f/contact",
    "right to left": "/f/arabic",
    "thanks": "/f/contact/thanks",
    "error": "/error",
}


def assert_accepted(page: Page) -> None:
    """Demand that axe finds nothing, that nothing overflows and that fingers find their targets."""
    # A frame shows the ground of the page around it; here there is none, so it gets one.
    page.evaluate(
        """() => document.body.className === "embed" &&
            (document.documentElement.style.background =
                matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff")"""
    )
    found: list[Any] = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    width, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= room
    small = page.locator("button, .option, .field > input, select").evaluate_all(
        "all => all.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44)"
        ".map(e => e.outerHTML)"
    )
    assert small == []


def send_blank(page: Page) -> None:
    page.locator("button[type=submit]").click()
    page.locator(".summary").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("path", STATES.values(), ids=STATES.keys())
def test_a_page_is_accessible_in_both_schemes_and_at_every_width(
    open_page: OpenPage, origin: str, path: str, width: int, scheme: str
) -> None:
    assert_accepted(
        open_page(origin + path, width=width, color_scheme=scheme, reduced_motion="reduce")
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/f/quote", "/f/quote/embed", "/f/arabic"])
def test_a_page_with_errors_is_accessible(
    open_page: OpenPage, origin: str, path: str, width: int, scheme: str
) -> None:
    page = open_page(origin + path, width=width, color_scheme=scheme, reduced_motion="reduce")
    send_blank(page)

    assert_accepted(page)


def test_forced_colours_leave_the_page_usable(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/quote", forced_colors="active")
    send_blank(page)

    border = page.locator("#f-email").evaluate("e => getComputedStyle(e).borderTopStyle")
    assert border == "solid"
    assert_accepted(page)


def test_light_and_dark_differ(open_page: OpenPage, origin: str) -> None:
    pages = [open_page(f"{origin}/f/contact", color_scheme=one) for one in ("light", "dark")]

    grounds = [page.evaluate("getComputedStyle(document.body).backgroundColor") for page in pages]
    assert grounds == ["rgb(246, 245, 241)", "rgb(19, 22, 24)"]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_summary_has_the_focus_and_its_links_move_it(
    open_page: OpenPage, origin: str, *, scripts: bool
) -> None:
    page = open_page(f"{origin}/f/quote", java_script_enabled=scripts)
    send_blank(page)

    expect(page.locator(".summary")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#f-first_name")).to_be_focused()
    link = page.get_by_role("link", name="Choose an option.")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#f-service-0")).to_be_focused()
    expect(page.get_by_text("What do you need?", exact=True)).to_be_in_viewport()


def test_a_form_can_be_filled_in_and_sent_by_keyboard_alone(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/newsletter")

    for _ in range(20):
        page.keyboard.press("Tab")
        kind = page.evaluate("document.activeElement.type")
        if kind == "email":
            page.keyboard.type("ada@example.com")
        elif kind == "checkbox":
            page.keyboard.press("Space")
        elif kind == "submit":
            page.keyboard.press("Enter")
            break
        assert page.evaluate("document.activeElement.name") != "_gotcha"
    page.wait_for_url("**/thanks?*")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_screen_readers_hear_label_help_and_error(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/quote")
    send_blank(page)

    email = page.get_by_role("textbox", name="E-mail")
    expect(email).to_have_accessible_description(
        "We\u2019ll send the quote to this address. Error: Enter your e-mail address."
    )
    group = page.get_by_role("group", name="What do you need?")
    expect(group).to_have_accessible_description("Error: Choose an option.")
    expect(page.get_by_role("textbox", name="Leave this field empty")).to_have_count(0)


def test_pressing_twice_sends_once(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/quote")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.method))

    page.evaluate("() => { const b = document.querySelector('button'); b.click(); b.click(); }")
    page.locator(".summary").wait_for()

    assert posts.count("POST") == 1


def test_the_button_works_again_after_going_back(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/contact")
    button = page.locator("button[type=submit]")
    page.evaluate(
        "document.querySelector('form').addEventListener('submit', e => {"
        " document.title = document.querySelector('button').ariaDisabled;"
        " e.preventDefault(); })"
    )
    button.click()
    expect(page).to_have_title("true")

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    expect(button).to_be_enabled()


def test_a_half_typed_date_is_pointed_out_and_not_lost(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/quote")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.method))

    page.locator("#f-deadline").focus()
    page.keyboard.type("12")
    page.locator("button[type=submit]").click()

    expect(page.locator("#f-deadline")).to_be_focused()
    assert "POST" not in posts
    page.locator("#f-deadline").fill("2027-01-31")
    send_blank(page)
    expect(page.locator("#f-deadline")).to_have_value("2027-01-31")


def test_no_page_sets_a_cookie_or_keeps_anything(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/contact")
    send_blank(page)

    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
