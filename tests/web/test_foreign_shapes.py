"""Posts in the shapes of other people's forms and programs: each lead is kept, with all it says."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from tests.web.forms import LEAD
from tests.web.pages import Page
from tests.web.support import (
    FROM_LISTED,
    GOOD,
    JSON,
    LISTED,
    UNLISTED,
    URLENCODED,
    Site,
    SiteMaker,
    assert_refused,
    multipart,
)

MIB = 1024 * 1024
WITHOUT_EMAIL = {name: value for name, value in GOOD.items() if name != "email"}
Pairs = list[tuple[str, str]]


def lead_like(make_site: SiteMaker, forms: dict[str, Form], *changes: tuple[str, str]) -> Site:
    text = LEAD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return make_site(forms=forms | {"lead": compile_form("lead", parse_form("lead.toml", text))})


def by_each_door(site: Site, pairs: dict[str, Any]) -> list[TestResponse]:
    """Post as another site's page, with and without files, and as a program."""
    flat = [
        (n, v)
        for n, value in pairs.items()
        for v in (value if isinstance(value, list) else [value])
    ]
    return [
        site.bytes(urlencode(flat).encode(), URLENCODED, FROM_LISTED),
        site.bytes(*multipart(*((f'name="{n}"', v) for n, v in flat)), FROM_LISTED),
        site.foreign(pairs, json=True),
        site.bytes(urlencode(flat).encode(), URLENCODED, FROM_LISTED | JSON),
    ]


# `_replyto`


@pytest.mark.parametrize("email", [{}, {"email": ""}, {"email": "  "}])
def test_an_address_for_replies_is_the_contacts_where_there_is_no_other(
    site: Site, email: dict[str, str]
) -> None:
    sent = WITHOUT_EMAIL | email | {"_replyto": " Ada@Example.com "}
    answers = by_each_door(site, sent)
    assert [answer.status_code for answer in answers] == [303, 303, 200, 200]
    for row in site.rows():
        assert row.answers["email"] == "Ada@Example.com"
        assert row.lead["email"]["address"] == "ada@example.com"
        assert row.meta["_replyto"] == " Ada@Example.com "


def test_an_address_of_its_own_comes_before_that_for_replies(site: Site) -> None:
    by_each_door(site, GOOD | {"_replyto": "desk@example.org"})
    assert {row.answers["email"] for row in site.rows()} == {GOOD["email"]}


def test_an_address_for_replies_that_is_none_is_shown_to_be_corrected(site: Site) -> None:
    answer = site.foreign(WITHOUT_EMAIL | {"_replyto": "ada@"})
    assert answer.status_code == 422
    shown = Page(answer)
    assert shown.sent["email"] == "ada@"
    assert shown.submit(site, email="ada@example.com").status_code == 303
    assert site.row().answers["email"] == "ada@example.com"
    told = site.foreign(WITHOUT_EMAIL | {"_replyto": "ada@"}, json=True).json
    assert told
    assert [(each["field"], each["code"]) for each in told["errors"]] == [
        ("_replyto", "TYPE_EMAIL")
    ]


def test_it_may_be_an_alias_of_any_field(make_site: SiteMaker, forms: dict[str, Form]) -> None:
    other = 'name = "referee"\ntype = "email"\nlabel = "Referee"\naliases = ["_replyto"]\n'
    site = lead_like(
        make_site,
        forms,
        ('[[fields]]\nname = "phone"', f'[[fields]]\n{other}\n[[fields]]\nname = "phone"'),
    )
    site.foreign(GOOD | {"_replyto": "eve@example.com"})
    assert site.row().answers["referee"] == "eve@example.com"
    assert site.foreign(WITHOUT_EMAIL | {"_replyto": "eve@example.com"}).status_code == 422


def test_as_the_alias_of_the_address_it_may_come_beside_it(
    make_site: SiteMaker, forms: dict[str, Form]
) -> None:
    site = lead_like(
        make_site, forms, ('name = "email"\n', 'name = "email"\naliases = ["_replyto"]\n')
    )
    for sent in (
        WITHOUT_EMAIL | {"_replyto": "ada@example.com"},
        GOOD | {"_replyto": "desk@example.org"},
        GOOD | {"_replyto": ""},
    ):
        by_each_door(site, sent)
    assert {row.answers["email"] for row in site.rows()} == {"ada@example.com"}
    assert len(site.rows()) == 12


