"""The style sheet of a form: from its file, and in a frame from the page around."""

import re
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import compile_form
from tests.web.forms import LEAD, OTHER
from tests.web.pages import Page
from tests.web.support import GOOD, Site, SiteMaker

THEME = '\n[theme]\naccent = "#7a1f5c"\ntext = "#222"\nbackground = "ivory"\n'
SHEET = re.compile(r'<link rel="stylesheet" href="(/f/[^"]+)">')


@pytest.fixture
def themed(make_site: SiteMaker) -> Site:
    """A site whose form `lead` has a theme, and whose form `other` has none."""
    first, fields = LEAD.split("\n[[fields]]", 1)
    texts = {"lead": f"{first}{THEME}\n[[fields]]{fields}", "other": OTHER}
    return make_site(forms={n: compile_form(n, parse_form(n, text)) for n, text in texts.items()})


def sheets(answer: TestResponse) -> list[str]:
    """The addresses of a form's own style sheets on a page."""
    found = SHEET.findall(answer.get_data(as_text=True))
    return [address.replace("&amp;", "&") for address in found]


def css(site: Site, address: str) -> str:
    """What a style sheet says."""
    answer = site.get(address)
    assert answer.status_code == 200
    assert answer.mimetype == "text/css"
    text: str = answer.get_data(as_text=True)
    return text


def test_every_page_of_a_form_with_a_theme_has_its_sheet(themed: Site) -> None:
    pages = [
        themed.get("/f/lead"),
        themed.get("/f/lead/embed"),
        themed.get("/f/lead/thanks"),
        themed.post({}),
        themed.foreign(GOOD, Origin="https://www.example.org"),
    ]
    assert [page.status_code for page in pages] == [200, 200, 200, 422, 403]
    for page in pages:
        [address] = sheets(page)
        assert "--accent: #7a1f5c" in css(themed, address)
        assert "style-src 'self';" in page.headers["Content-Security-Policy"]


def test_other_pages_have_none(themed: Site) -> None:
    for path in ("/f/other", "/f/other/embed", "/f/nothing", "/nothing"):
        assert sheets(themed.get(path)) == [], path
    assert themed.get("/f/nothing/theme.css").status_code == 404
    # Another process may serve another version of the form: its look is kept by nobody.
    assert themed.get("/f/lead/theme.css?v=other").headers["Cache-Control"] == "no-cache"


def test_a_sheet_is_kept_by_browsers_as_long_as_the_form_file_stays_as_it_is(
    themed: Site,
) -> None:
    [address] = sheets(themed.get("/f/lead"))
    answer = themed.get(address)
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.search(r"\?v=[0-9a-f]{12}$", address)


def test_in_a_frame_the_page_around_has_its_say_to_the_end(themed: Site) -> None:
    query = urlencode(
        {"theme.accent": "#0000aa", "theme.radius": "4px", "theme.dark.text": "white"}
    )
    shown = themed.get(f"/f/other/embed?{query}")
    again = Page(shown).submit(themed)
    done = Page(again).submit(themed, email="ada@example.com")
    thanks = themed.get(done.headers["Location"])
    assert [again.status_code, done.status_code, thanks.status_code] == [422, 303, 200]
    for page in (shown, again, thanks):
        [address] = sheets(page)
        sheet = css(themed, address)
        assert "--accent: #0000aa" in sheet
        assert "--radius: 4px" in sheet
    assert "theme" not in str(themed.row().meta)


def test_a_hosted_page_looks_as_its_owner_says_whatever_its_address_holds(themed: Site) -> None:
    [address] = sheets(themed.get("/f/lead?theme.accent=red"))
    assert "red" not in address
    assert sheets(themed.get("/f/other?theme.accent=red")) == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("theme.accent", "red;} body {display:none}"),
        ("theme.accent", "url(https://evil.example)"),
        ("theme.accent", "expression(alert(1))"),
        ("theme.accent", "</style><script>"),
        ("theme.radius", "calc(1px * 9999)"),
        ("theme.radius", "9999px"),
        ("theme.radius", "-1px"),
        ("theme.font", 'x"; } * { display: none'),
        ("theme.font", "x, url(//evil.example)"),
        ("theme.font", "a" * 300),
        ("theme.font", "\\66"),
        ("theme.dark.radius", "0"),
        ("theme.dark.dark", "x"),
        ("theme.dark", "x"),
        ("theme.zzz", "red"),
        ("theme.", "red"),
        ("theme.text", "red\0"),
    ],
)
def test_what_is_no_part_of_a_theme_is_left_out(themed: Site, key: str, text: str) -> None:
    query = urlencode({key: text})
    assert sheets(themed.get(f"/f/other/embed?{query}")) == []
    assert css(themed, f"/f/other/theme.css?{query}") == css(themed, "/f/other/theme.css")


def test_text_that_could_not_be_read_is_left_out_and_the_rest_stays(themed: Site) -> None:
    query = {"theme.text": "#eee", "theme.background": "white", "theme.accent": "navy"}
    assert "--ink" not in css(themed, f"/f/other/theme.css?{urlencode(query)}")
    assert "--accent: #000080" in css(themed, f"/f/other/theme.css?{urlencode(query)}")
    # Light text alone makes the form dark.
    alone = css(themed, "/f/other/theme.css?theme.text=%23eee")
    assert "color-scheme: dark" in alone
    # On the owner's own light ground it could not be read.
    assert "--ink: #222222" in css(themed, "/f/lead/theme.css?theme.text=%23eee")
