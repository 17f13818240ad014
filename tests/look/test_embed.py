"""embed.js on a page of another site: place, height, events, and what it must not believe."""

from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, expect

from tests.look.embedded import LISTEN, OpenPage, fitted, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def query(frame: Frame) -> dict[str, list[str]]:
    return parse_qs(urlsplit(frame.url).query)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_frame_is_as_tall_as_the_form(open_page: OpenPage, foreign: str, width: int) -> None:
    page = open_page(f"{foreign}/demo/quote", width=width)
    frame = fitted(page)

    root = "document.documentElement"
    assert frame.evaluate(f"{root}.scrollHeight") == frame.evaluate("innerHeight")
    assert frame.evaluate(f"{root}.scrollWidth <= innerWidth")
    assert frame.evaluate(f"{root}.clientWidth === innerWidth")
    expect(page.locator("iframe")).to_have_attribute("title", "Ask Gullhaven Boats")
    assert page.locator("script + iframe").count() == 1


def test_a_frame_out_of_sight_is_fitted_too(open_page: OpenPage, foreign: str) -> None:
    page = open_page(f"{foreign}/demo/quote", width=390)

    until(page, "document.querySelector('iframe')?.clientHeight > 1500")

    assert page.evaluate("scrollY") == 0
    fitted(page)


def test_the_frame_grows_with_the_errors_and_the_summary_comes_into_view(
    open_page: OpenPage, foreign: str
) -> None:
    page = open_page(f"{foreign}/demo/quote")
    frame = fitted(page)
    before = frame.evaluate("innerHeight")

    frame.locator("button[type=submit]").click()
    frame.locator(".summary").wait_for()
    frame = fitted(page)

    assert frame.evaluate("innerHeight") > before
    expect(frame.locator(".summary")).to_be_focused()
    expect(frame.locator(".summary h2")).to_be_in_viewport()


def test_the_page_hears_of_heights_and_of_success(open_page: OpenPage, foreign: str) -> None:
    page = open_page(f"{foreign}/plain?form=newsletter")
    page.evaluate(LISTEN)
    frame = fitted(page)
    frame.get_by_role("textbox", name="E-mail").fill("ada@example.com")
    for box in frame.locator("input[type=checkbox][required]").all():
        box.check()

    frame.locator("button[type=submit]").click()
    until(page, "heard.some(([type]) => type === 'formapp:sent')")

    sent = [entry for entry in page.evaluate("heard") if entry[0] == "formapp:sent"]
    assert sent == [["formapp:sent", {"form": "newsletter"}, "IFRAME"]]
    frame = fitted(page)
    expect(frame.get_by_role("heading", level=1)).to_be_focused()
    heights = [entry[1]["height"] for entry in page.evaluate("heard") if "height" in entry[1]]
    assert heights[-1] == frame.evaluate("innerHeight")


def test_several_forms_on_one_page_keep_apart(open_page: OpenPage, foreign: str) -> None:
    page = open_page(f"{foreign}/plain?form=newsletter&form=contact&form=newsletter")

    frames = [fitted(page, index) for index in range(3)]

    paths = [urlsplit(frame.url).path for frame in frames]
    assert paths == ["/f/newsletter/embed", "/f/contact/embed", "/f/newsletter/embed"]
    order = page.locator("main > *").evaluate_all("all => all.map(e => e.tagName)")
    assert order == ["SCRIPT", "IFRAME", "P"] * 3
    tall = page.locator("iframe").evaluate_all("all => all.map(e => e.clientHeight)")
    assert tall[0] == tall[2] != tall[1]
    expect(page.locator("iframe").first).to_have_attribute("title", "Form")


def test_the_frame_learns_the_page_and_the_campaign_and_nothing_else_of_its_query(
    open_page: OpenPage, foreign: str
) -> None:
    page = open_page(f"{foreign}/plain?form=contact&utm_source=a%26b&utm_medium=x&secret=1")
    frame = fitted(page)

    assert query(frame) == {
        "parent": [foreign],
        "_page": [f"{foreign}/plain"],
        "scheme": ["light"],
        "utm_source": ["a&b"],
        "utm_medium": ["x"],
    }


@pytest.mark.parametrize(
    ("around", "scheme"),
    [
        (("", "dark"), ["light"]),
        (("color-scheme: dark", "light"), ["dark"]),
        (("background: #111; color: #eee", "light"), ["dark"]),
        (("background: #111; color: oklch(0.98 0 0)", "light"), ["dark"]),
        (("background: #111; color: color(display-p3 1 1 1)", "light"), ["dark"]),
        (("color: color-mix(in oklab, black 90%, white)", "dark"), ["light"]),
        (("color-scheme: light dark", "dark"), None),
        (("color-scheme: light dark", "light"), None),
    ],
)
def test_the_form_is_as_light_or_dark_as_the_page_around(
    open_page: OpenPage, origin: str, foreign: str, around: tuple[str, str], scheme: list[str]
) -> None:
    css, preferred = around
    page = open_page(f"{foreign}/plain", color_scheme=preferred)
    page.evaluate(
        """([css, src]) => {
            document.documentElement.style.cssText = css;
            const script = document.createElement("script");
            script.src = src;
            script.dataset.form = "contact";
            document.querySelector("main").append(script);
        }""",
        [css, f"{origin}/embed.js"],
    )
    page.locator("iframe").wait_for()
    frame = fitted(page)

    assert query(frame).get("scheme") == scheme
    ink = frame.evaluate("getComputedStyle(document.body).color")
    dark = scheme == ["dark"] or (scheme is None and preferred == "dark")
    assert ink == ("rgb(232, 235, 237)" if dark else "rgb(28, 33, 37)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_example_page_is_accessible(
    open_page: OpenPage, foreign: str, width: int, scheme: str
) -> None:
    page = open_page(f"{foreign}/demo/quote", width=width, color_scheme=scheme)
    fitted(page)

    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_javascript_the_example_page_links_to_the_form(
    open_page: OpenPage, origin: str, foreign: str
) -> None:
    page = open_page(f"{foreign}/demo/contact", java_script_enabled=False)

    page.get_by_role("link", name="Open the form").click()

    page.wait_for_url(f"{origin}/**")
    assert page.url == f"{origin}/f/contact"
    assert page.locator("form").count() == 1
