"""A page of somebody who isn't listed: what it tries, in a real browser, comes to nothing."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.uses.conftest import World
from tests.uses.visitors import frame_of, send
from tests.web.pages import Page as Read

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]

ANSWERS = {"name": "Eve", "email": "eve@example.com", "privacy": "yes"}


@pytest.fixture(autouse=True)
def the_browser_says_so_too(world: World) -> None:
    """Every refusal here is the browser's, or ends with a status that it tells."""
    world.forgiven = (
        "violates the following",
        "refused to connect",
        "responded with a status of 4",
        "blocked by CORS policy",
        "net::ERR_FAILED",
        "X-Frame-Options",
        "in a frame because it set",
        "formapp: the form",
    )


def token(world: World) -> str:
    """A genuine token, which anybody can fetch by a program of theirs."""
    got: str = Read(world.site.get("/f/lead", Host=world.origin[7:])).sent["_token"]
    return got


# Framing


@pytest.mark.parametrize("path", ["/f/lead/embed", "/f/lead", "/f/lead/thanks", "/f/closed/embed"])
@pytest.mark.parametrize("element", ["iframe src", "object data", "embed src"])
def test_it_frames_nothing(world: World, open_page: OpenPage, path: str, element: str) -> None:
    tag, attribute = element.split()
    page = open_page(
        world.evil.page(
            f'<{tag} {attribute}="{world.origin}{path}" width="600" height="600"></{tag}>'
        )
    )
    page.wait_for_load_state("networkidle")
    for frame in page.frames[1:]:
        assert frame.locator("form, .thanks").count() == 0


def test_a_listed_page_may_not_frame_what_isnt_its_either(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(world.listed.page(world.iframe("closed") + world.iframe("lead")))
    expect(page.frame_locator("iframe").nth(1).locator("form")).to_be_visible()
    assert frame_of(page, 0).locator("form").count() == 0


def test_it_doesnt_get_around_by_framing_a_listed_page(world: World, open_page: OpenPage) -> None:
    inner = world.partner.page(world.iframe(), "/inner")
    page = open_page(world.evil.page(f'<iframe src="{inner}" width="800" height="800"></iframe>'))
    page.frame_locator("iframe").locator("iframe").wait_for()
    page.wait_for_load_state("networkidle")
    assert [frame.url for frame in page.frames if "/inner" in frame.url]
    assert all(frame.locator("form").count() == 0 for frame in page.frames)


# Reading


@pytest.mark.parametrize("path", ["/f/lead", "/f/lead/embed", "/f/lead/thanks", "/healthz"])
def test_it_reads_no_page_by_fetch(world: World, open_page: OpenPage, path: str) -> None:
    page = open_page(world.evil.page("<p>x</p>"))
    read = page.evaluate(
        """async (address) => {
            const cors = await fetch(address, { credentials: "include" })
                .then((a) => a.text(), () => null);
            const blind = await fetch(address, { mode: "no-cors" });
            return [cors, blind.type, blind.status, await blind.text()];
        }""",
        world.origin + path,
    )
    assert read == [None, "opaque", 0, ""]


# Posting

BODIES: dict[str, str] = {
    "urlencoded": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
    "text": "text/plain",
}


@pytest.mark.parametrize("stolen", [True, False])
@pytest.mark.parametrize("policy", ["", "no-referrer", "unsafe-url"])
@pytest.mark.parametrize("kind", BODIES)
def test_its_form_posts_nothing(
    world: World, open_page: OpenPage, kind: str, policy: str, *, stolen: bool
) -> None:
    answers = ANSWERS | ({"_token": token(world)} if stolen else {})
    inputs = "".join(f'<input name="{n}" value="{v}">' for n, v in answers.items())
    html = (
        f'<form method="post" action="{world.origin}/f/lead" enctype="{BODIES[kind]}">'
        f'{inputs}<button type="submit">Win a prize</button></form>'
    )
    page = open_page(world.evil.page(html, **({"Referrer_Policy": policy} if policy else {})))
    with page.expect_response("**/f/lead") as answer:
        send(page)
    assert answer.value.status == (415 if kind == "text" else 403)
    assert world.kept() == []


FETCHES: dict[str, Any] = {
    "urlencoded": {"headers": {"Content-Type": BODIES["urlencoded"]}},
    "json": {"headers": {"Content-Type": "application/json"}},
    "json with a header of ours": {
        "headers": {"Content-Type": "application/json", "Idempotency-Key": "x"}
    },
    "text": {"headers": {"Content-Type": "text/plain"}},
    "blind": {"mode": "no-cors", "headers": {"Content-Type": BODIES["urlencoded"]}},
    "blind json": {"mode": "no-cors", "headers": {"Content-Type": "application/json"}},
    "with credentials": {
        "credentials": "include",
        "headers": {"Content-Type": BODIES["urlencoded"]},
    },
}


@pytest.mark.parametrize("how", FETCHES)
def test_its_fetch_posts_nothing_and_reads_no_answer(
    world: World, open_page: OpenPage, how: str
) -> None:
    page = open_page(world.evil.page("<p>x</p>"))
    got = page.evaluate(
        """async ([address, how, json, text]) => {
            const body = how.headers["Content-Type"].includes("json") ? json : text;
            return fetch(address, { method: "POST", body, ...how })
                .then((a) => a.text(), () => "");
        }""",
        [
            f"{world.origin}/f/lead",
            FETCHES[how],
            '{"email": "eve@example.com"}',
            urlencode(ANSWERS),
        ],
    )
    assert got == ""
    assert world.kept() == []


@pytest.mark.parametrize("kind", [*BODIES.values(), "application/json"])
def test_its_beacon_posts_nothing(world: World, open_page: OpenPage, kind: str) -> None:
    page = open_page(world.evil.page("<p>x</p>"))
    before = refused(world)
    page.evaluate(
        """([address, kind, text]) =>
            navigator.sendBeacon(address, new Blob([text], { type: kind }))""",
        [f"{world.origin}/f/lead", kind, urlencode(ANSWERS)],
    )
    # JSON is asked for first, by a preflight, which is all that comes of it.
    if kind != "application/json":
        for _ in range(200):
            if refused(world) > before:
                break
            page.wait_for_timeout(20)
        assert refused(world) == before + 1
    assert world.kept() == []


def refused(world: World) -> float:
    """How many posts were refused."""
    text = world.site.app.extensions["formapp"].metrics.text().decode()
    name = 'formapp_submissions_total{form="lead",result="refused"} '
    found = [line for line in text.splitlines() if line.startswith(name)]
    return float(found[0].split()[-1]) if found else 0
