"""embed.js: however it is put into a page, what it takes along, and that the frame fits."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.uses.conftest import World
from tests.uses.visitors import fill_in, fitted, frame_of, send, thanked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]

INSERT = """
const script = document.createElement("script");
script.src = "{origin}/embed.js";
script.dataset.form = "lead";
{more}
"""


@pytest.mark.parametrize("attributes", ["", "async", "defer", 'type="module"', "crossorigin async"])
def test_a_form_stands_where_its_line_stands(
    world: World, open_page: OpenPage, attributes: str
) -> None:
    line = world.snippet(attributes=attributes)
    page = open_page(world.listed.page(f"<p>before</p>{line}<p>after</p>"))
    fitted(page)
    order = page.locator("main > *").evaluate_all("all => all.map(e => e.tagName)")
    assert order == ["H1", "P", "SCRIPT", "IFRAME", "P"]


@pytest.mark.parametrize(
    "more",
    [
        "document.querySelector('main').append(script);",
        "script.async = false; document.querySelector('main').append(script);",
        "script.type = 'module'; document.querySelector('main').append(script);",
        "script.dataset.target = '#here'; document.head.append(script);",
        # A loader of other people's scripts runs the text and says nothing of an element.
        (
            "script.type = 'text/plain'; document.querySelector('main').append(script);"
            "fetch(script.src).then(a => a.text()).then(t => new Function(t)());"
        ),
    ],
)
def test_a_script_may_put_it_in(world: World, open_page: OpenPage, more: str) -> None:
    page = open_page(world.listed.page('<div id="here"></div>'))
    page.evaluate(
        "(source) => new Function(source)()", INSERT.format(origin=world.origin, more=more)
    )
    page.locator("iframe").wait_for()
    fitted(page)
    expect(page.locator("iframe")).to_have_count(1)


def test_a_line_in_the_head_names_its_place(world: World, open_page: OpenPage) -> None:
    head = world.snippet(attributes='data-target="#here"')
    page = open_page(world.listed.page('<div id="here"></div><p>after</p>', head=head))
    fitted(page)
    assert page.locator("#here > iframe").count() == 1


@pytest.mark.parametrize("attributes", ["", 'data-target="#nowhere"'])
def test_a_line_without_a_place_says_so(world: World, open_page: OpenPage, attributes: str) -> None:
    head = world.snippet(attributes=attributes)
    page = open_page(world.listed.page("<p>x</p>", head=head))
    expect(page.locator("iframe")).to_have_count(0)
    [said] = world.warnings()
    assert "data-target" in said


def test_several_on_a_page_keep_apart_though_one_is_there_twice(
    world: World, open_page: OpenPage
) -> None:
    lines = [
        world.snippet(attributes='async data-prefill-name="One"'),
        world.snippet("hebrew"),
        world.snippet(attributes='type="module" data-prefill-name="Two"'),
    ]
    page = open_page(world.listed.page("".join(lines)))
    expect(page.locator("iframe")).to_have_count(3)
    frames = [fitted(page, index) for index in range(3)]
    expect(frames[0].locator("[name=name]")).to_have_value("One")
    expect(frames[2].locator("[name=name]")).to_have_value("Two")
    fill_in(frames[2], email="two@example.com")
    send(frames[2])
    thanked(frame_of(page, 2))
    fitted(page, 2)
    expect(frames[0].locator("[name=name]")).to_have_value("One")
    assert world.one().answers["email"] == "two@example.com"


# What it takes along


def test_of_the_pages_query_only_the_campaign_and_what_may_be_filled_in_comes_along(
    world: World, open_page: OpenPage, caplog: pytest.LogCaptureFixture
) -> None:
    asked = "name=Ada&email=ada@example.com&plan=large&colour=blue&extras=milk&extras=lemon"
    other = "gclid=click-1&utm_source=letter&note=injected&privacy=yes&token=private&_next=x"
    page = open_page(world.listed.page(world.snippet()) + f"?{asked}&{other}")
    frame = fitted(page)
    expect(frame.locator("[name=email]")).to_have_value("ada@example.com")
    expect(frame.locator("[name=plan]")).to_have_value("large")
    expect(frame.locator("[name=colour][value=blue]")).to_be_checked()
    expect(frame.locator("[name=extras]:checked")).to_have_count(2)
    expect(frame.locator("[name=note]")).to_have_value("")
    expect(frame.locator("[name=privacy]")).not_to_be_checked()
    # Nobody's answer is in an address, where a proxy would write it down.
    assert set(parse_qs(urlsplit(frame.url).query)) == {"utm_source", "parent", "_page", "scheme"}
    frame.locator("[name=privacy]").check()
    send(frame)
    thanked(frame_of(page))
    answers = world.one().answers
    assert answers["name"] == "Ada"
    assert answers["extras"] == ["milk", "lemon"]
    assert (answers["click"], answers["source"]) == ("click-1", "letter")
    assert "private" not in str(world.one())
    assert "ada@example.com" not in caplog.text


def test_what_the_line_says_goes_before_the_query_and_nothing_before_the_visitor(
    world: World, open_page: OpenPage
) -> None:
    attributes = 'async data-prefill-name="Owner" data-prefill-gclid="c" data-prefill-note="no"'
    page = open_page(
        world.listed.page(world.snippet(attributes=attributes)) + "?name=Link&plan=none"
    )
    frame = fitted(page)
    expect(frame.locator("[name=name]")).to_have_value("Owner")
    expect(frame.locator("[name=click]")).to_have_value("c")
    expect(frame.locator("[name=note]")).to_have_value("")
    expect(frame.locator("[name=plan]")).to_have_value("")
    # Shown again with errors, the form asks for nothing: what is blank was left blank.
    frame.locator("[name=name]").fill("")
    send(frame)
    frame = fitted(page)
    expect(frame.locator(".summary")).to_be_visible()
    expect(frame.locator("[name=name]")).to_have_value("")
    world.forgiven = ("422",)


def test_a_hosted_form_and_a_plain_iframe_are_filled_in_by_the_same_rule(
    world: World, open_page: OpenPage
) -> None:
    query = "?name=Ada&note=injected&privacy=yes&plan=large"
    page = open_page(f"{world.origin}/f/lead{query}")
    framed = open_page(world.partner.page(world.iframe(query=query))).frame_locator("iframe")
    for where in (page, framed):
        expect(where.locator("[name=name]")).to_have_value("Ada")
        expect(where.locator("[name=plan]")).to_have_value("large")
        expect(where.locator("[name=note]")).to_have_value("")
        expect(where.locator("[name=privacy]")).not_to_be_checked()


def test_the_line_may_say_the_language(world: World, open_page: OpenPage) -> None:
    page = open_page(world.listed.page(world.snippet(attributes='data-lang="de" async')))
    assert parse_qs(urlsplit(fitted(page).url).query)["lang"] == ["de"]


def test_the_form_may_take_the_language_of_the_page_around(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(world.listed.page(world.snippet(attributes='data-lang="auto" async')))

    assert page.locator("html").get_attribute("lang") == "en"
    assert parse_qs(urlsplit(fitted(page).url).query)["lang"] == ["en"]


def test_the_line_may_say_the_look_and_only_what_is_listed_counts(
    world: World, open_page: OpenPage
) -> None:
    look = (
        'data-accent="#7a1f5c" data-radius="0" data-font="Georgia, serif" '
        'data-text="url(x)" data-background="red;} body {display: none"'
    )
    page = open_page(world.listed.page(world.snippet(attributes=f"async {look}")))
    frame = fitted(page)
    button = frame.locator("button[type=submit]")
    for name, value in {
        "background-color": "rgb(122, 31, 92)",
        "color": "rgb(255, 255, 255)",
        "border-radius": "0px",
        "font-family": "Georgia, serif",
    }.items():
        expect(button).to_have_css(name, value)
    fill_in(frame)
    send(frame)
    thanked(frame_of(page))
    # The look stays to the end.
    expect(frame_of(page).locator(".tick")).to_have_css("color", "rgb(122, 31, 92)")


def test_without_a_script_the_page_has_a_link(world: World, open_page: OpenPage) -> None:
    link = f'<noscript><a href="{world.origin}/f/lead">Ask us</a></noscript>'
    page = open_page(world.listed.page(world.snippet() + link), javascript=False)
    page.get_by_role("link", name="Ask us").click()
    fill_in(page)
    send(page)
    thanked(page)
    assert world.one().meta["use"] == "page"