# JSON in JSON

NESTED: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    # what is sent beside GOOD, further answers, unknown fields
    ({"fields": {"budget": "5"}}, {}, {"fields[budget]": "5"}),
    ({"contact": {"size": 12.5, "news": True, "x": None}}, {"size": 12.5, "news": True}, {}),
    ({"contact": {"extras": ["milk", "lemon"]}}, {"extras": ["milk", "lemon"]}, {}),
    ({"extras": [["milk"], "sugar"]}, {"extras": ["milk", "sugar"]}, {}),
    ({"a": {"b": {"c": {"d": "deep"}}}}, {}, {"a[b][c][d]": "deep"}),
    ({"rows": [{"n": 1}, {"n": 2}]}, {}, {"rows[0][n]": "1", "rows[1][n]": "2"}),
    ({"tags": ["a", "b"]}, {}, {"tags": ["a", "b"]}),
    (
        {"mixed": ["a", {"b": "c"}, ["d", "e"]]},
        {},
        {"mixed[0]": "a", "mixed[1][b]": "c", "mixed[2]": ["d", "e"]},
    ),
    ({"empty": {}, "none": None, "nothing": [{}]}, {}, {}),
    ({"yes": {"no": False}}, {}, {"yes[no]": "false"}),
]


@pytest.mark.parametrize(("sent", "answers", "unknown"), NESTED)
def test_nested_json_is_read_like_names_with_brackets(
    make_site: SiteMaker,
    forms: dict[str, Form],
    sent: dict[str, Any],
    answers: dict[str, Any],
    unknown: dict[str, Any],
) -> None:
    names = ("size", "news", "extras")
    changes = [(f'name = "{n}"\n', f'name = "{n}"\naliases = ["contact[{n}]"]\n') for n in names]
    site = lead_like(make_site, forms, *changes)
    assert site.foreign(GOOD | sent, json=True).status_code == 200
    row = site.row()
    assert row.answers.items() >= answers.items()
    assert (row.unknown or {}) == unknown


def test_a_whole_lead_may_be_nested(make_site: SiteMaker, forms: dict[str, Form]) -> None:
    changes = [(f'name = "{n}"\n', f'name = "{n}"\naliases = ["fields[{n}]"]\n') for n in GOOD]
    site = lead_like(make_site, forms, *changes)
    assert site.foreign({"fields": GOOD}, json=True).status_code == 200
    form = urlencode({f"fields[{name}]": value for name, value in GOOD.items()}).encode()
    assert site.raw(form, URLENCODED).status_code == 200
    first, second = site.rows()
    assert first.answers == second.answers
    assert first.unknown is None
    wrong = site.foreign({"fields": GOOD | {"email": "x"}}, json=True).json
    assert wrong
    assert wrong["errors"][0]["field"] == "fields[email]"


def test_endless_nesting_is_kept_as_json(site: Site) -> None:
    inner: Any = "deepest"
    for _ in range(100):
        inner = {"a": inner}
    assert site.foreign(GOOD | {"x": inner}, json=True).status_code == 200
    [(name, text)] = site.row().unknown.items()
    assert name.count("[a]") == 7
    assert json.loads(text)["a"]["a"]
    assert "deepest" in text


@pytest.mark.parametrize(
    "more",
    [
        {"x": {f"n{n}": "" for n in range(201)}},
        {"x": [{"n": n} for n in range(201)]},
        {f"n{n}": {"a": n} for n in range(201)},
    ],
)
def test_nested_names_count_as_pairs(site: Site, more: dict[str, Any]) -> None:
    assert_refused(site.foreign(GOOD | more, json=True), 400, "TOO_MANY_FIELDS")


# Fields that the form doesn't know


def test_unknown_fields_are_kept_with_the_submission(site: Site) -> None:
    unknown = {
        "company_size": "10 to 50",
        "tags[]": ["a", "b"],
        "Ваш город": "Омск",
        "_custom": "1",
    }
    answers = by_each_door(site, GOOD | unknown)
    assert [answer.status_code for answer in answers] == [303, 303, 200, 200]
    for row in site.rows():
        assert row.unknown == unknown
        assert row.notes is None
        assert not unknown.keys() & row.answers.keys()


