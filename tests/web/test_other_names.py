"""Forms that were made for another server: their own names, and lists with brackets."""

from typing import Any
from urllib.parse import urlencode

import pytest

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from tests.web.forms import LEAD
from tests.web.pages import Page
from tests.web.support import (
    FROM_LISTED,
    JSON,
    URLENCODED,
    Site,
    SiteMaker,
    assert_refused,
    multipart,
)

ALIASES = {
    "name": '["your-name", "Full name"]',
    "email": '["Correo electrónico"]',
    "extras": '["order[extras]"]',
    "privacy": '["accept"]',
}
PAIRS = [
    ("Full name", "Ada"),
    ("Correo electrónico", "ada@example.com"),
    ("accept", "on"),
    ("topic[]", "tea"),
    ("order[extras][]", "lemon"),
    ("order[extras][]", "milk"),
    ("unheard of", "1"),
]
KEPT = {
    "name": "Ada",
    "email": "ada@example.com",
    "privacy": True,
    "news": False,
    "topic": "tea",
    "extras": ["milk", "lemon"],
    "page": "https://www.example.com",
}


@pytest.fixture
def site(make_site: SiteMaker, forms: dict[str, Form]) -> Site:
    text = LEAD
    for name, aliases in ALIASES.items():
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\naliases = {aliases}\n')
    definition = parse_form("lead.toml", text)
    return make_site(forms=forms | {"lead": compile_form("lead", definition)})


def bodies() -> list[tuple[bytes, str]]:
    parts = [(f'name="{name}"', value) for name, value in PAIRS]
    return [(urlencode(PAIRS).encode(), URLENCODED), multipart(*parts)]


@pytest.mark.parametrize("body", bodies(), ids=["urlencoded", "multipart"])
def test_a_form_of_another_server_is_kept_by_the_names_of_the_form_file(
    site: Site, body: tuple[bytes, str]
) -> None:
    assert site.raw(*body).status_code == 200
    assert site.row().answers == KEPT
    assert 'unknown_fields_total{form="lead"} 1.0' in site.get("/metrics").text


@pytest.mark.parametrize(
    "extras",
    [
        {"order[extras]": ["lemon", "milk"]},
        {"extras[]": ["lemon", "milk"]},
        {"extras": "lemon", "extras[]": "milk"},
        {"extras[0]": "lemon", "extras[1]": "milk"},
        {"order[extras][1]": "milk", "extras": ["lemon", None, ""]},
    ],
)
def test_json_takes_lists_in_all_their_spellings(site: Site, extras: dict[str, Any]) -> None:
    singles = {name: value for name, value in PAIRS if name != "order[extras][]"}
    assert site.foreign(singles | extras, json=True).status_code == 200
    assert site.row().answers == KEPT


@pytest.mark.parametrize("json", [True, False])
def test_a_program_hears_of_errors_by_the_names_that_it_sent(site: Site, *, json: bool) -> None:
    wrong = {"your-name": "", "Correo electrónico": "x", "order[extras][]": "beer"}
    answer = site.foreign(wrong, json=json, Accept="application/json")
    assert answer.status_code == 422
    assert answer.json
    assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [
        ("your-name", "REQUIRED_FIELD_EMPTY"),
        ("Correo electrónico", "TYPE_EMAIL"),
        ("accept", "REQUIRED_FIELD_MISSING"),
    ]


def test_the_page_that_shows_the_errors_has_the_answers_in_its_own_controls(site: Site) -> None:
    page = Page(site.foreign({"your-name": "Ada", "Correo electrónico": "x"}))
    assert (page.sent["name"], page.sent["email"]) == ("Ada", "x")
    assert {"your-name", "Correo electrónico"}.isdisjoint(page.sent)


@pytest.mark.parametrize("json", [True, False])
def test_two_filled_names_of_one_field_are_refused_by_the_names_that_were_sent(
    site: Site, *, json: bool
) -> None:
    twice = {"your-name": "Ada", "name": "Bob", "email": "a@b.example"}
    answer = site.foreign(twice, json=json, Accept="application/json")
    assert_refused(answer, 400, "REPEATED_FIELD")
    assert answer.json
    assert "your-name" in answer.json["error"]
    assert "email" not in answer.json["error"]


def test_a_list_for_a_single_value_is_refused_though_its_name_is_written_otherwise(
    site: Site,
) -> None:
    decomposed = "Correo electro\u0301nico"
    assert_refused(site.foreign({decomposed: ["a@b.example"]}, json=True), 400, "REPEATED_FIELD")


def test_brackets_make_no_more_of_the_pairs_that_are_taken(site: Site) -> None:
    pairs = [("Full name", "Ada"), ("email", "ada@example.com"), ("accept", "on")]
    pairs += [("extras[]", "milk")] * 197
    assert site.raw(urlencode(pairs).encode(), URLENCODED).status_code == 200
    body = urlencode([*pairs, ("extras[]", "milk")]).encode()
    assert_refused(site.raw(body, URLENCODED), 400, "TOO_MANY_FIELDS")


def test_a_filled_honeypot_is_spam_under_any_names(site: Site) -> None:
    answer = site.open(
        "POST", "/f/lead", data={"your-name": "x", "_gotcha": "y"}, headers=FROM_LISTED | JSON
    )
    assert answer.status_code == 200
    assert (site.row().status, site.row().answers["your-name"]) == ("spam", ["x"])
