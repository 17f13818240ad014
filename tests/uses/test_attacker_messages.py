"""An unlisted site leads nobody away by `_next`, and its messages are nobody's."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.uses.conftest import World
from tests.uses.visitors import fill_in, fitted, send, thanked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]


@pytest.mark.parametrize(
    "target",
    [
        "{evil}/phish",
        "//{host}/phish",
        "/\\{host}/phish",
        "\\\\{host}/phish",
        "http:{host}/phish",
        "http:/{host}/phish",
        "http:\\\\{host}\\phish",
        "{partner}@{host}/phish",
        "http://{host}\\@{partner_host}/",
        "\t{evil}/phish",
        "ht\ntp://{host}/phish",
        "javascript:location='{evil}/phish'",
        "data:text/html,<script>location='{evil}/phish'</script>",
    ],
)
def test_it_leads_nobody_away(world: World, open_page: OpenPage, target: str) -> None:
    hosts = {"host": world.evil.origin[7:], "partner_host": world.partner.origin[7:]}
    named = target.format(evil=world.evil.origin, partner=world.partner.origin, **hosts)
    page = open_page(
        world.partner.page(
            f'<form method="post" action="{world.origin}/f/lead">'
            '<input name="name"><input name="email"><input name="_next">'
            '<input type="checkbox" name="privacy" value="yes"><button type="submit">Go</button>'
            "</form>"
        )
    )
    page.evaluate("(target) => { document.querySelector('[name=_next]').value = target; }", named)
    fill_in(page)
    send(page)
    thanked(page)
    assert page.url == f"{world.origin}/f/lead/thanks"
    assert world.evil.visited == []


def test_a_frame_of_its_on_the_same_page_changes_and_learns_nothing(
    world: World, open_page: OpenPage
) -> None:
    inside = world.evil.page("<p>An advertisement</p>", "/inside")
    line = world.snippet() + f'<iframe src="{inside}" title="Advertisement"></iframe>'
    page = open_page(world.partner.page(line) + "?name=Ada&email=ada@example.com")
    frame = fitted(page)
    tall = frame.evaluate("innerHeight")
    page.evaluate(
        """() => {
            window.heard = [];
            for (const type of ["formapp:height", "formapp:sent"])
                addEventListener(type, () => heard.push(type));
        }"""
    )
    [eve] = [one for one in page.frames if "/inside" in one.url]
    got = eve.evaluate(
        """async () => {
            const got = [];
            addEventListener("message", ({ data }) => got.push(data));
            const frames = [...Array(parent.length).keys()].map((n) => parent[n]);
            const form = frames.find((other) => other !== self);
            for (const height of [1, 9, 19999, 1e9, -1, 0.5, "9", NaN, null])
                parent.postMessage({ type: "formapp:height", form: "lead", height }, "*");
            parent.postMessage({ type: "formapp:sent", form: "lead" }, "*");
            parent.postMessage({ type: "formapp:ask", names: ["name", "email"] }, "*");
            const values = { name: ["Eve"], gclid: ["eve"] };
            form.postMessage({ type: "formapp:fill", values }, "*");
            await new Promise((done) => setTimeout(done, 300));
            return got;
        }"""
    )
    assert got == []
    assert page.evaluate("heard") == []
    assert frame.evaluate("innerHeight") == tall
    expect(frame.locator("[name=name]")).to_have_value("Ada")
    expect(frame.locator("[name=click]")).to_have_value("")


def test_a_window_that_it_opens_listens_to_nothing(world: World, open_page: OpenPage) -> None:
    page = open_page(world.evil.page("<p>x</p>"))
    with page.expect_popup() as popup:
        page.evaluate(
            "(address) => { window.other = open(address); }",
            f"{world.origin}/f/lead/embed?parent={world.evil.origin}",
        )
    opened = popup.value
    opened.locator("form").wait_for()
    page.evaluate(
        """async () => {
            window.got = [];
            addEventListener("message", ({ data }) => got.push(data));
            other.postMessage({ type: "formapp:fill", values: { name: ["Eve"] } }, "*");
            await new Promise((done) => setTimeout(done, 200));
        }"""
    )
    assert page.evaluate("got") == []
    expect(opened.locator("[name=name]")).to_have_value("")
