"""Whose pages these are, what belongs together on them, and links in the owner's texts."""

from pathlib import Path

import pytest

from formapp.forms.definition.parse import FormFilesError, parse_form
from formapp.forms.form import Form, compile_form
from tests.web.pages import Page
from tests.web.support import Site, SiteMaker

BRAND = """
[brand]
name = "Okafor & Daughters"
logo = "https://cdn.example.com/logo.svg"
home = "https://www.example.com/"
privacy = "https://www.example.com/privacy"
imprint = "https://www.example.com/imprint"
"""
FORM = """
title = "Ask us"
origins = ["https://www.example.com"]

[[fields]]
name = "email"
type = "email"
label = "E-mail"
required = true
width = "half"
to = "email"

[[fields]]
name = "town"
type = "text"
label = "Town"
help = "See [our towns](https://www.example.com/towns)."
section = "Where"

[[fields]]
name = "privacy"
type = "consent"
label = "I have read the [privacy policy](https://www.example.com/privacy)."
required = true

[texts.de]
title = "Fragen Sie uns"
sections = { Where = "Wo" }

[texts.de.fields]
email = { label = "E-Mail" }
town = { label = "Ort" }
privacy = { label = "Ich habe die [Erklärung](https://www.example.com/de) gelesen." }
"""


def _form(more: str = "") -> Form:
    return compile_form("ask", parse_form("ask.toml", FORM + more))


@pytest.mark.parametrize("place", ["form", "project"])
def test_a_brand_of_the_form_or_the_project_frames_hosted_pages(
    make_site: SiteMaker, place: str, tmp_path: Path
) -> None:
    form = _form(BRAND if place == "form" else "")
    file = tmp_path / "formapp.toml"
    file.write_text(BRAND if place == "project" else "", "utf-8")
    site = make_site(forms={"ask": form}, CONFIG=str(file))
    for path in ("/f/ask", "/f/ask/thanks"):
        answer = site.get(path)
        assert "Okafor &amp; Daughters" in answer.text
        assert '<link rel="icon" href="https://cdn.example.com/logo.svg">' in answer.text
        assert 'href="https://www.example.com/privacy">Privacy</a>' in answer.text
        assert 'href="https://www.example.com/imprint">Imprint</a>' in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert "img-src 'self' data: https://cdn.example.com;" in policy
    assert "Back to Okafor &amp; Daughters" in site.get("/f/ask/thanks").text
    framed = site.get("/f/ask/embed")
    assert "Okafor" not in framed.text, "the page around a frame says whose it is"


def test_the_projects_brand_leads_on_from_a_page_that_is_not_there(
    make_site: SiteMaker, tmp_path: Path
) -> None:
    (tmp_path / "formapp.toml").write_text(BRAND, "utf-8")
    site = make_site(forms={"ask": _form()}, CONFIG=str(tmp_path / "formapp.toml"))
    for path in ("/", "/nothing", "/f/nothing"):
        answer = site.get(path)
        assert answer.status_code == 404
        assert "Back to Okafor &amp; Daughters" in answer.text


def test_without_a_brand_pages_name_nothing(make_site: SiteMaker) -> None:
    page = make_site(forms={"ask": _form()}).get("/f/ask").text
    assert "<header" not in page
    assert "Imprint" not in page


@pytest.mark.parametrize(
    "line",
    [
        'home = "www.example.com"',
        'logo = "javascript:alert(1)"',
        'privacy = "https://a.example/; script-src *"',
        'imprint = "/imprint"',
    ],
)
def test_an_address_of_a_brand_is_absolute(line: str) -> None:
    key = line.split(maxsplit=1)[0]
    text = BRAND.replace(next(each for each in BRAND.splitlines() if each.startswith(key)), line)
    with pytest.raises(FormFilesError) as raised:
        _form(text)
    assert [fault.key for fault in raised.value.faults] == [f"brand.{key}"]


def test_sections_group_fields_in_each_language(make_site: SiteMaker) -> None:
    site = make_site(forms={"ask": _form()})
    for language, section in (("en", "Where"), ("de", "Wo")):
        text = site.get(f"/f/ask?lang={language}").text
        before, _, within = text.partition(f"<legend>{section}</legend>")
        assert 'name="email"' in before
        inside, _, behind = within.partition("</fieldset>")
        assert 'name="town"' in inside
        assert 'name="privacy"' in behind
    assert 'class="field email half"' in text


def test_links_open_beside_a_frame_and_errors_have_their_words(make_site: SiteMaker) -> None:
    site = make_site(forms={"ask": _form()})
    link = '<a href="https://www.example.com/privacy">privacy policy</a>'
    assert link in site.get("/f/ask").text
    assert link.replace(">privacy", ' target="_blank" rel="noopener">privacy') in (
        site.get("/f/ask/embed").text
    )
    assert Page(site.get("/f/ask?lang=de")).text.count("Erklärung") == 1
    answer = site.post({"email": "ada@example.com"}, form="ask")
    assert answer.status_code == 422
    assert "](" not in answer.text


def test_the_consent_that_is_kept_has_the_address(make_site: SiteMaker) -> None:
    site: Site = make_site(forms={"ask": _form()})
    assert site.post({"email": "ada@example.com", "privacy": "yes"}, form="ask").status_code == 303
    [consent] = site.row().consents
    assert consent["text"] == ("I have read the privacy policy (https://www.example.com/privacy).")


def test_the_bundled_forms_need_no_brand() -> None:
    bundled = Path(__file__).parents[2] / "formapp" / "forms" / "bundled"
    assert all("\n[brand]" not in path.read_text("utf-8") for path in bundled.glob("*.toml"))
