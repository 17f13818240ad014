"""Pages that are rendered once and filled: the very bytes that rendering gives."""

import itertools
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask, before_render_template
from werkzeug.test import TestResponse

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form, load_forms
from formapp.resources import BUNDLED_FORMS
from formapp.web.public import form_page
from formapp.web.services import EXTENSION
from tests.web.forms import ANYONE, AWAY, LEAD, OTHER
from tests.web.pages import Page
from tests.web.support import LISTED, OWN, Site, SiteMaker

AWKWARD = r"""
title = 'A "title" & <b>{{ 7 * 7 }}</b> \1 {0} %s'
intro = "'\"<script>alert(1)</script>&amp;"
submit = "> & <"
origins = ["https://www.example.com", "http://localhost:9000"]

[theme]
accent = "#7a1f5c"

[texts.he]
title = "בקשה <i>"
fields = { email = { label = "דואר" }, plan = { label = "<b>" } }

[texts.de]
title = "„Anfrage“ & mehr"
fields = { email = { label = "E-Mail" }, plan = { label = "Plan" } }

[[fields]]
name = "email"
type = "email"
label = "E-mail"
required = true
prefill = true
aliases = ["mail"]
to = "email"

[[fields]]
name = "plan"
type = "select"
label = "<Plan>"
placeholder = '"choose"'
options = ["a & b", "<c>"]

[[fields]]
name = "source"
type = "hidden"
from_query = "utm_source"

[[fields]]
name = "came"
type = "hidden"
from = "referrer"
"""
CONFIRM = OTHER.replace("\n[[fields]]", "\n[confirm]\n[[fields]]", 1)
ALTCHA = OTHER.replace("\n[[fields]]", '\n[spam]\nchallenge = "altcha"\n[[fields]]', 1)
SERVICE = ALTCHA.replace("altcha", "turnstile")
SETTINGS: dict[str, Any] = {
    "SMTP_URL": "smtp://127.0.0.1:9",
    "MAIL_FROM": "news@example.com",
    "CHALLENGE_SITE_KEY": "1x00AA",
    "CHALLENGE_SECRET": "the-secret-of-the-service",
}
TEXTS = {
    "lead": LEAD,
    "other": OTHER,
    "away": AWAY,
    "anyone": ANYONE,
    "awkward": AWKWARD,
    "confirm": CONFIRM,
    "altcha": ALTCHA,
    "service": SERVICE,
}
HOSTILE = "\"'><script>alert(1)</script>&amp;%22\\1{0}%s\x00\n\u202e placeholder0 placeholder1"
QUERIES: tuple[Mapping[str, str], ...] = (
    {},
    {"utm_source": "letter", "utm_medium": "mail"},
    {"utm_medium": "mail", "other": ""},
    {"": "nameless", "a b": "ä ö", "x": "ü" * 3000},
    {"lang": "de", "utm_medium": "mail", "_use": "embed"},
    {"utm_medium": "mail", "lang": "xx", "_use": "page"},
    {"parent": LISTED, "scheme": "dark", "theme.accent": "#0000aa", "theme.font": HOSTILE},
    {"parent": LISTED, "scheme": HOSTILE, "theme.nothing": "x"},
    {"scheme": "light", "_page": f"{LISTED}/a?b=c&utm_term=d", "_referrer": "https://a.example/"},
    {"email": "ada@example.com"},
    {"mail": "ada@example.com", "name": "Ada"},
    {"email": "", "plan": "<c>"},
    {HOSTILE: HOSTILE, "lang": HOSTILE, "_page": HOSTILE, "_referrer": HOSTILE},
)
HEADERS: tuple[Mapping[str, str], ...] = (
    {},
    {"Referer": f"{LISTED}/prices?a=b&c=d"},
    {"Referer": f"{OWN}/f/other"},
    {"Referer": f"https://a.example/?{HOSTILE[:40]}"},
    {"Accept-Language": "he;q=0.9, de;q=0.8"},
    {"Accept": "application/json", "Origin": LISTED, "Cookie": "a=b", "User-Agent": "x"},
)
FORM = "other"


