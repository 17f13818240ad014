"""A field that was changed and left says what is wrong with it, in the server's words."""

import pytest
from playwright.sync_api import Page, expect

from tests.look.embedded import OpenPage
from tests.look.test_browser import assert_accepted

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def errors(page: Page) -> dict[str, str]:
    """The texts of errors at fields, by the fields' names."""
    found = page.locator(".error").evaluate_all("all => all.map(e => [e.id, e.textContent])")
    return {name.removeprefix("e-"): text for name, text in found}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("email", "ann", "Enter an e-mail address such as name@example.com."),
        ("email", "ann@example", "Enter an e-mail address such as name@example.com."),
        ("phone", "none", "Enter a phone number with its area code."),
        ("size", "long", "Enter a number."),
        ("name", "A", "Enter at least 2 characters."),
        ("name", "x" * 1001, "Enter no more than 1000 characters."),
    ],
)
def test_an_answer_that_can_not_be_right_is_reported_once_it_was_left(
    open_page: OpenPage, origin: str, name: str, text: str, said: str
) -> None:
    page = open_page(f"{origin}/f/visit")
    page.fill(f"[name={name}]", text)
    assert errors(page) == {}
    page.keyboard.press("Tab")
    assert errors(page) == {name: f"Error: {said}"}
    control = page.locator(f"[name={name}]")
    expect(control).to_have_attribute("aria-invalid", "true")
    helped = "For the confirmation. " if name == "email" else ""
    expect(control).to_have_accessible_description(f"{helped}Error: {said}")
    assert_accepted(page)


def test_an_error_goes_as_soon_as_it_is_being_corrected(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/visit")
    email = page.locator("[name=email]")
    email.fill("ann")
    email.blur()
    expect(page.locator(".error")).to_have_count(1)
    email.press_sequentially("@")
    expect(page.locator(".error")).to_have_count(0)
    expect(email).not_to_have_attribute("aria-invalid", "true")
    expect(email).to_have_accessible_description("For the confirmation.")
    email.blur()
    expect(page.locator(".error")).to_have_count(1)
    email.fill("ann@example.com")
    email.blur()
    expect(page.locator(".error")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("email", "ann@例え。テスト"),
        ("email", "ann＠example．com"),  # noqa: RUF001 - as Japanese keyboards write it
        ("phone", "٠٢٠ ٧٩٤٦ ٠٠١٨"),
        ("phone", "0800 REVERSE"),
        ("size", "１２"),  # noqa: RUF001 - as Japanese keyboards write it
        ("size", "2.500,00"),
    ],
)
def test_what_the_server_may_take_is_never_called_wrong(
    open_page: OpenPage, origin: str, name: str, text: str
) -> None:
    page = open_page(f"{origin}/f/visit")
    page.fill(f"[name={name}]", text)
    page.keyboard.press("Tab")
    assert errors(page) == {}


def test_passing_blank_fields_says_nothing_and_emptying_one_does(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/visit")
    page.focus("[name=name]")
    for _ in range(12):
        page.keyboard.press("Tab")
    assert errors(page) == {}
    page.fill("[name=name]", "Ada")
    page.fill("[name=name]", "")
    page.keyboard.press("Tab")
    assert errors(page) == {"name": "Error: Enter your name."}


def test_a_group_is_left_when_the_focus_leaves_all_of_it(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/quote")
    page.focus("#f-interests-0" if page.locator("#f-interests-0").count() else "#f-service-0")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert errors(page) == {}
    page.check("[name=privacy]")
    page.uncheck("[name=privacy]")
    page.locator("[name=privacy]").blur()
    assert errors(page) == {"privacy": "Error: Tick the box to continue."}
    box = page.locator("[name=privacy]")
    expect(box).to_have_accessible_description("Error: Tick the box to continue.")
    assert_accepted(page)


def test_what_the_server_found_goes_with_the_first_key(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/visit")
    page.locator("button[type=submit]").click()
    page.locator(".summary").wait_for()
    page.locator("[name=name]").press("A")
    assert "name" not in errors(page)
    expect(page.locator("[name=name]")).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator(".summary")).to_be_visible()


def test_a_press_on_the_button_is_not_missed_for_an_error_above_it(
    open_page: OpenPage, origin: str
) -> None:
    page = open_page(f"{origin}/f/visit")
    page.fill("[name=name]", "A")
    button = page.locator("button[type=submit]")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 4)
    page.mouse.down()
    assert errors(page) == {}
    page.mouse.up()
    page.locator(".summary").wait_for()
