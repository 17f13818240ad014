"""What the owner copies: right for every kind of field, and whatever the form file says."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from formapp.cli.demo import allow_origins
from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form, load_forms
from formapp.resources import BUNDLED_FORMS
from formapp.web.owner import share, snippets
from formapp.web.owner.sign_in import Owner
from formapp.web.owner.snippets import SNIPPETS
from tests.web.forms import OTHER
from tests.web.pages import Page
from tests.web.support import FROM_LISTED, FULL, LISTED, OWN, SiteMaker

HOSTILE = """"</script><b x='&amp;'>{x} ü"""
ANSWERS: dict[str, dict[str, Any]] = {
    "contact": {"name": "Ada", "email": "ada@example.com", "message": "Hi", "privacy": "yes"},
    "newsletter": {"email": "ada@example.com", "consent": "yes"},
    "quote": {
        "first_name": "Ada",
        "last_name": "L",
        "email": "ada@example.com",
        "service": "repair",
        "privacy": "yes",
    },
}
VOID = {"input", "br"}
# HTML Living Standard, the content attributes of what is used here.
GLOBAL = {"id", "hidden", "tabindex", "aria-describedby", "autocomplete", "dir"}
NAMED = {"name", "required", "placeholder", "maxlength", "minlength", "inputmode"}
ALLOWED = {
    "form": {"action", "method"},
    "input": NAMED | {"type", "value", "min", "max", "step"},
    "textarea": NAMED | {"rows"},
    "select": {"name", "required"},
    "option": {"value"},
    "label": {"for"},
    "button": {"type"},
}


@pytest.fixture(scope="module")
def bundled() -> dict[str, Form]:
    return allow_origins(load_forms(BUNDLED_FORMS), (LISTED,))


@pytest.fixture(scope="module")
def hostile() -> Form:
    text = (
        'title = "T"\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "L"\nhelp = "H"\n'
        'placeholder = "P"\nto = "email"\n[[fields]]\nname = "group"\ntype = "radio"\nlabel = "L"\n'
        'required = true\nhelp = "H"\noptions = [{ value = "V", label = "L" }]\n'
        '[[fields]]\nname = "pick"\ntype = "select"\nlabel = "L"\nplaceholder = "P"\n'
        'options = [{ value = "V", label = "L" }]\n[[fields]]\nname = "box"\ntype = "checkbox"\n'
        'label = "L"\nvalue = "V"\n[thanks]\ntitle = "T"\ntext = "X"\n'
    )
    text = re.sub(r'"([TLHPVX])"', lambda m: f"'''{m[1]}{HOSTILE}'''", text)
    head, fields, thanks = re.split(r"(?=\[\[fields\]\]\nname = \"email\")|(?=\[thanks\])", text)
    return compile_form("0-odd_name", parse_form("0-odd_name.toml", head + thanks + fields))


