"""axe-core on every page and state: hosted and in a frame, light and dark, left and right."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.uses.conftest import World
from tests.uses.looked_at import FORMS, SCHEMES, assert_accessible, complete, ground, paint
from tests.uses.visitors import fitted, frame_of, send

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]


@FORMS
@SCHEMES
@pytest.mark.parametrize("width", [1280, 390])
def test_the_states_of_a_hosted_form(
    world: World, open_page: OpenPage, form: str, scheme: str, width: int
) -> None:
    world.forgiven = ("422",)
    page = open_page(f"{world.origin}/f/{form}", color_scheme=scheme, width=width)
    assert_accessible(page)
    send(page)
    page.locator(".summary").wait_for()
    assert_accessible(page)
    complete(page)
    assert_accessible(page)
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
    assert_accessible(page, frame)
    send(frame)
    frame.locator(".summary").wait_for()
    frame = fitted(page)
    ground(page, frame)
    assert_accessible(page, frame)
    complete(frame)
    frame = fitted(page)
    ground(page, frame)
    assert_accessible(page, frame)
    assert len(world.site.rows()) == 1


@SCHEMES
@pytest.mark.parametrize("path", ["/f/nothing", "/nothing", "/f/lead/thanks", "/f/hebrew/thanks"])
def test_what_is_shown_without_a_form(
    world: World, open_page: OpenPage, path: str, scheme: str
) -> None:
    world.forgiven = ("404",)
    page = open_page(world.origin + path, color_scheme=scheme)
    assert page.locator("form").count() == 0
    assert_accessible(page)


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
    assert world.site.rows() == []
    assert_accessible(page)


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
    frame.locator("#blocked").wait_for()
    assert world.site.rows() == []
    paint(frame, light=scheme == "light")
    assert_accessible(page, frame)
