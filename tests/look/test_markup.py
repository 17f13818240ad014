"""What the templates write, without a browser."""

import gzip
import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formapp.resources import STATIC, TEMPLATES

PAGES = [
    "/f/contact",
    "/f/quote",
    "/f/newsletter",
    "/f/arabic",
    "/f/steps",
    "/f/quote/embed",
    "/f/quote?notice",
    "/f/contact/thanks",
    "/f/contact/thanks?use=embed",
    "/error",
]
TYPICAL_FIRST_FLIGHT = 14 * 1024


class Elements(HTMLParser):
    """All start tags of a page, in order, as (tag, attributes)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture
def client(look_app: Flask) -> FlaskClient:
    return look_app.test_client()


def controls(page: str) -> list[dict[str, str | None]]:
    every = Elements(page).of("input", "select", "textarea")
    return [one for one in every if one.get("type") != "hidden" and one["name"] != "_gotcha"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(
    client: FlaskClient, path: str
) -> None:
    page = client.get(path).get_data(as_text=True)

    elements = Elements(page).found
    assert not [tag for tag, _ in elements if tag == "style"]
    assert not [a for _, a in elements if any(n == "style" or n.startswith("on") for n in a)]
    assert all(a.get("src") for tag, a in elements if tag == "script")
    links = [a.get(n) or "" for _, a in elements for n in ("src", "href", "action") if n in a]
    assert links
    assert not [link for link in links if "//" in link]


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_unique_and_every_reference_leads_somewhere(client: FlaskClient, path: str) -> None:
    page = client.post(path).get_data(as_text=True) if _is_form(path) else ""
    page = page or client.get(path).get_data(as_text=True)

    elements = [attributes for _, attributes in Elements(page).found]
    ids = [a["id"] for a in elements if "id" in a]
    assert len(ids) == len(set(ids))
    references = [
        reference
        for a in elements
        for name in ("for", "aria-describedby", "aria-labelledby")
        for reference in (a.get(name) or "").split()
    ]
    links = [(a.get("href") or "")[1:] for a in elements if (a.get("href") or "").startswith("#")]
    assert set(references + links) <= set(ids)


def _is_form(path: str) -> bool:
    return "/thanks" not in path and path != "/error"


@pytest.mark.parametrize("name", ["contact", "quote", "newsletter"])
def test_every_wrong_control_says_so_and_is_tied_to_its_error(
    client: FlaskClient, name: str
) -> None:
    page = client.post(f"/f/{name}").get_data(as_text=True)

    wrong = [one for one in controls(page) if one.get("aria-invalid") == "true"]
    assert wrong
    for control in wrong:
        assert f"e-{control['name']}" in (control["aria-describedby"] or "").split()
    summary = page[page.index('class="summary"') : page.index("<h1>")]
    assert {control["name"] for control in wrong} == set(
        re.findall(r'href="#f-([a-z_]+?)(?:-0)?"', summary)
    )


def test_help_comes_before_the_error_in_what_describes_a_control(client: FlaskClient) -> None:
    page = client.post("/f/quote", data={"email": "ada"}).get_data(as_text=True)

    email = next(one for one in controls(page) if one["name"] == "email")
    assert email["aria-describedby"] == "h-email e-email"


def test_a_first_showing_has_no_error_and_no_control_is_wrong(client: FlaskClient) -> None:
    page = client.get("/f/quote").get_data(as_text=True)

    assert "aria-invalid" not in page
    assert 'class="summary"' not in page
    assert "<title>Ask for a quote</title>" in page


@pytest.mark.parametrize("query", ["", "?notice"])
def test_the_title_says_that_something_is_wrong(client: FlaskClient, query: str) -> None:
    answer = client.get("/f/quote?notice") if query else client.post("/f/quote")

    assert "<title>Error: Ask for a quote</title>" in answer.get_data(as_text=True)


def test_what_is_optional_says_so_and_nothing_else_does(client: FlaskClient) -> None:
    page = client.get("/f/quote").get_data(as_text=True)

    label = re.compile(r'<(?:label for="f-|legend>)(?:.*?)</(?:label|legend)>')
    texts = [re.sub("<[^>]+>", "", text) for text in label.findall(page)]
    assert "First name" in texts
    assert "Phone (optional)" in texts
    assert "What do you need?" in texts
    assert "What else? (optional)" in texts


@pytest.mark.parametrize(("field", "kind"), [("quantity", "text"), ("deadline", "date")])
def test_what_is_no_number_or_date_stays_in_sight(
    client: FlaskClient, field: str, kind: str
) -> None:
    good = client.get("/f/quote").get_data(as_text=True)
    bad = client.post("/f/quote", data={field: "about ten"}).get_data(as_text=True)

    [first] = [one for one in controls(good) if one["name"] == field]
    [again] = [one for one in controls(bad) if one["name"] == field]
    assert first["type"] == kind
    assert (again["type"], again["value"]) == ("text", "about ten")
    assert not {"min", "max", "step"} & set(again)


def test_what_a_visitor_typed_is_text_and_not_markup(client: FlaskClient) -> None:
    page = client.post("/f/quote", data={"first_name": '"><b>x'}).get_data(as_text=True)

    assert "<b>" not in page
    assert "&#34;&gt;&lt;b&gt;x" in page


def test_the_trap_is_hidden_from_people_and_tells_them_to_leave_it_empty(
    client: FlaskClient,
) -> None:
    page = client.get("/f/contact").get_data(as_text=True)

    [trap] = [one for one in Elements(page).of("input") if one["name"] == "_gotcha"]
    assert (trap["type"], trap["tabindex"], trap["autocomplete"]) == ("text", "-1", "off")
    assert '<div class="aside" aria-hidden="true"><label for="gotcha">Leave this' in page


def test_a_page_of_a_language_that_formapp_lacks_marks_the_english_in_it(
    client: FlaskClient,
) -> None:
    page = client.post("/f/persian").get_data(as_text=True)

    assert '<html lang="fa" dir="rtl">' in page
    assert '<span lang="en" dir="ltr">There is a problem</span>' in page
    assert '<span lang="en" dir="ltr">Enter an answer.</span>' in page
    assert '<html lang="fa" dir="rtl">' in client.get("/f/persian/thanks").get_data(as_text=True)


def test_a_page_of_a_language_that_formapp_speaks_marks_nothing(client: FlaskClient) -> None:
    page = client.post("/f/arabic").get_data(as_text=True)

    assert '<html lang="ar" dir="rtl">' in page
    assert "يُرجى ملء الحقل «البريد الإلكتروني»." in page
    assert 'lang="en"' not in page


def test_an_english_page_does_not_mark_english(client: FlaskClient) -> None:
    assert client.post("/f/quote").get_data(as_text=True).count('lang="en"') == 1


@pytest.mark.parametrize(
    ("query", "marked"), [("?scheme=dark", True), ("?scheme=pink", False), ("", False)]
)
def test_only_an_embedded_page_takes_a_scheme(
    client: FlaskClient, query: str, *, marked: bool
) -> None:
    embedded = client.get(f"/f/contact/embed{query}").get_data(as_text=True)
    hosted = client.get(f"/f/contact{query}").get_data(as_text=True)

    assert ('data-scheme="dark"' in embedded) is marked
    assert "data-scheme" not in hosted


def test_an_embedded_page_has_no_footer(client: FlaskClient) -> None:
    assert "<footer>" in client.get("/f/contact").get_data(as_text=True)
    assert "<footer>" not in client.get("/f/contact/embed").get_data(as_text=True)


def test_the_heaviest_page_with_all_it_loads_fits_a_first_flight(client: FlaskClient) -> None:
    parts = [client.get("/f/quote").get_data()]
    parts += [(STATIC / name).read_bytes() for name in ("formapp.css", "formapp.js", "icon.svg")]

    sizes = [len(gzip.compress(part, 9)) for part in parts]
    assert sum(sizes) < TYPICAL_FIRST_FLIGHT * 0.6


def test_a_form_with_steps_and_conditions_fits_a_first_flight_too(client: FlaskClient) -> None:
    names = ("formapp.css", "formapp.js", "conditions.js", "steps.js", "icon.svg")
    parts = [client.get("/f/steps").get_data(), *((STATIC / name).read_bytes() for name in names)]
    assert sum(len(gzip.compress(part, 9)) for part in parts) < TYPICAL_FIRST_FLIGHT


def test_scripts_and_style_are_small() -> None:
    assert len(gzip.compress((STATIC / "embed.js").read_bytes(), 9)) <= 2560
    assert len(gzip.compress((STATIC / "formapp.js").read_bytes(), 9)) <= 2048
    assert len(gzip.compress((STATIC / "conditions.js").read_bytes(), 9)) <= 1024
    assert len(gzip.compress((STATIC / "steps.js").read_bytes(), 9)) <= 2048
    assert len(gzip.compress((STATIC / "frame.js").read_bytes(), 9)) <= 2048
    assert len(gzip.compress((STATIC / "formapp.css").read_bytes(), 9)) <= 4096


def test_no_script_keeps_anything_on_the_visitors_machine() -> None:
    for path in [*STATIC.glob("*.js"), *TEMPLATES.rglob("*.html")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"document\.cookie|localStorage|sessionStorage|indexedDB", text), path