class Markup(HTMLParser):
    """Fails on what a validator would call an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert set(self.references) <= set(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        assert set(names) <= GLOBAL | ALLOWED.get(tag, set())
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.references += (found.get("for") or "").split()
        self.references += (found.get("aria-describedby") or "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def snippet(name: str, form: Form, address: str = OWN) -> str:
    return snippets.snippet(name, form, address)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_html_form_posts_what_the_form_takes(
    make_site: SiteMaker, bundled: dict[str, Form], name: str
) -> None:
    site = make_site(forms=bundled)
    page = Page(snippet("html", bundled[name]))
    assert page.action == f"{OWN}/f/{name}"
    assert ("form", {"action": page.action, "method": "post"}) in page.tags
    assert page.sent["_gotcha"] == ""
    empty = site.open("POST", page.action, data=page.sent, headers=FROM_LISTED)
    assert empty.status_code == 422
    filled = page.sent | ANSWERS[name]
    assert set(filled) - set(page.sent) <= {"privacy", "service", "consent"}
    answer = site.open("POST", page.action, data=filled, headers=FROM_LISTED)
    assert answer.status_code == 303
    assert site.row().status == "accepted"
    assert ANSWERS[name].items() >= {"email": site.row().answers["email"]}.items()


def test_the_html_form_has_every_field_and_what_it_demands(
    make_site: SiteMaker, forms: dict[str, Form]
) -> None:
    form = forms["lead"]
    page = Page(snippet("html", form))
    controls = {attrs["name"]: attrs for _, attrs in page.tags if attrs.get("name")}
    shown = {field.name for field in form.definition.fields if field.visible}
    assert shown | {"source", "_gotcha"} == set(controls)
    required = {name for name, attrs in controls.items() if "required" in attrs}
    assert required == {"name", "email", "privacy"}
    site = make_site()
    assert site.foreign(page.sent | FULL).status_code == 303
    assert site.row().answers["extras"] == FULL["extras"]


@pytest.mark.parametrize("name", [*ANSWERS, "0-odd_name"])
def test_the_html_form_has_no_error(bundled: dict[str, Form], hostile: Form, name: str) -> None:
    form = {**bundled, hostile.name: hostile}[name]
    markup = Markup(snippet("html", form))
    for field in form.definition.fields:
        assert field.type == "hidden" or field.label in markup.text


def test_no_text_of_a_form_file_breaks_out_of_its_place(hostile: Form) -> None:
    for name in ("html", "script", "iframe"):
        assert "<b " not in snippet(name, hostile)
    fetch = snippet("fetch", hostile)
    assert fetch.count("</script>") == 1
    assert fetch.endswith("</script>")
    react = snippet("react", hostile)
    assert re.search(r">[^<{]*</script>", react) is None
    assert "export default function The0OddNameForm()" in react


def test_every_address_begins_with_where_the_server_is_reached(bundled: dict[str, Form]) -> None:
    for name in SNIPPETS:
        text = snippet(name, bundled["quote"], "https://forms.example.org")
        assert "https://forms.example.org" in text
        assert "localhost" not in text


def test_react_needs_the_endpoint_alone(bundled: dict[str, Form]) -> None:
    text = snippet("react", bundled["contact"], "https://forms.example.org")
    assert 'useForm("contact", {\n    endpoint: "https://forms.example.org",\n  })' in text
    for name in ("name", "email", "phone", "company", "message", "privacy"):
        assert f'name="{name}"' in text
        assert f'field="{name}"' in text
    assert "_token" not in text


def test_the_page_shows_every_snippet_as_it_is_copied(
    make_site: SiteMaker, bundled: dict[str, Form], hostile: Form
) -> None:
    site = make_site(forms={**bundled, hostile.name: hostile}, BASE_URL="https://f.example.org")
    share.init_app(site.app, Owner(everybody=True))
    for name in ("quote", hostile.name):
        page = Page(site.get(f"/f/{name}/share", Host="f.example.org"))
        form = site.app.extensions["formapp"].form(name)
        for kind in SNIPPETS:
            assert snippet(kind, form, "https://f.example.org") in page.text
        assert not [a for _, a in page.tags if any(n.startswith("on") or n == "style" for n in a)]
        buttons = [attrs for tag, attrs in page.tags if tag == "button"]
        assert len(buttons) == len(SNIPPETS)
        assert all("hidden" in attrs for attrs in buttons)


def test_the_page_says_who_may_use_the_form(make_site: SiteMaker, forms: dict[str, Form]) -> None:
    site = make_site()
    share.init_app(site.app, Owner(everybody=True))
    listed = Page(site.get("/f/lead/share")).text
    assert all(origin in listed for origin in forms["lead"].definition.origins)
    assert "No site may use" not in listed
    unlisted = Page(site.get("/f/other/share")).text
    assert "No site may use this form yet." in unlisted
    assert 'origins = ["https://www.example.com"]' in unlisted
    assert "any site" in Page(site.get("/f/anyone/share")).text


def test_the_page_says_what_a_challenge_wants_of_an_html_form(make_site: SiteMaker) -> None:
    text = OTHER.replace("[[", '[spam]\nchallenge = "altcha"\n[[', 1)
    site = make_site(forms={"x": compile_form("x", parse_form("x.toml", text))})
    share.init_app(site.app, Owner(everybody=True))
    assert "must send the solution" in Page(site.get("/f/x/share")).text
    assert site.get("/f/x/share/preview?_use=embed").status_code == 200


def test_a_script_sends_files_as_a_forms_data() -> None:
    upload = '\n[[fields]]\nname = "cv"\ntype = "file"\nlabel = "CV"\n'
    with_files = compile_form("cv", parse_form("cv.toml", OTHER + upload))
    text = snippets.snippet("fetch", with_files, OWN)
    assert "const body = new FormData(form);" in text
    assert "Content-Type" not in text, "the browser adds the boundary"
    assert '"Idempotency-Key": key' in text
    plain = compile_form("other", parse_form("other.toml", OTHER))
    assert '"Content-Type": "application/json"' in snippets.snippet("fetch", plain, OWN)