TOKENS = [
    *("csrf_token", "csrfmiddlewaretoken", "_csrf", "CSRFToken", "YII_CSRF_TOKEN", "x-csrf-token"),
    *("_xsrf", "XSRF-TOKEN", "authenticity_token", "__RequestVerificationToken", "_wpnonce"),
    *("contact[_token]", "form_token", "form_build_id", "form_key", "token", "__VIEWSTATE"),
    *(
        "g-recaptcha-response",
        "h-captcha-response",
        "cf-turnstile-response",
        "frc-captcha-solution",
    ),
    *("__EVENTVALIDATION", "utf8", "_method", "_charset_"),
    *("_xfToken", "accessToken", "smart-token", "fields[form-token]", "nonce", "wpforms[nonce]"),
    *("__EVENTTARGET", "_wpcf7", "_wpcf7_unit_tag", "PHPSESSID", "session_id", "ajax_nonce"),
]


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_of_other_servers_are_not_kept(site: Site, name: str) -> None:
    site.foreign(GOOD | {name: "utf-8", "budget": "5"})
    assert site.row().unknown == {"budget": "5"}


@pytest.mark.parametrize(
    "name", ["tokens", "broken", "fields[tokens]", "methods", "my_form_keys", "annonce"]
)
def test_what_only_sounds_like_a_token_is_kept(site: Site, name: str) -> None:
    site.foreign(GOOD | {name: "5"})
    assert site.row().unknown == {name: "5"}


def test_blank_unknown_fields_are_nothing(site: Site) -> None:
    by_each_door(site, GOOD | {"fax": "", "hint": " \n"})
    assert all(row.unknown is None for row in site.rows())


CUT = [{"code": "UNKNOWN_CUT"}]


@pytest.mark.parametrize(
    ("sent", "kept", "notes"),
    [
        ({f"n{n:02}": "x" for n in range(50)}, {f"n{n:02}": "x" for n in range(50)}, None),
        ({f"n{n:02}": "x" for n in range(51)}, {f"n{n:02}": "x" for n in range(50)}, CUT),
        ({"n": "😀" * 2000}, {"n": "😀" * 2000}, None),
        ({"n": "😀" * 2001}, {"n": "😀" * 2000}, CUT),
        ({"n": ["x" * 1500, "y" * 1500]}, {"n": ["x" * 1500, "y" * 500]}, CUT),
        ({"n" * 201: "x"}, {"n" * 200: "x"}, CUT),
    ],
)
def test_more_than_can_be_kept_is_cut_and_noted(
    site: Site, sent: dict[str, Any], kept: dict[str, Any], notes: Any
) -> None:
    assert site.foreign(GOOD | sent, json=True).status_code == 200
    assert (site.row().unknown, site.row().notes) == (kept, notes)


def test_unknown_fields_outlive_a_correction(site: Site) -> None:
    sent = {"budget": '"5" & <6>', "tags": ["a", "b"], "csrf_token": "x", "long": "z" * 3000}
    answer = site.foreign(GOOD | sent | {"email": "x"})
    assert answer.status_code == 422
    assert "csrf_token" not in answer.get_data(as_text=True)
    assert Page(answer).submit(site, email="ada@example.com").status_code == 303
    row = site.row()
    assert row.unknown == {"budget": '"5" & <6>', "tags": ["a", "b"], "long": "z" * 2000}
    assert row.notes == CUT


def test_what_the_honeypot_caught_keeps_them_too(site: Site) -> None:
    site.foreign(GOOD | {"budget": "5", "_gotcha": "x"})
    assert site.row().answers["budget"] == ["5"]


# Other servers' hidden names


@pytest.fixture
def netlify(make_site: SiteMaker, forms: dict[str, Form]) -> Site:
    names = 'next_fields = ["redirect", "retURL"]\n'
    traps = '[spam]\nhoneypots = ["bot-field", "botcheck", "_honey"]\n'
    return lead_like(make_site, forms, ("\n[[fields]]", f"{names}{traps}\n[[fields]]"))


@pytest.mark.parametrize("name", ["bot-field", "botcheck", "_honey", "_gotcha"])
@pytest.mark.parametrize("filled", ["x", "on", "true"])
def test_a_filled_honeypot_of_another_server_is_one(netlify: Site, name: str, filled: str) -> None:
    answers = by_each_door(netlify, GOOD | {name: filled})
    assert [answer.status_code for answer in answers] == [303, 303, 200, 200]
    assert {row.status for row in netlify.rows()} == {"spam"}


