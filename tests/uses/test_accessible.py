"""axe-core on every page and state: hosted and in a frame, light and dark, left and right."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Page

from formapp.spam import altcha
from tests.support.browser import axe_violations
from tests.uses.conftest import World
from tests.uses.visitors import fitted, frame_of, send, until
from tests.web.support import schemaless

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
FORMS = pytest.mark.parametrize("form", ["lead", "hebrew", "themed"])


def accept(page: Page, frame: Frame | None = None) -> None:
    """Demand that axe finds nothing, on the page and in its frame."""
    assert axe_violations(page) == []
    # axe-core looks into frames only where it runs in them.
    assert frame is None or axe_violations(frame) == []


def complete(where: Page | Frame) -> None:
    """Fill in whatever is demanded, in any language, press the button, and be thanked."""
    answer(where)
    where.locator(".thanks").wait_for()


def answer(where: Page | Frame) -> None:
    """Fill in whatever is demanded, in any language, and press the button."""
    for name, answer in {"name": "Ada", "email": "ada@example.com"}.items():
        for control in where.locator(f"[name={name}]").all():
            control.fill(answer)
    where.locator("[name=colour]").first.check()
    for box in where.locator("[name=privacy]").all():
        box.check()
    send(where)


def ground(page: Page, frame: Frame) -> None:
    """Give a frame the ground that is seen through it, which axe-core can't know."""
    light = page.evaluate(
        "matchMedia('(prefers-color-scheme: light)').matches"
        " || !document.querySelector('meta[name=color-scheme]')"
    )
    paint(frame, light=light)


def paint(frame: Frame, *, light: bool) -> None:
    """Give a frame a ground; one that no script tells the scheme around has the visitor's."""
    frame.evaluate(
        "(colour) => { document.documentElement.style.backgroundColor = colour; }",
        "#ffffff" if light else "#121212",
    )


@FORMS
@SCHEMES
@pytest.mark.parametrize("width", [1280, 390])
def test_the_states_of_a_hosted_form(
    world: World, open_page: OpenPage, form: str, scheme: str, width: int
) -> None:
    world.forgiven = ("422",)
    page = open_page(f"{world.origin}/f/{form}", color_scheme=scheme, width=width)
    accept(page)
    send(page)
    page.locator(".summary").wait_for()
    accept(page)
    complete(page)
    accept(page)
    rtl = page.evaluate("getComputedStyle(document.documentElement).direction")
    assert rtl == ("rtl" if form == "hebrew" else "ltr")


@FORMS
@SCHEMES
@pytest.mark.parametrize("around", ["", '<meta name="color-scheme" content="light dark">'])
def test_the_states_of_a_form_in_a_frame(
    world: World, open_page: OpenPage, form: str, scheme: str, around: str
) -> None:
    world.forgiven = ("422",)
    page = open_page(
        world.listed.page(world.snippet(form), head=around), color_scheme=scheme, width=390
    )
    frame = fitted(page)
    ground(page, frame)
    accept(page, frame)
    send(frame)
    frame.locator(".summary").wait_for()
    frame = fitted(page)
    ground(page, frame)
    accept(page, frame)
    complete(frame)
    frame = fitted(page)
    ground(page, frame)
    accept(page, frame)


@SCHEMES
@pytest.mark.parametrize("path", ["/f/nothing", "/nothing", "/f/lead/thanks", "/f/hebrew/thanks"])
def test_what_is_shown_without_a_form(
    world: World, open_page: OpenPage, path: str, scheme: str
) -> None:
    world.forgiven = ("404",)
    accept(open_page(world.origin + path, color_scheme=scheme))


@SCHEMES
@pytest.mark.parametrize("form", ["lead", "hebrew", "themed"])
def test_a_refusal(world: World, open_page: OpenPage, form: str, scheme: str) -> None:
    world.forgiven = ("403",)
    page = open_page(
        world.evil.page(
            f'<form method="post" action="{world.origin}/f/{form}">'
            '<button type="submit">Send</button></form>'
        ),
        color_scheme=scheme,
    )
    send(page)
    page.locator(".status").wait_for()
    accept(page)


NOTICES = {
    409: {"english": "This form was sent already", "hebrew": "טופס זה כבר נשלח"},
    429: {"english": "Too many messages", "hebrew": "הגיעו יותר מדי הודעות"},
    503: {"english": "could not be kept", "hebrew": "לא ניתן היה לשמור"},
}
PLACES = pytest.mark.parametrize("place", ["page", "frame"])


