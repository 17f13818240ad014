"""axe-core on what visitors rarely see: notices, refusals in a frame, a form with a challenge."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from formapp.spam import altcha
from tests.uses.conftest import World
from tests.uses.looked_at import (
    FORMS,
    PLACES,
    SCHEMES,
    answer,
    assert_accessible,
    complete,
    look,
    paint,
    shown,
)
from tests.uses.visitors import frame_of, send, until
from tests.web.support import schemaless

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]

NOTICES = {
    409: {"english": "You have already sent this form", "hebrew": "טופס זה כבר נשלח"},
    429: {"english": "Too many messages", "hebrew": "הגיעו יותר מדי הודעות"},
    503: {"english": "could not save", "hebrew": "לא ניתן היה לשמור"},
}


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
    # Playwright's own way waits for the page around. Later, since a script that leaves its page
    # while it runs may end as an error.
    page.evaluate("setTimeout(() => history.back())")
    where = look(page, place, "form")
    where.locator("[name=colour]").last.check()
    send(where)
    where = look(page, place, ".summary", NOTICES[409][notices])
    send(where)
    look(page, place, ".summary", NOTICES[429][notices])
    assert len(world.site.rows()) == 1


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
            [more.name, more.value, more.hidden] = ["more", "x".repeat(1200000), true];
            document.querySelector("form").append(more);
        }"""
    )
    send(frame)
    look(page, "frame", ".status", "413")
    assert world.site.rows() == []


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
    assert world.site.rows() == []
    paint(frame, light=scheme == "light")
    assert_accessible(page, frame)
