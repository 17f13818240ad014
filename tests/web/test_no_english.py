"""In another language nothing of formapp's own is left in English, whatever goes wrong."""

import html
import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog
from werkzeug.test import TestResponse

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from tests.support.catalogues import OTHERS, extracted, read
from tests.web.pages import Page
from tests.web.support import FROM_LISTED, JSON, Site, SiteMaker, locked, multipart

# No word of it is English, so that whatever is English is formapp's.
FORM = """
title = "⁂"
language = "{language}"
origins = ["https://www.example.com"]
"""
FIELDS = {
    "email": 'type = "email"\nto = "email"\nrequired = true',
    "phone": 'type = "tel"',
    "mobile": 'type = "tel"\nregion = "GB"',
    "size": 'type = "number"\nmin = 2\nmax = 3',
    "day": 'type = "date"\nmin = 2026-01-01\nmax = 2026-12-31',
    "web": 'type = "url"',
    "short": 'type = "text"\nmin_length = 5\nmax_length = 6',
    "topic": 'type = "select"\nrequired = true\noptions = ["1", "2"]',
    "agreed": 'type = "consent"\nrequired = true',
    "land": 'type = "text"\nto = "country"',
    "tongue": 'type = "text"\nto = "locale"',
}
WRONG = [
    {},
    {"email": "x", "phone": "1", "mobile": "1", "size": "1", "day": "2025-01-01", "web": "a b"},
    {"size": "4", "day": "2027-01-01", "short": "1", "topic": "9", "land": "XX", "tongue": "?"},
    {"size": "x", "day": "x", "short": "1234567", "_token": "x"},
]
ALL_FIELDS = "".join(
    f'\n[[fields]]\nname = "{name}"\nlabel = "⁂"\n{keys}\n' for name, keys in FIELDS.items()
)
GOOD = {"email": "ada@example.com", "topic": "1", "agreed": "yes"}
WORD = re.compile(r"[a-z]{3}", re.IGNORECASE)


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extracted()


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    texts = {language: FORM.format(language=language) + ALL_FIELDS for language in OTHERS}
    return {
        name: compile_form(name, parse_form(f"{name}.toml", text)) for name, text in texts.items()
    }


def english(template: Catalog, language: str) -> list[re.Pattern[str]]:
    """Every text in English as it would stand on a page; without those that are alike in both."""
    catalog = read(language)
    found = []
    for message in template:
        singular = message.id if isinstance(message.id, str) else message.id[0]
        text = re.sub(r"%\(\w+\)s", "\0", singular)
        if WORD.search(text) and catalog[singular].string != singular:
            first, *rest = (re.escape(part) for part in text.split("\0"))
            begin = f"[{first[0]}{first[0].upper()}]{first[1:]}" if first[:1].isalpha() else first
            found.append(re.compile(rf"(?<!\w){'.*?'.join([begin, *rest])}(?!\w)"))
    return found


def text_of(answer: TestResponse) -> str:
    """What is said: all of a page, attributes too; of JSON all texts."""
    if answer.json is None:
        return html.unescape(answer.get_data(as_text=True))
    return "\n".join([answer.json["error"], *(one["message"] for one in answer.json["errors"])])


def wrong_pages(site: Site, language: str) -> Iterator[str]:
    """Forms, as they are first seen and with every fault, and what follows them."""
    for path in ("", "/embed"):
        page = Page(site.get(f"/f/{language}{path}"))
        yield text_of(site.get(f"/f/{language}{path}"))
        for answers in WRONG:
            blank = dict.fromkeys(set(page.sent) - {"_token"}, "")
            yield text_of(page.submit(site, **blank | answers))
            headers = FROM_LISTED | JSON
            yield text_of(site.open("POST", f"/f/{language}", json=answers, headers=headers))
        with locked(site):
            yield text_of(page.submit(site, **GOOD))
        yield text_of(site.get(page.submit(site, **GOOD).headers["Location"]))
        yield text_of(page.submit(site, **GOOD | {"email": "eve@example.com"}))
        left_out = "?files=dropped&next=https://www.example.com/"
        yield text_of(site.get(f"/f/{language}/thanks{left_out}"))


def refusals(site: Site, language: str) -> Iterator[str]:
    """Whatever a server refuses, as a page and as JSON."""
    accepted = {"Accept-Language": language}
    path = f"/f/{language}"
    file, kind = multipart(('name="a"; filename="b.txt"', "c"))
    bodies: list[tuple[bytes, str | None]] = [
        (b"x" * 1_100_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(300)), "application/x-www-form-urlencoded"),
        (b"email=a&email=b", "application/x-www-form-urlencoded"),
        (b"email=%00", "application/x-www-form-urlencoded"),
        (b"", "text/plain"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"a": 1, "a": 2}', "application/json"),
        (b'{"a": "\\ud800"}', "application/json"),
        (b"", "multipart/form-data"),
        (b"--b", "multipart/form-data; boundary=b"),
        (file, kind),
    ]
    for headers in (accepted, accepted | JSON):
        for wanted, method in (("/f/nowhere", "GET"), ("/nowhere", "GET"), (path, "DELETE")):
            yield text_of(site.open(method, wanted, headers=headers))
        yield text_of(site.open("POST", path, data=GOOD, headers=headers))
        stolen = GOOD | {"_token": site.token(language)}
        yield text_of(site.open("POST", path, data=stolen, headers=FROM_LISTED | headers))
        zipped = {"Content-Encoding": "gzip"}
        yield text_of(site.open("POST", path, data=GOOD, headers=headers | zipped))
        for body, content_type in bodies:
            yield text_of(
                site.open(
                    "POST",
                    path,
                    data=body,
                    content_type=content_type,
                    headers=FROM_LISTED | headers,
                )
            )


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(
    make_site: SiteMaker, forms: dict[str, Form], template: Catalog, language: str
) -> None:
    site = make_site(forms=forms, busy_seconds=0.1)

    said = [*wrong_pages(site, language), *refusals(site, language)]

    assert len(said) > 60
    patterns = english(template, language)
    assert len(patterns) > 60
    for page in said:
        left = [pattern.pattern for pattern in patterns if pattern.search(page)]
        assert left == [], page


@pytest.mark.slow
def test_in_english_they_would_be_found(make_site: SiteMaker, template: Catalog) -> None:
    """Else the test above would prove nothing."""
    form = compile_form("de", parse_form("de.toml", FORM.format(language="en") + ALL_FIELDS))
    site = make_site(forms={"de": form}, busy_seconds=0.1)

    said = [*wrong_pages(site, "de"), *refusals(site, "de")]

    patterns = english(template, "de")
    seen = {p.pattern for p in patterns for page in said if p.search(page)}
    assert len(seen) > 50
