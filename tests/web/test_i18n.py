"""The language of an answer: who chooses it, where it is said, and that it stays."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
import pytest
from babel.support import Translations

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from formapp.forms.lead_form import LeadForm
from tests.support.formfiles import EMAIL
from tests.web.forms import OTHER
from tests.web.pages import Page
from tests.web.support import FROM_LISTED, JSON, OWN, UNLISTED, Site, SiteMaker, locked

FORM = (
    """
title = "Request"
origins = ["https://www.example.com"]
[thanks]
title = "Thanks a lot"

[texts.de]
title = "Anfrage"
thanks = { title = "Danke schön" }
fields = { email = { label = "E-Mail" }, agreed = { label = "Ich stimme zu." } }

[texts.he]
title = "בקשה"
fields = { email = { label = "דואר" }, agreed = { label = "הסכמה." } }
"""
    + EMAIL
    + """
[[fields]]
name = "agreed"
type = "consent"
label = "I agree."
"""
)
GERMAN_ONLY = OTHER.replace("title =", 'language = "de"\ntitle =')
GOOD = {"email": "ada@example.com", "agreed": "yes"}
BOTH_USES = pytest.mark.parametrize(("path", "use"), [("", "page"), ("/embed", "embed")])


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    texts = {"many": FORM, "german": GERMAN_ONLY, "other": OTHER}
    return {
        name: compile_form(name, parse_form(f"{name}.toml", text)) for name, text in texts.items()
    }


@pytest.fixture
def site(make_site: SiteMaker, forms: dict[str, Form]) -> Site:
    return make_site(forms=forms)


def asked(language: str) -> dict[str, str]:
    return {"Accept-Language": language}


def html_of(page: Page) -> dict[str, str | None]:
    return next(attributes for tag, attributes in page.tags if tag == "html")


@BOTH_USES
@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "de-AT,en;q=0.8", "de"),
        ("", "fr,he;q=0.5", "he"),
        ("", "fr", "en"),
        ("", "*", "en"),
        ("", "de;q=0,en;q=0.1", "en"),
        ("?lang=he", "de", "he"),
        ("?lang=de-CH", "he", "de"),
        ("?lang=fr", "de", "de"),
        ("?lang=", "de", "de"),
        ("?lang='%3E%3Cb%3E", "he", "he"),
    ],
)
def test_a_page_is_in_the_language_asked_for_else_the_browsers_else_the_forms(  # noqa: PLR0917 - a table
    site: Site, path: str, use: str, query: str, accepted: str, language: str
) -> None:
    answer = site.get(f"/f/many{path}{query}", **asked(accepted))

    page = Page(answer)
    direction = "rtl" if language == "he" else "ltr"
    assert html_of(page) == {"lang": language, "dir": direction}
    title = {"en": "Request", "de": "Anfrage", "he": "בקשה"}[language]
    assert title in page.text
    assert answer.headers["Content-Language"] == language


@BOTH_USES
def test_a_form_of_one_language_listens_to_nobody(site: Site, path: str, use: str) -> None:
    answer = site.get(f"/f/german{path}?lang=he", **asked("fr"))

    assert html_of(Page(answer))["lang"] == "de"
    assert answer.headers["Content-Language"] == "de"
    assert "Accept-Language" not in answer.headers.get("Vary", "")
    assert "hreflang" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "varies"),
    [("/f/many", True), ("/f/many?lang=de", False), ("/f/many?lang=fr", True), ("/f/other", False)],
)
def test_caches_hear_whether_the_browsers_language_counted(
    site: Site, path: str, *, varies: bool
) -> None:
    assert ("Accept-Language" in site.get(path).headers.get("Vary", "")) is varies


@BOTH_USES
def test_the_language_stays_from_page_to_errors_to_thanks(site: Site, path: str, use: str) -> None:
    page = Page(site.get(f"/f/many{path}", **asked("de")))

    wrong = page.submit(site, email="")
    again = Page(wrong)
    assert wrong.status_code == 422
    assert html_of(again)["lang"] == "de"
    assert "Bitte füllen Sie das Feld „E-Mail“ aus." in again.text
    done = again.submit(site, **GOOD)
    assert done.status_code == 303
    thanks = site.get(done.headers["Location"])
    assert "Danke schön" in thanks.get_data(as_text=True)
    assert thanks.headers["Content-Language"] == "de"


@BOTH_USES
def test_a_refusal_that_shows_the_form_again_is_in_its_language(
    site: Site, make_site: SiteMaker, forms: dict[str, Form], path: str, use: str
) -> None:
    slow = make_site(forms=forms, busy_seconds=0.1)
    page = Page(slow.get(f"/f/many{path}?lang=de"))

    with locked(slow):
        answer = page.submit(slow, **GOOD)

    assert answer.status_code == 503
    assert "Wir konnten Ihre Angaben nicht speichern." in Page(answer).text


def test_the_next_address_says_only_what_the_browser_would_not(site: Site) -> None:
    page = Page(site.get("/f/many?lang=de"))

    told = page.submit(site, **GOOD)
    german = FROM_LISTED | asked("de")
    known = site.open("POST", "/f/many", data=GOOD, headers=german)
    assert told.headers["Location"] == "/f/many/thanks?lang=de"
    assert known.headers["Location"] == "/f/many/thanks"


@pytest.mark.parametrize("site_kind", ["sqlite", "postgresql"])
def test_the_submission_says_the_language_and_keeps_the_consent_that_was_read(site: Site) -> None:
    Page(site.get("/f/many?lang=de&utm_source=x")).submit(site, **GOOD)

    row = site.row()
    assert row.meta["language"] == "de"
    assert [consent["text"] for consent in row.consents] == ["Ich stimme zu."]
    assert row.meta["page"] == f"{OWN}/f/many?utm_source=x"


@pytest.mark.parametrize(
    ("query", "accepted", "language", "message"),
    [
        ("", "de", "de", "Bitte füllen Sie dieses Feld aus"),
        ("?lang=he", "de", "he", "יש למלא שדה זה"),
        ("", "ja", "en", "is required"),
    ],
)
def test_another_sites_form_is_answered_in_the_language_it_asks_for(
    site: Site, query: str, accepted: str, language: str, message: str
) -> None:
    headers = {**FROM_LISTED, **JSON, **asked(accepted)}
    wrong = site.open("POST", f"/f/many{query}", json={"email": ""}, headers=headers)
    good = site.open("POST", f"/f/many{query}", json=GOOD, headers=headers)

    assert wrong.json
    assert wrong.json["errors"] == [
        {"field": "email", "code": "REQUIRED_FIELD_EMPTY", "message": message}
    ]
    assert wrong.headers["Content-Language"] == language
    assert good.json
    thanks = site.get(good.json["next"].removeprefix(OWN), **asked(accepted))
    assert thanks.headers["Content-Language"] == language
    assert site.row().meta["language"] == language


def test_another_sites_form_that_is_corrected_on_our_page_stays_in_its_language(site: Site) -> None:
    headers = {**FROM_LISTED, **asked("de")}
    wrong = site.open("POST", "/f/many", data={"email": ""}, headers=headers)

    done = Page(wrong).submit(site, **GOOD)

    assert html_of(Page(wrong))["lang"] == "de"
    assert urlsplit(done.headers["Location"]).query == "lang=de"
    assert site.row().meta["language"] == "de"


@pytest.mark.parametrize(
    ("accepted", "language", "text"),
    [
        ("ja,en;q=0.5", "ja", "このアドレスにフォームはありません。"),
        ("pt-BR", "pt", "Não há nenhum formulário neste endereço."),
        ("tlh", "en", "There is no form at this address."),
    ],
)
def test_without_a_form_a_refusal_is_in_the_browsers_language(
    site: Site, accepted: str, language: str, text: str
) -> None:
    page = site.get("/f/nowhere", **asked(accepted))
    program = site.get("/f/nowhere", **JSON, **asked(accepted))

    assert html_of(Page(page))["lang"] == language
    assert text in Page(page).text
    assert program.json == {"error": text, "errors": [{"code": "FORM_NOT_FOUND", "message": text}]}
    assert {page.headers["Content-Language"], program.headers["Content-Language"]} == {language}
    assert "Accept-Language" in page.headers["Vary"]
    assert "Accept-Language" in program.headers["Vary"]


def test_a_refusal_at_a_form_is_in_the_forms_language(site: Site) -> None:
    answer = site.open("POST", "/f/german", data=GOOD, headers=asked("ja") | {"Origin": UNLISTED})

    assert answer.status_code == 403
    assert (
        "Dieses Formular nimmt keine Eingaben von https://www.example.org an." in Page(answer).text
    )


def links(page: Page) -> dict[str, dict[str, list[str]]]:
    found = [attributes for tag, attributes in page.tags if tag == "a" and "hreflang" in attributes]
    assert all(one["lang"] == one["hreflang"] for one in found)
    return {str(one["lang"]): parse_qs(urlsplit(str(one["href"])).query) for one in found}


@BOTH_USES
def test_a_page_links_to_the_other_languages_and_keeps_its_query(
    site: Site, path: str, use: str
) -> None:
    answer = site.get(
        f"/f/many{path}?utm_source=ad&lang=de&parent=https%3A%2F%2Fa.example",
        Referer="https://search.example/found",
    )

    page = Page(answer)
    assert "עברית" in page.text
    assert "English" in page.text
    assert "Deutsch" in page.text, "the menu names the current language"
    found = links(page)
    assert set(found) == {"en", "he"}, "and leads to the others"
    assert found["he"]["lang"] == ["he"]
    assert found["he"]["utm_source"] == ["ad"]
    assert found["he"]["parent"] == ["https://a.example"]
    assert "_use" not in found["he"]
    paths = {str(a["href"]).split("?")[0] for tag, a in page.tags if tag == "a" and "hreflang" in a}
    assert paths == {f"/f/many{path}"}


@BOTH_USES
def test_beside_faults_nothing_leads_to_another_language_and_loses_what_was_typed(
    site: Site, path: str, use: str
) -> None:
    page = Page(site.get(f"/f/many{path}"))
    assert links(page)

    wrong = page.submit(site, email="wrong")

    assert wrong.status_code == 422
    assert links(Page(wrong)) == {}
    assert not [tag for tag, _ in Page(wrong).tags if tag == "nav"]


@BOTH_USES
def test_beside_a_notice_nothing_leads_to_another_language_either(
    make_site: SiteMaker, forms: dict[str, Form], path: str, use: str
) -> None:
    slow = make_site(forms=forms, busy_seconds=0.1)

    with locked(slow):
        answer = Page(slow.get(f"/f/many{path}")).submit(slow, **GOOD)

    assert answer.status_code == 503
    assert links(Page(answer)) == {}


def test_whoever_changes_the_language_came_from_where_they_came_from(site: Site) -> None:
    first = Page(site.get("/f/many", Referer="https://search.example/found"))
    [german] = [a["href"] for tag, a in first.tags if tag == "a" and a.get("lang") == "de"]

    Page(site.get(str(german), Referer=f"{OWN}/f/many")).submit(site, **GOOD)

    assert site.row().meta["referrer"] == "https://search.example/found"


def test_search_engines_find_every_language_of_the_hosted_page(site: Site) -> None:
    page = Page(site.get("/f/many"))

    found = {a["hreflang"]: a["href"] for tag, a in page.tags if tag == "link" and "hreflang" in a}
    assert found == {
        "en": f"{OWN}/f/many?lang=en",
        "de": f"{OWN}/f/many?lang=de",
        "he": f"{OWN}/f/many?lang=he",
        "x-default": f"{OWN}/f/many",
    }
    assert 'rel="alternate"' not in site.get("/f/many/embed").get_data(as_text=True)


def test_nothing_is_read_compiled_or_built_for_a_request(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything() -> list[int]:
        statuses = []
        for language in ("en", "de", "he"):
            page = Page(site.get(f"/f/many?lang={language}"))
            statuses += [page.submit(site, email="").status_code]
            statuses += [site.get(f"/f/many/thanks?lang={language}").status_code]
            statuses += [site.get("/nowhere", **asked(language)).status_code]
        return statuses

    first = everything()

    def never(*_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("once is enough")

    monkeypatch.setattr(Translations, "load", never)
    monkeypatch.setattr(Translations, "_parse", never)
    monkeypatch.setattr(jinja2.BaseLoader, "load", never)
    monkeypatch.setattr(jinja2.Environment, "compile", never)
    monkeypatch.setattr(LeadForm, "__init_subclass__", never)
    assert everything() == first == [422, 200, 404] * 3
