"""What passes between an embedded form and the page around, and what neither must believe."""

import pytest
from playwright.sync_api import Browser

from tests.look.embedded import LISTEN, OpenPage, fitted, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
GOT = "() => { window.got = []; addEventListener('message', (event) => got.push(event.data)); }"


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


def test_the_thanks_seen_again_are_not_told_as_sent_again(
    open_page: OpenPage, foreign: str
) -> None:
    page = open_page(f"{foreign}/plain?form=newsletter")
    page.evaluate(LISTEN)
    frame = page.frame_locator("iframe")
    frame.get_by_label("E-mail").fill("ada@example.com")
    frame.get_by_role("checkbox").check()
    frame.get_by_role("button").click()
    told = "heard.filter(([type]) => type === 'formapp:sent').length"
    until(page, f"{told} === 1")
    page.evaluate(GOT)
    page.evaluate("history.back()")
    frame.get_by_role("button").wait_for()
    page.evaluate("history.forward()")
    frame.get_by_role("button").wait_for(state="detached")
    page.frames[1].wait_for_load_state()
    # A message of our own comes behind all that the page's script has sent.
    page.frames[1].evaluate("parent.postMessage('last', '*')")
    until(page, "got.includes('last')")
    assert page.evaluate(told) == 1


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
