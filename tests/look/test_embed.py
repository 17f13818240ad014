"""embed.js on a page of another site: place, height, events, and what it must not believe."""

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, expect

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
LISTEN = """() => {
    window.heard = [];
    for (const type of ["formapp:height", "formapp:sent"])
        addEventListener(type, (event) => heard.push([type, event.detail, event.target.tagName]));
}"""


def fitted(page: Page, index: int = 0) -> Frame:
    """Wait until a frame is exactly as tall as its page, and return that page."""
    handle = page.locator("iframe").nth(index).element_handle()
    # Out of sight, the browser may put off telling the inner page how tall it is.
    handle.scroll_into_view_if_needed()
    frame = handle.content_frame()
    assert frame
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        frame.wait_for_load_state()
        sizes = frame.evaluate(
            "[Math.ceil(document.body.getBoundingClientRect().height), innerHeight]"
        )
        if "/f/" in frame.url and {handle.evaluate("e => e.clientHeight")} == set(sizes):
            return frame
        page.evaluate("() => new Promise(requestAnimationFrame)")
    pytest.fail("the frame never fitted its page")


def until(page: Page, condition: str) -> None:
    """Wait for a condition; Playwright's own way evaluates text, which the policy forbids."""
    page.evaluate(
        f"""() => new Promise((done, failed) => {{
            setTimeout(() => failed(new Error("it never happened")), 10000);
            const look = () => ({condition}) ? done() : requestAnimationFrame(look);
            look();
        }})"""
    )


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


def test_messages_of_others_and_impossible_heights_change_nothing(
    open_page: OpenPage, foreign: str
) -> None:
    page = open_page(f"{foreign}/plain?form=contact&form=newsletter")
    frame, other = fitted(page, 0), fitted(page, 1)
    page.evaluate(LISTEN)
    tall = frame.evaluate("innerHeight")

    for height in ("-1", "20001", "12.5", "NaN", "'90'", "null", "undefined"):
        frame.evaluate(f"parent.postMessage({{type: 'formapp:height', height: {height}}}, '*')")
    for message in ("null", "'formapp:height'", "{type: 'formapp:else', height: 9}", "[]", "7"):
        frame.evaluate(f"parent.postMessage({message}, '*')")
    page.evaluate("postMessage({type: 'formapp:height', height: 9}, '*')")
    other.evaluate("parent.postMessage({type: 'formapp:height', height: 9}, '*')")
    until(page, "heard.some(([, detail]) => detail.height === 9)")

    # A form may repeat its own height at any time.
    heard = [detail for _, detail, _ in page.evaluate("heard") if detail["height"] == 9]
    assert heard == [{"form": "newsletter", "height": 9}]
    others = {d["height"] for _, d, _ in page.evaluate("heard") if d["form"] == "contact"}
    assert others <= {tall}
    assert page.locator("iframe").first.evaluate("e => e.clientHeight") == tall


@pytest.mark.parametrize("parent", ["", "?parent=javascript:alert(1)", "?parent=x", "?parent=null"])
def test_a_frame_without_a_named_origin_sends_nothing(
    open_page: OpenPage, origin: str, foreign: str, parent: str
) -> None:
    page = open_page(f"{foreign}/plain")
    page.evaluate("() => { window.got = []; addEventListener('message', e => got.push(e.data)); }")
    page.evaluate(
        """(src) => new Promise((done) => {
            const frame = document.createElement("iframe");
            frame.onload = done;
            frame.src = src;
            document.body.append(frame);
        })""",
        f"{origin}/f/contact/embed{parent}",
    )
    # A message of our own comes behind all that the form may have sent.
    page.frames[1].evaluate(
        "() => new Promise(requestAnimationFrame).then(() => parent.postMessage('last', '*'))"
    )
    until(page, "got.includes('last')")

    assert page.evaluate("got") == ["last"]


@pytest.mark.parametrize(
    ("around", "scheme"),
    [
        (("", "dark"), ["light"]),
        (("color-scheme: dark", "light"), ["dark"]),
        (("background: #111; color: #eee", "light"), ["dark"]),
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

    page.wait_for_url(f"{origin}/f/contact")


GOT = "() => { window.got = []; addEventListener('message', (event) => got.push(event.data)); }"


def test_a_frame_that_shows_another_page_is_not_believed(open_page: OpenPage, foreign: str) -> None:
    page = open_page(f"{foreign}/plain?form=contact")
    tall = fitted(page).evaluate("innerHeight")
    page.evaluate(LISTEN)
    page.evaluate(GOT)
    # The same frame, hence the same source; but what it shows is of another origin.
    page.evaluate("() => { document.querySelector('iframe').srcdoc = '<p>another page'; }")
    page.frame_locator("iframe").get_by_text("another page").wait_for()
    for message in ("{type: 'formapp:height', height: 77}", "{type: 'formapp:sent'}", "'last'"):
        page.frames[1].evaluate(f"parent.postMessage({message}, '*')")
    until(page, "got.includes('last')")
    assert page.evaluate("heard") == []
    assert page.locator("iframe").evaluate("e => e.clientHeight") == tall


def test_a_frame_tells_nobody_but_the_page_that_its_address_names(
    browser: Browser, origin: str, foreign: str
) -> None:
    # A browser says on the console that it kept a message from a page it wasn't meant for.
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{foreign}/plain?form=contact")
    frame = fitted(page)
    frame.goto(f"{origin}/f/contact/embed?parent=https://www.example.org/a/page")
    page.evaluate(GOT)
    frame.evaluate("() => { document.body.style.paddingTop = '99px'; }")
    frame.evaluate(
        """() => new Promise(requestAnimationFrame)
            .then(() => new Promise(requestAnimationFrame))
            .then(() => parent.postMessage("last", "*"))"""
    )
    until(page, "got.includes('last')")
    assert page.evaluate("got") == ["last"]
    context.close()
