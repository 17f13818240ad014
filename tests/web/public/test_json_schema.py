"""schema.json: what it accepts the server takes, and what a front end needs is in it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # publishes no types
from playwright.sync_api import Browser

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form, load_forms
from formapp.forms.json_schema import form_schema
from formapp.forms.messages import required, texts_in
from formapp.forms.reading.text import clean_line
from formapp.resources import BUNDLED_FORMS
from tests.web.forms import OTHER
from tests.web.support import JSON, LISTED, OWN, UNLISTED, Site, assert_refused

TOP = """
title = "Everything"
intro = "All kinds."
origins = ["https://www.example.com"]
[texts.de]
title = "Alles"
"""
# Name -> keys; what ends with "!" is required.
FIELDS = {
    "name!": 'type = "text"\nlabel = "Name"\nto = "full_name"\naliases = ["your-name", "a.b[c]"]\n'
    'help = "Whole."\nplaceholder = "Ada"',
    "email!": 'type = "email"\nlabel = "E-mail"\nto = "email"',
    "short": 'type = "text"\nlabel = "Short"\nmin_length = 3\nmax_length = 5',
    "code!": 'type = "text"\nlabel = "Code"\nmin_length = 2',
    "country": 'type = "text"\nlabel = "Country"\nto = "country"',
    "locale": 'type = "text"\nlabel = "Locale"\nto = "locale"',
    "notes": 'type = "textarea"\nlabel = "Notes"\nmax_length = 30\nrows = 3',
    "amount": 'type = "number"\nlabel = "Amount"',
    "seats!": 'type = "number"\nlabel = "Seats"\nmin = 0.5\nmax = 20',
    "day": 'type = "date"\nlabel = "Day"',
    "term!": 'type = "date"\nlabel = "Term"\nmin = 2024-02-29\nmax = 2031-10-05',
    "topic": 'type = "select"\nlabel = "Topic"\nplaceholder = "None"\n'
    'options = [{ value = "t", label = "Tea" }, "a|b [c] ü"]',
    "colour!": 'type = "radio"\nlabel = "Colour"\noptions = ["red", "1"]',
    "extras": 'type = "checkboxes"\nlabel = "Extras"\noptions = ["a", "b"]\naliases = ["more[]"]',
    "ways!": 'type = "checkboxes"\nlabel = "Ways"\noptions = ["mail", "post"]',
    "news": 'type = "checkbox"\nlabel = "News"\nvalue = "please (yes)"',
    "privacy!": 'type = "consent"\nlabel = "I agree."\naliases = ["accept"]',
    "source": 'type = "hidden"\nfrom_query = "utm_source"',
    "phone": 'type = "tel"\nlabel = "Phone"\nregion = "GB"',
    "web": 'type = "url"\nlabel = "Web"',
}
GOOD: dict[str, Any] = {
    "name": "Ada",
    "email": "ada@example.com",
    "code": "xy",
    "seats": 2,
    "term": "2026-01-01",
    "colour": "red",
    "ways": ["mail"],
    "privacy": True,
}
# Normalisation changes none of these, and none is an invisible format character.
CHARACTERS = "ab@.-0123é😀 \t\n\x01\x1f\x7f\x85\xa0\u2028\u3000\0"
TEXTS = st.text(CHARACTERS, max_size=40)
BLANKS = st.text(" \t\n\xa0\u2003", max_size=2)
DATES = st.dates().map(str) | st.from_regex(r"(19|20)\d\d-[01]\d-[0-3]\d", fullmatch=True)
NUMBERS = st.from_regex(r"[+-]?[0-9]{0,18}\.?[0-9]{0,18}([eE][+-]?[0-9]{1,2})?", fullmatch=True)
WORDS = st.sampled_from(
    ["t", "a|b [c] ü", "aXb", "red", "1", "a", "b", "mail", "post", "TRUE", "On", "please (yes)",
     "yes", "GB", "gb", "Xx", "en", "pt_br", "zh-Hant-TW", "x-y", "2028-02-29", "2031-10-06"]
)  # fmt: skip
PADDED = st.tuples(BLANKS, TEXTS | DATES | NUMBERS | WORDS, BLANKS).map("".join)
SCALARS = (
    PADDED
    | st.none()
    | st.booleans()
    | st.integers(-(10**16), 10**16)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = SCALARS | st.lists(SCALARS | WORDS, max_size=3)
# Where no schema can say all, or where text is bounded as a number: see forms/fields/patterns.
STRICTER = {"email", "phone", "web"}
NAMES = [
    *(name.removesuffix("!") for name in FIELDS if name.removesuffix("!") not in STRICTER),
    *("your-name", "a.b[c]", "accept", "more[]", "extras[]", "extras[1]", "ways[0]", "name[]"),
    *("_next", "_gotcha", "_token", "stranger", "x\0"),
]
THOROUGHLY = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def every_kind() -> Form:
    fields = "".join(
        f'[[fields]]\nname = "{name.removesuffix("!")}"\n{keys}\n'
        + ("required = true\n" if name.endswith("!") else "")
        for name, keys in FIELDS.items()
    )
    german = "".join(
        f'[texts.de.fields.{name.removesuffix("!")}]\nlabel = "{name.title()}, bitte"\n'
        for name in FIELDS
        if name != "source"
    )
    top, texts, rest = TOP.partition("[texts.de]")
    return compile_form("lead", parse_form("lead.toml", top + fields + texts + rest + german))


@pytest.fixture(scope="module")
def one_site(tmp_path_factory: pytest.TempPathFactory, forms: dict[str, Form]) -> Iterator[Site]:
    site = Site.build(tmp_path_factory.mktemp("schema"), forms=forms | {"lead": every_kind()})
    yield site
    site.database.close()


@pytest.fixture(scope="module")
def schema(one_site: Site) -> dict[str, Any]:
    content = one_site.get("/f/lead/schema.json").json
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def accepts(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def is_taken(site: Site, content: dict[str, Any], language: str = "en") -> bool:
    answer = site.foreign(content, json=True, form=f"lead?lang={language}")
    assert answer.status_code in {200, 400, 422}, answer.text
    return answer.status_code == 200


def bounded_text(content: dict[str, Any]) -> bool:
    """A number that is written as text where `min` and `max` stand: only the server compares."""
    return isinstance(content.get("seats"), str)


@pytest.mark.slow
@THOROUGHLY
@given(changes=st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3))
@example({"name": None, "your-name": "Ada"})
@example({"amount": 1e15})
@example({"amount": 1e-14})
@example({"amount": "0.00000000000001"})
@example({"amount": "9e14"})
@example({"amount": "1.234e14"})
@example({"amount": "999.999"})
@example({"day": "2100-02-29"})
@example({"day": "0000-01-01"})
@example({"term": "2031-10-05 "})
@example({"country": " gb"})
@example({"privacy": " tRue "})
@example({"ways": [None, "", "post"]})
@example({"extras": "b", "more[]": ["a"], "extras[1]": "b"})
def test_what_the_schema_accepts_the_server_takes(
    one_site: Site, accepts: Draft202012Validator, changes: dict[str, Any]
) -> None:
    content = GOOD | changes
    assume(not bounded_text(content))
    if accepts.is_valid(content):
        assert is_taken(one_site, content)
        assert is_taken(one_site, content, "de")


@pytest.mark.slow
@THOROUGHLY
@given(
    name=st.sampled_from(["name", "short", "code", "notes"]),
    text=PADDED,
)
@example("short", "  a c  ")
def test_of_texts_the_schema_accepts_just_what_the_server_takes(
    one_site: Site, accepts: Draft202012Validator, name: str, text: str
) -> None:
    longest = {"short": 5, "notes": 30}.get(name, 1000)
    assume(len(text) <= longest or len(clean_line(text)) > longest)
    content = GOOD | {name: text}
    assert accepts.is_valid(content) == is_taken(one_site, content)


@pytest.mark.slow
@THOROUGHLY
@given(
    name=st.sampled_from(["amount", "seats"]),
    number=st.integers(-(10**16), 10**16)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-30, 30),
)
@example("seats", 0.5)
@example("seats", 20.000000000000004)
def test_of_numbers_the_schema_accepts_just_what_the_server_takes(
    one_site: Site, accepts: Draft202012Validator, name: str, number: float
) -> None:
    content = GOOD | {name: number}
    assert accepts.is_valid(content) == is_taken(one_site, content)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in ("name", "ways", "privacy", "seats", "term", "colour")),
        *({name: ""} for name in ("name", "ways", "privacy", "seats", "term", "colour")),
        {"your-name": "Bob"},
        {"colour": "green"},
        {"ways": ["pigeon"]},
        {"privacy": False},
        {"privacy": "no"},
        {"email": "nobody"},
        {"web": "two words"},
        {"_next": ["a", "b"]},
        {"name[]": "Bob"},
        {"notes": "nul\0"},
        {f"x{number}": 1 for number in range(200)},
    ],
    ids=lambda changes: str(changes)[:20],
)
def test_what_the_server_refuses_the_schema_refuses_too(
    one_site: Site, accepts: Draft202012Validator, changes: dict[str, Any]
) -> None:
    content = GOOD | changes
    assert not is_taken(one_site, content)
    assert not accepts.is_valid(content)


def test_a_required_field_may_come_by_its_alias_alone(
    one_site: Site, accepts: Draft202012Validator
) -> None:
    renamed = {"name": "a.b[c]", "privacy": "accept"}
    content = {renamed.get(name, name): value for name, value in GOOD.items()}
    assert accepts.is_valid(content)
    assert is_taken(one_site, content)
    for name in content:
        rest = {other: value for other, value in content.items() if other != name}
        assert not accepts.is_valid(rest)
        assert not is_taken(one_site, rest)


def test_a_front_end_finds_what_it_draws(schema: dict[str, Any]) -> None:
    form = schema["x-formapp"]
    assert (schema["title"], schema["description"]) == ("Everything", "All kinds.")
    assert form["order"] == [name.removesuffix("!") for name in FIELDS]
    assert form["post"]["url"] == f"{OWN}/f/lead"
    assert {"_gotcha", "_next"} <= set(form["own_names"])
    assert "challenge" not in form
    assert (form["language"], form["languages"]) == ("en", ["en", "de"])
    name = schema["properties"]["name"]
    assert (name["title"], name["description"]) == ("Name", "Whole.")
    assert name["x-formapp"] == {
        "type": "text",
        "required": True,
        "aliases": ["your-name", "a.b[c]"],
        "placeholder": "Ada",
        "autocomplete": "name",
        "max_length": name["maxLength"],
        "messages": {
            "REQUIRED_FIELD_MISSING": "is required",
            "REQUIRED_FIELD_EMPTY": "is required",
            "TOO_LONG": f"should have at most {name['maxLength']} characters",
        },
    }
    topic = schema["properties"]["topic"]["x-formapp"]
    assert topic["options"][0] == {"value": "t", "label": "Tea"}
    assert "messages" not in topic
    assert schema["properties"]["term"]["x-formapp"]["min"] == "2024-02-29"
    assert schema["properties"]["your-name"] == {"$ref": "#/properties/name"}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("altcha", {"kind": "altcha", "name": "altcha", "url": f"{OWN}/f/x/challenge"}),
        ("turnstile", {"kind": "turnstile", "name": "cf-turnstile-response"}),
    ],
)
def test_a_front_end_hears_of_a_challenge(kind: str, told: dict[str, str]) -> None:
    text = OTHER.replace("[[", f'[spam]\nchallenge = "{kind}"\n[[', 1)
    form = compile_form("x", parse_form("x.toml", text))
    assert form_schema(form, OWN, limit=200)["x-formapp"]["challenge"] == told


def test_every_code_that_the_server_answers_is_among_the_fields_messages(
    one_site: Site, schema: dict[str, Any]
) -> None:
    properties, names = schema["properties"], schema["x-formapp"]["order"]
    wrong: list[dict[str, Any]] = [
        {},
        dict.fromkeys(GOOD, ""),
        dict.fromkeys(names, "x" * 2500),
        dict.fromkeys(names, "!"),
        {"seats": 0, "term": "2000-01-01"},
        {"seats": 21, "term": "2100-01-01"},
    ]
    seen = set()
    for answers in wrong:
        answer = one_site.foreign(answers, json=True)
        assert answer.json
        for fault in answer.json["errors"]:
            told = properties[fault["field"]]["x-formapp"]["messages"]
            assert told[fault["code"]] == fault["message"]
            seen.add((fault["field"], fault["code"]))
    promised = {
        (name, code)
        for name, field in properties.items()
        if "x-formapp" in field
        for code in field["x-formapp"].get("messages", {})
    }
    assert promised == seen


def test_texts_are_in_the_language_that_is_asked_for(one_site: Site) -> None:
    german = one_site.get("/f/lead/schema.json?lang=de-AT").json
    other = one_site.get("/f/lead/schema.json?lang=fr").json
    assert german
    assert other
    assert (german["title"], other["title"]) == ("Alles", "Everything")
    name = german["properties"]["name"]
    assert name["title"] == "Name!, bitte"
    missing = required("text", posted=False).localize(texts_in("de"))
    assert name["x-formapp"]["messages"]["REQUIRED_FIELD_MISSING"] == missing


def test_a_copy_is_kept_until_the_form_or_the_language_changes(one_site: Site) -> None:
    first = one_site.get("/f/lead/schema.json")
    assert first.content_type == "application/schema+json"
    assert "max-age" in first.headers["Cache-Control"]
    again = one_site.get("/f/lead/schema.json", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    tags = {
        one_site.get(path).headers["ETag"]
        for path in ("/f/lead/schema.json", "/f/lead/schema.json?lang=de", "/f/other/schema.json")
    }
    assert len(tags) == 3


def test_pages_of_listed_origins_may_read_it_and_no_others(one_site: Site) -> None:
    listed = one_site.get("/f/lead/schema.json", Origin=LISTED)
    assert listed.headers["Access-Control-Allow-Origin"] == LISTED
    assert "Origin" in listed.headers["Vary"]
    again = one_site.get(
        "/f/lead/schema.json", Origin=LISTED, **{"If-None-Match": listed.headers["ETag"]}
    )
    assert (again.status_code, again.headers["Access-Control-Allow-Origin"]) == (304, LISTED)
    unlisted = one_site.get("/f/lead/schema.json", Origin=UNLISTED)
    assert "Access-Control-Allow-Origin" not in unlisted.headers
    assert "Origin" in unlisted.headers["Vary"]


@pytest.mark.parametrize("headers", [{}, JSON])
def test_an_unknown_form_is_told_as_json(one_site: Site, headers: dict[str, str]) -> None:
    assert_refused(one_site.get("/f/nope/schema.json", **headers), 404, "FORM_NOT_FOUND")


@pytest.mark.parametrize("form", ["contact", "newsletter", "quote"])
def test_the_bundled_forms_have_a_right_schema(form: str) -> None:
    schema = form_schema(load_forms(BUNDLED_FORMS)[form], OWN, limit=200)
    assert list(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)) == []
    assert "email" in schema["required"]


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("patternProperties", {})
        for key, value in schema.items():
            if key == "pattern":
                yield value
            yield from patterns(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from patterns(value)


@pytest.mark.browser
def test_browsers_read_the_patterns_as_python_does(
    browser: Browser, schema: dict[str, Any]
) -> None:
    texts = [*CHARACTERS, "Ada", " \n", "2024-02-29", "2023-02-29", "1e3", "0.0", "+12.5", " on "]
    texts += ["name[]", "extras[12]", "_next", "GB", "a@b.example", "xy z", "\u00a0abc\u00a0"]
    found = sorted(set(patterns(schema)))
    assert len(found) > 15
    page = browser.new_page()
    said = page.evaluate(
        "([ps, ts]) => ps.map((p) => ts.map((t) => new RegExp(p, 'u').test(t)))", [found, texts]
    )
    page.close()
    expected = [
        [Draft202012Validator({"pattern": p}).is_valid(text) for text in texts] for p in found
    ]
    assert said == expected