def shown(world: World, open_page: OpenPage, form: str, scheme: str, place: str) -> Page:
    """Open a form in a window of its own, or in a frame of a listed site."""
    if place == "page":
        return open_page(f"{world.origin}/f/{form}", color_scheme=scheme)
    address = world.listed.page(world.snippet(form))
    return open_page(address, color_scheme=scheme, width=390)


def look(page: Page, place: str, selector: str, text: str = "") -> Page | Frame:
    """Wait until something is there, demand that axe finds nothing, and return where it is."""
    if place == "page":
        page.locator(selector, has_text=text).wait_for()
        accept(page)
        return page
    page.frame_locator("iframe").locator(selector, has_text=text).wait_for()
    frame = fitted(page)
    ground(page, frame)
    accept(page, frame)
    return frame


@FORMS
@SCHEMES
@PLACES
@pytest.mark.parametrize("settings", [{"LIMIT_PER_ADDRESS": "3/day"}])
def test_the_notices_of_what_was_valid_and_not_kept(
    world: World, open_page: OpenPage, form: str, scheme: str, place: str
) -> None:
    world.forgiven = ("409", "429", "503")
    notices = "hebrew" if form == "hebrew" else "english"
    page = shown(world, open_page, form, scheme, place)
    where = look(page, place, "form")
    with schemaless(world.site):
        answer(where)
        look(page, place, ".summary", NOTICES[503][notices])

    page = shown(world, open_page, form, scheme, place)
    complete(look(page, place, "form"))
    page.evaluate("history.back()")  # Playwright's own way waits for the page around
    where = look(page, place, "form")
    where.locator("[name=colour]").last.check()
    send(where)
    where = look(page, place, ".summary", NOTICES[409][notices])
    send(where)
    look(page, place, ".summary", NOTICES[429][notices])


@pytest.mark.parametrize("form", ["guarded", "guarded-hebrew"])
@SCHEMES
@PLACES
def test_the_states_of_a_form_with_a_challenge(  # noqa: PLR0917 - three of them a table
    world: World,
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    scheme: str,
    place: str,
) -> None:
    monkeypatch.setattr(altcha, "COST", 10)
    world.forgiven = ("422",)
    page = shown(world, open_page, form, scheme, place)
    where = look(page, place, "form")
    where.locator("[name=email]").focus()
    until(where, "document.querySelector('[name=altcha]').value")
    look(page, place, "form")
    send(where)
    complete(look(page, place, ".summary"))
    look(page, place, ".thanks")
    assert world.one().status == "accepted"


@FORMS
@SCHEMES
def test_a_refusal_in_a_frame(world: World, open_page: OpenPage, form: str, scheme: str) -> None:
    world.forgiven = ("413",)
    page = shown(world, open_page, form, scheme, "frame")
    frame = look(page, "frame", "form")
    frame.evaluate(
        """() => {
            const more = document.createElement("textarea");
            [more.name, more.value, more.hidden] = ["more", "x".repeat(70000), true];
            document.querySelector("form").append(more);
        }"""
    )
    send(frame)
    look(page, "frame", ".status", "413")


@FORMS
@SCHEMES
def test_a_refusal_in_a_frame_that_leads_to_the_form_itself(
    world: World, open_page: OpenPage, form: str, scheme: str
) -> None:
    world.forgiven = ("403",)
    html = (
        f'<form method="post" action="{world.origin}/f/{form}?_use=embed" target="answer">'
        '<button type="submit">Send</button></form>'
        '<iframe name="answer" title="The answer" width="100%" height="600"></iframe>'
    )
    page = open_page(world.partner.page(html, Referrer_Policy="no-referrer"), color_scheme=scheme)
    send(page)
    page.frame_locator("iframe").locator("a.back[target=_blank]").wait_for()
    frame = frame_of(page)
    paint(frame, light=scheme == "light")
    accept(page, frame)


@SCHEMES
@pytest.mark.parametrize(
    "sandbox", ["allow-forms allow-scripts", "allow-scripts allow-same-origin"]
)
def test_the_notice_of_a_frame_that_cant_send(
    world: World, open_page: OpenPage, sandbox: str, scheme: str
) -> None:
    # axe-core fetches style sheets again, which a frame without an origin may not.
    world.forgiven = ("Blocked", "sandbox", "formapp.css", "ProgressEvent")
    page = open_page(
        world.partner.page(world.iframe(attributes=f'sandbox="{sandbox}"')), color_scheme=scheme
    )
    frame = frame_of(page)
    frame.locator("form").wait_for()
    if "allow-same-origin" in sandbox:
        send(frame)
    frame.locator("#stuck").wait_for()
    paint(frame, light=scheme == "light")
    accept(page, frame)
