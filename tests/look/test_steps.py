"""A long form in steps, in Chromium: one at a time with JavaScript, one page without."""

import pytest
from playwright.sync_api import Page, expect

from tests.look.embedded import OpenPage, fitted
from tests.look.test_browser import assert_accepted

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fill_first(page: Page) -> None:
    page.fill("[name=name]", "Ada")
    page.fill("[name=email]", "ada@example.com")


def at(page: Page, heading: str) -> None:
    """Expect this heading alone, with the focus if anything was pressed."""
    expect(page.get_by_role("heading", level=2)).to_have_count(1)
    expect(page.get_by_role("heading", level=2)).to_have_accessible_name(heading)


def test_a_form_is_filled_in_step_by_step_and_sent(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/steps")
    at(page, "Step 1 of 3 About you")
    expect(page.get_by_role("button")).to_have_text(["Next"])
    fill_first(page)
    press(page, "Next")
    at(page, "Step 2 of 3 The boat")
    expect(page.get_by_role("heading", level=2)).to_be_focused()
    expect(page.get_by_role("button")).to_have_text(["Next", "Back"])
    page.select_option("[name=topic]", "sale")
    press(page, "Next")
    at(page, "Step 3 of 3 Where it is")
    expect(page.get_by_role("button")).to_have_text(["Send", "Back"])
    press(page, "Back")
    at(page, "Step 2 of 3 The boat")
    expect(page.locator("[name=topic]")).to_have_value("sale")
    press(page, "Next")
    page.fill("[name=harbour]", "Whitby")
    page.check("[name=privacy]")
    press(page, "Send")
    page.wait_for_url("**/thanks?*")


def test_next_checks_the_step_and_goes_to_the_first_fault(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/steps")
    page.fill("[name=phone]", "none")
    press(page, "Next")
    at(page, "Step 1 of 3 About you")
    expect(page.locator("[name=name]")).to_be_focused()
    assert page.locator(".error").all_text_contents() == [
        "Error: Enter your name.",
        "Error: Enter your e-mail address.",
        "Error: Enter a phone number with its area code.",
    ]
    assert_accepted(page)


def test_enter_goes_on_to_the_next_step_and_sends_in_the_last(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/steps")
    fill_first(page)
    page.locator("[name=email]").press("Enter")
    at(page, "Step 2 of 3 The boat")
    page.select_option("[name=topic]", "Else")
    press(page, "Next")
    page.fill("[name=harbour]", "Whitby")
    page.check("[name=privacy]")
    page.locator("[name=harbour]").press("Enter")
    page.wait_for_url("**/thanks?*")


def test_an_error_of_the_server_opens_its_step_and_links_open_theirs(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/steps")
    page.fill("[name=name]", "Ada")
    page.fill("[name=email]", "ada@nowhere.invalid..com")
    press(page, "Next")
    page.select_option("[name=topic]", "Else")
    press(page, "Next")
    press(page, "Send")
    page.locator(".summary").wait_for()
    expect(page.get_by_role("heading", level=2)).to_have_text(
        ["There is a problem", "Step 1 of 3 About you"]
    )
    expect(page.locator(".summary")).to_be_focused()
    expect(page.locator("[name=email]")).to_be_visible()
    page.get_by_role("link", name="Enter your harbour.").click()
    expect(page.locator("[name=harbour]")).to_be_focused()
    expect(page.locator("[name=email]")).to_be_hidden()


def test_the_browsers_back_is_the_step_before(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/steps")
    fill_first(page)
    press(page, "Next")
    page.select_option("[name=topic]", "Else")
    press(page, "Next")
    at(page, "Step 3 of 3 Where it is")
    page.go_back()
    at(page, "Step 2 of 3 The boat")
    press(page, "Back")
    at(page, "Step 1 of 3 About you")
    page.go_forward()
    at(page, "Step 2 of 3 The boat")
    expect(page.locator("[name=name]")).to_have_value("Ada")


def test_without_script_all_steps_are_on_one_page_with_their_headings(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/steps", java_script_enabled=False)
    expect(page.get_by_role("heading", level=2)).to_have_text(
        ["About you", "The boat", "Where it is"]
    )
    expect(page.get_by_role("button")).to_have_text(["Send"])
    expect(page.get_by_role("region", name="The boat")).to_be_visible()
    page.locator("button[type=submit]").click()
    page.locator(".summary").wait_for()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_step_is_accessible(open_page: OpenPage, origin: str, width: int, scheme: str) -> None:
    page = open_page(f"{origin}/f/steps", width=width, color_scheme=scheme)
    assert_accepted(page)
    fill_first(page)
    press(page, "Next")
    page.select_option("[name=topic]", "repair")
    assert_accepted(page)


def test_the_frame_fits_each_step(open_page: OpenPage, foreign: str) -> None:
    page = open_page(f"{foreign}/plain?form=steps")
    frame = fitted(page)
    first = frame.evaluate("innerHeight")
    frame.fill("[name=name]", "Ada")
    frame.fill("[name=email]", "ada@example.com")
    frame.get_by_role("button", name="Next").click()
    frame.get_by_role("heading", name="The boat").wait_for()
    assert fitted(page).evaluate("innerHeight") != first