@dataclass(frozen=True)
class Question:
    """What a visitor's browser asks."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""

    def put(self, site: Site) -> TestResponse:
        """Ask it, under an id that the answer repeats."""
        return site.open(
            "GET",
            f"{self.path}?{urlencode(self.query)}" if self.query else self.path,
            headers={"X-Request-Id": "an-id-of-the-proxy", **self.headers},
            environ_overrides={"SCRIPT_NAME": self.prefix},
        )


QUESTIONS = [
    Question(f"/f/{name}{use}", query, headers, prefix)
    for name, use in itertools.product([*TEXTS, "contact", "quote", "newsletter"], ["", "/embed"])
    for query, headers, prefix in [
        *((query, {}, "") for query in QUERIES),
        *(({}, headers, "") for headers in HEADERS),
        *((QUERIES[4], headers, "") for headers in HEADERS),
        ({}, {}, "/below"),
        (QUERIES[5], HEADERS[1], "/below"),
    ]
]


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    own = {name: compile_form(name, parse_form(name, text)) for name, text in TEXTS.items()}
    return {**load_forms(BUNDLED_FORMS), **own}


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(**SETTINGS)


def rendered(patch: pytest.MonkeyPatch) -> None:
    """Have every page rendered for its visit alone."""
    patch.setattr(form_page, "_fills_fields", lambda *_: True)


@contextmanager
def templates(app: Flask) -> Iterator[list[str]]:
    """The templates that are rendered meanwhile."""
    names: list[str] = []

    def note(_app: Flask, template: Any, **_: Any) -> None:
        names.append(template.name)

    with before_render_template.connected_to(note, app):
        yield names


def token_of(answer: TestResponse) -> str:
    """The token on a page."""
    return str(Page(answer).sent["_token"])


def seen(site: Site, answer: TestResponse, form: str) -> tuple[str, list[tuple[str, str]], str]:
    """Status, headers and page of an answer, whose genuine token is left out."""
    text = answer.get_data(as_text=True)
    if answer.status_code != 200:
        return answer.status, sorted(answer.headers), text
    token = token_of(answer)
    read = site.signer.read(token, form)
    assert text.count(token) == 1
    return answer.status, sorted(answer.headers), text.replace(token, f"{read.version} {read.use}")


def all_seen(site: Site, questions: list[Question]) -> list[Any]:
    """What comes of questions, in their order."""
    return [seen(site, each.put(site), each.path.split("/")[2]) for each in questions]


@pytest.fixture(scope="module")
def expected(forms: dict[str, Form], tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What rendering answers to all questions."""
    site = Site.build(tmp_path_factory.mktemp("rendered"), forms=forms, **SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        rendered(patch)
        answers = all_seen(site, QUESTIONS)
    site.database.close()
    return answers


@pytest.mark.slow
def test_a_filled_page_is_the_rendered_one_whoever_asked_before(
    make_site: SiteMaker, expected: list[Any]
) -> None:
    assert {status[:3] for status, _, _ in expected} == {
        "200",
        "431",
    }  # 431: a query beyond the limit
    forwards, backwards = make_site(**SETTINGS), make_site(**SETTINGS)
    for _ in range(2):
        assert all_seen(forwards, QUESTIONS) == expected
    assert all_seen(backwards, QUESTIONS[::-1]) == expected[::-1]


@pytest.mark.slow
def test_the_questions_tell_the_ways_apart(expected: list[Any]) -> None:
    pages = dict(zip(map(repr, QUESTIONS), expected, strict=True))
    for path in ("/f/awkward", "/f/awkward/embed"):
        own = {page for question, (_, _, page) in pages.items() if f"'{path}'" in question}
        assert len(own) > 15
    assert any("Accept-Language" in dict(headers).get("Vary", "") for _, headers, _ in expected)
    assert any("X-Frame-Options" in dict(headers) for _, headers, _ in expected)
    assert any("theme.accent" in page for _, _, page in expected)
    assert any('data-scheme="dark"' in page for _, _, page in expected)


@pytest.mark.parametrize("path", ["/f/contact", "/f/awkward/embed", "/f/other/embed"])
def test_what_a_visitor_makes_up_is_escaped_even_if_it_is_a_placeholder(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    numbers = itertools.count()
    monkeypatch.setattr(form_page, "placeholder", lambda: f"placeholder{next(numbers)}")
    question = Question(path, {"utm_term": HOSTILE}, {"Referer": f"{LISTED}/?{HOSTILE[:40]}"})
    first, second = question.put(site), question.put(site)
    assert next(numbers) == 4, "it was rendered once, with placeholders that the visitor knows"
    rendered(monkeypatch)
    plain = question.put(site)
    form = path.split("/")[2]
    assert seen(site, first, form) == seen(site, second, form) == seen(site, plain, form)
    assert "<script>alert" not in plain.get_data(as_text=True)
    assert "placeholder0+placeholder1" in (Page(plain).action or "")


@pytest.mark.parametrize("path", ["/f/other", "/f/other/embed", "/f/awkward?lang=de"])
def test_a_page_is_rendered_once(site: Site, path: str) -> None:
    joint = "&" if "?" in path else "?"
    with templates(site.app) as names:
        assert site.get(path).status_code == 200
    assert "form.html" in names
    with templates(site.app) as names:
        assert site.get(path).status_code == 200
        assert site.get(f"{path}{joint}utm_medium=mail").status_code == 200
        assert site.get(path, Cookie="a=b").status_code == 200
    assert names == []


def test_a_page_that_shows_something_of_the_visit_is_rendered_for_it_alone(site: Site) -> None:
    for path in ("/f/lead", "/f/awkward?email=ada@example.com", "/f/awkward?utm_source=letter"):
        for _ in range(2):
            with templates(site.app) as names:
                assert site.get(path).status_code == 200
            assert "form.html" in names, path


def test_every_visit_counts_and_has_an_id(site: Site) -> None:
    answers = [site.get(f"/f/{FORM}") for _ in range(3)]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3
    assert (
        site.get(f"/f/{FORM}", **{"X-Request-Id": "12345678"}).headers["X-Request-Id"] == "12345678"
    )
    odd = site.get(f"/f/{FORM}", **{"X-Request-Id": "<script>"}).headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", odd)
    metrics = site.get("/metrics").get_data(as_text=True)
    assert 'formapp_request_seconds_count{endpoint="forms.show",status="200"} 5.0' in metrics
    assert 'formapp_request_seconds_count{endpoint="forms.embed"' not in metrics


def test_every_visit_has_a_token_that_is_good_for_one_submission(site: Site) -> None:
    pages = [Page(site.get(f"/f/{FORM}")) for _ in range(3)]
    for page in pages:
        assert page.submit(site, email="ada@example.com").status_code == 303
    assert len(site.rows()) == 3
    assert pages[0].submit(site, email="ada@example.com").status_code == 303
    assert len(site.rows()) == 3


def test_no_other_method_and_no_other_address_is_answered_with_a_page_that_was_shown(
    site: Site,
) -> None:
    length = len(site.get(f"/f/{FORM}").data)
    head = site.open("HEAD", f"/f/{FORM}")
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) == length
    assert site.open("PUT", f"/f/{FORM}").status_code == 405
    assert site.get(f"/f/{FORM}", Host="evil.example").status_code == 400
    assert len(site.get(f"/f/{FORM}/").data) == length
    assert site.get(f"/f/{FORM}//").status_code == 404
    assert site.get(f"/f/{FORM}", Connection="upgrade", Upgrade="websocket").status_code == 405
    assert site.get(f"/f/{FORM}").status_code == 200


def test_addresses_are_those_of_the_host_that_is_asked(make_site: SiteMaker) -> None:
    forms = {"awkward": compile_form("awkward", parse_form("awkward", AWKWARD))}
    site = make_site(forms=forms, BASE_URL="", TRUSTED_HOSTS="a.example,b.example")
    hosts = ("a.example", "b.example", "a.example:81")
    for host, scheme in itertools.product(hosts, ("http", "https")):
        for _ in range(2):
            answer = site.open("GET", "/f/awkward", base_url=f"{scheme}://{host}")
            links = re.findall(r'hreflang="de" href="([^"]*)', answer.get_data(as_text=True))
            assert links == [f"{scheme}://{host}/f/awkward?lang=de"]
            policy = answer.headers["Content-Security-Policy"]
            assert f"form-action 'self' {scheme}://{host} " in policy


def test_visitors_can_not_make_the_cache_grow(site: Site) -> None:
    pages = site.app.extensions[EXTENSION].pages
    for path in ("/f/other", "/f/other/embed", "/f/awkward", "/f/awkward/embed"):
        site.get(path)
    before = len(pages)
    for path, headers in itertools.product(("/f/other", "/f/awkward"), HEADERS):
        for query in QUERIES:
            site.get(
                f"{path}?{urlencode({**query, 'scheme': 'x', 'n': str(id(query))})}", **headers
            )
    # The only others are those in the languages of a form.
    assert len(pages) <= before + 2


def test_a_visit_that_failed_leaves_nothing_behind(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(form_page, "html_answer", None)
        assert [site.get(f"/f/{FORM}").status_code for _ in range(2)] == [500, 500]
    assert [site.get(f"/f/{FORM}").status_code for _ in range(2)] == [200, 200]


def test_visitors_who_come_at_once_get_whole_pages(site: Site) -> None:
    paths = [
        f"/f/{name}{use}" for name in ("other", "awkward", "contact") for use in ("", "/embed")
    ]
    found: dict[str, set[Any]] = {path: set() for path in paths}
    start, failed = threading.Barrier(6), []

    def visit(turn: int) -> None:
        start.wait()
        try:
            for path in (paths[turn:] + paths[:turn]) * 5:
                answer = Question(path).put(site)
                status, headers, page = seen(site, answer, path.split("/")[2])
                found[path].add((status, tuple(headers), page))
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=visit, args=(turn,)) for turn in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {path: len(pages) for path, pages in found.items()} == dict.fromkeys(paths, 1)


def test_two_apps_share_no_page(make_site: SiteMaker) -> None:
    texts = {"one": OTHER, "two": OTHER.replace("Nobody else's", "Another's")}
    sites = [
        make_site(forms={"other": compile_form("other", parse_form("other", text))})
        for text in texts.values()
    ]
    for _ in range(2):
        titles = ["Another&#39;s" in site.get("/f/other").get_data(as_text=True) for site in sites]
        assert titles == [False, True]


def test_no_host_that_a_visitor_makes_up_adds_to_the_cached_pages(
    forms: dict[str, Form], tmp_path: Path
) -> None:
    site = Site.build(
        tmp_path, forms={"other": forms["other"]}, BASE_URL="", TRUSTED_HOSTS=".example.com"
    )
    pages = site.app.extensions["formapp"].pages
    for number in range(20):
        host = f"forms{number}.example.com:{1000 + number}"
        assert f"form-action 'self' http://{host}" in _policy(site.get("/f/other", Host=host))
    assert len(pages) == 1
    site.database.close()


def _policy(answer: TestResponse) -> str:
    assert answer.status_code == 200
    return str(answer.headers["Content-Security-Policy"])
