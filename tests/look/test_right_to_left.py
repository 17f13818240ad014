"""Pages that run from right to left, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenPage = Callable[..., Page]
# Whatever an answer shows that isn't right, beside the required fields.
WRONG = {"phone": "12", "size": "1", "web": "x y"}


def box(locator: Locator) -> dict[str, float]:
    found = locator.bounding_box()
    assert found
    return {**found, "right": found["x"] + found["width"]}  # type: ignore[dict-item] # all numbers


def send(page: Page) -> None:
    for name, text in WRONG.items():
        control = page.locator(f"#f-{name}")
        if control.count():
            control.fill(text)
    page.locator("button[type=submit]").click()
    page.locator(".summary").wait_for()
    page.wait_for_load_state()  # else the style sheet may be missing when boxes are measured


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/f/arabic", "/f/hebrew", "/f/arabic/embed", "/f/hebrew/embed"])
def test_a_page_with_every_fault_runs_right_to_left_and_fits(
    open_page: OpenPage, origin: str, path: str, width: int, scheme: str
) -> None:
    page = open_page(origin + path, width=width, color_scheme=scheme, reduced_motion="reduce")
    send(page)

    assert page.locator("html").get_attribute("dir") == "rtl"
    # A frame shows the ground of the page around it; here there is none, so it gets one.
    ground = "#121212" if scheme == "dark" else "#fff"
    page.evaluate(f"document.documentElement.style.background = '{ground}'")
    assert axe_violations(page) == []
    shown, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert shown <= room


@pytest.mark.parametrize("path", ["/f/arabic", "/f/hebrew"])
def test_everything_begins_on_the_right(open_page: OpenPage, origin: str, path: str) -> None:
    page = open_page(origin + path)
    send(page)

    edge = box(page.locator("form"))["right"]
    field = page.locator(".field.wrong").first
    assert box(field)["right"] == pytest.approx(edge, abs=1)
    assert field.evaluate("e => getComputedStyle(e).borderRightWidth") == "3px"
    assert field.evaluate("e => getComputedStyle(e).borderLeftWidth") == "0px"
    assert box(page.locator("button[type=submit]"))["right"] == pytest.approx(edge, abs=1)
    option = page.locator(".option").first
    assert box(option.locator("input"))["x"] > box(option.locator("label"))["x"]


@pytest.mark.parametrize("name", ["email", "phone", "size", "web", "day"])
def test_an_address_or_number_runs_left_to_right_but_stands_where_the_page_begins(
    open_page: OpenPage, origin: str, name: str
) -> None:
    style = open_page(f"{origin}/f/arabic").locator(f"#f-{name}")

    assert style.evaluate("e => getComputedStyle(e).direction") == "ltr"
    assert style.evaluate("e => getComputedStyle(e).textAlign") == "end"


def test_a_number_in_a_message_keeps_its_order(open_page: OpenPage, origin: str) -> None:
    """The example of a telephone number is read from its plus sign on."""
    page = open_page(f"{origin}/f/arabic")
    send(page)

    places = page.locator("#e-phone").evaluate(
        """e => {
            const node = [...e.childNodes].at(-1), text = node.data;
            const at = (part) => {
                const range = document.createRange(), start = text.indexOf(part);
                range.setStart(node, start);
                range.setEnd(node, start + part.length);
                return range.getBoundingClientRect().left;
            };
            return ["+", "44", "20 ", "7946"].map(at);
        }"""
    )
    assert places == sorted(places)


def test_other_languages_are_within_reach_and_told_apart(open_page: OpenPage, origin: str) -> None:
    page = open_page(f"{origin}/f/hebrew", width=390)

    menu = page.get_by_role("navigation", name="שפות")
    menu.get_by_text("עברית").click()
    links = menu.get_by_role("link")
    expect(links).to_have_count(7)
    assert links.first.get_attribute("lang") == "en"
    assert min(box(link)["height"] for link in links.all()) >= 44