@pytest.mark.parametrize("name", ["bot-field", "botcheck", "_honey", "_gotcha"])
@pytest.mark.parametrize("blank", ["", " ", "false"])
def test_a_blank_one_is_none(netlify: Site, name: str, blank: str) -> None:
    by_each_door(netlify, GOOD | {name: blank})
    assert {(row.status, row.unknown) for row in netlify.rows()} == {("accepted", None)}
    assert netlify.foreign(GOOD | {name: False}, json=True).status_code == 200


@pytest.mark.parametrize("name", ["redirect", "retURL", "_next"])
def test_a_page_to_go_on_to_by_another_servers_name(netlify: Site, name: str) -> None:
    target = f"{LISTED}/done"
    html, parts, program, _ = by_each_door(netlify, GOOD | {name: target})
    assert [html.headers["Location"], parts.headers["Location"]] == [target, target]
    assert program.json
    assert program.json["next"] == target
    assert all(row.unknown is None for row in netlify.rows())


def test_it_leads_to_listed_sites_alone_and_outlives_a_correction(netlify: Site) -> None:
    away = netlify.foreign(GOOD | {"redirect": f"{UNLISTED}/x", "retURL": f"{LISTED}/done"})
    assert away.headers["Location"] == f"{LISTED}/done"
    wrong = netlify.foreign(GOOD | {"redirect": f"{LISTED}/done", "email": "x"})
    done = Page(wrong).submit(netlify, email="ada@example.com")
    assert done.headers["Location"] == f"{LISTED}/done"


# Long texts


@pytest.mark.parametrize("char", ["x", "é", "漢", "😀"])
def test_a_text_of_the_longest_kind_is_taken_in_any_script(site: Site, char: str) -> None:
    text = char * 10_000
    answers = by_each_door(site, GOOD | {"message": text})
    assert [answer.status_code for answer in answers] == [303, 303, 200, 200]
    assert {row.answers["message"] for row in site.rows()} == {text}
    escaped = json.dumps(GOOD | {"message": text}).encode()
    assert site.raw(escaped, "application/json").status_code == 200


@pytest.mark.parametrize("char", ["x", "漢", "😀"])
def test_one_character_more_is_too_long_and_stays(site: Site, char: str) -> None:
    text = char * 10_001
    answer = site.foreign(GOOD | {"message": text})
    assert answer.status_code == 422
    assert text in answer.get_data(as_text=True)
    told = site.foreign(GOOD | {"message": text}, json=True).json
    assert told
    assert [each["code"] for each in told["errors"]] == ["TOO_LONG"]


@pytest.mark.parametrize("size", [300_000, 1_040_000])
@pytest.mark.parametrize("kind", ["own", "urlencoded", "multipart"])
def test_much_too_long_a_text_comes_back_on_the_page(site: Site, size: int, kind: str) -> None:
    text = "x" * size
    if kind == "own":
        answer = site.post(GOOD | {"message": text})
    elif kind == "urlencoded":
        answer = site.foreign(GOOD | {"message": text})
    else:
        fields = [(f'name="{n}"', v) for n, v in (GOOD | {"message": text}).items()]
        answer = site.bytes(*multipart(*fields), FROM_LISTED)
    assert answer.status_code == 413
    shown = Page(answer)
    assert shown.sent["message"] == text
    assert "KiB" in shown.text
    assert "10000" in shown.text.replace(",", "")  # what the field takes
    assert shown.submit(site, message="short").status_code == 303
    assert site.row().answers["message"] == "short"


def test_a_post_that_is_too_large_for_its_unknown_fields_can_be_sent_again(site: Site) -> None:
    answer = site.foreign(GOOD | {"picture": "x" * 500_000})
    assert answer.status_code == 413
    assert Page(answer).submit(site).status_code == 303
    assert site.row().unknown == {"picture": "x" * 2000}
    assert site.row().notes == CUT


@pytest.mark.parametrize("size", [2 * MIB, 20 * MIB])
def test_more_than_a_mib_is_refused_unread(site: Site, size: int) -> None:
    for body, kind in (
        (b"message=" + b"x" * size, URLENCODED),
        (b'{"message": "' + b"x" * size + b'"}', "application/json"),
        multipart(('name="message"', b"x" * size)),
        (b"x" * size, "multipart/form-data; boundary=b"),
        (b"--b\r\n" + b"x: y" * (size // 4), "multipart/form-data; boundary=b"),
    ):
        assert_refused(site.raw(body, kind), 413, "TOO_LARGE")
