"""WTForms' controls and the accepting path agree on any post, and short cuts on any text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.definition.model import FieldDefinition
from formapp.forms.definition.parse import parse_form
from formapp.forms.fields.base import Field, InvalidAnswersError, InvalidValueError, Parsed
from formapp.forms.fields.text import Email
from formapp.forms.form import FIELD_TYPES, Form, compile_form
from formapp.forms.reading.contact import read_email
from tests.support.forms import posted

OPTIONS = 'options = ["a", "b", { value = "é o", label = "E" }]'
KEYS = {
    "text": ["", 'to = "country"', 'to = "locale"', "min_length = 3\nmax_length = 5"],
    "textarea": ["", 'to = "address_line"', "max_length = 9"],
    "email": [""],
    "tel": ["", 'region = "GB"\nto = "phone"'],
    "number": ["", "min = 1\nmax = 20.5"],
    "date": ["", "min = 2020-01-01\nmax = 2030-12-31"],
    "url": ["", "max_length = 20"],
    "select": [OPTIONS],
    "radio": [OPTIONS],
    "checkboxes": [OPTIONS],
    "checkbox": ["", 'value = "gold"'],
    "consent": [""],
    "file": ["", 'max_files = 3\naccept = [".pdf"]'],
    "hidden": ['value = "fixed"', 'from_query = "q"', 'from = "page"'],
}
VALUES = {
    **{key: ['"a"', '["b", "é o"]'] for key in ("select", "radio", "checkboxes")},
    **{key: ["true", "false"] for key in ("checkbox", "consent")},
}
"""What another field may depend on, by type."""
TITLE = 'title = "T"'
LAST = '[[fields]]\nname = "email"\ntype = "email"\nlabel = "E"\nto = "email"'
ALIASES = ["Your answer", "x.y", "list[]"]

texts = st.sampled_from(
    [
        *("", " ", "a", "b", " a ", "e\u0301 o", "gold", "yes", "on", "TRUE", "false", "0"),
        *("gb", "de", "pt_br", "2026-02-28", "2026-02-30", "1", "20.5", "-3", "1e2", "1,5"),
        *("ann@example.com", "ann@shop.test", "a@b", "ann@b\u00fccher.example"),
        *("020 7946 0018", "+44 20 7946 0018", "12", "www.example.com", "ftp://x.example"),
        *("one\r\ntwo", "\u200b", "\u00a0", "x" * 40),
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """A form of a few fields of any types; no two go to one property of the contact."""
    tables: list[str] = []
    conditions: list[str] = []
    for number, kind in enumerate(draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=5))):
        keys = draw(st.sampled_from(KEYS[kind]))
        lines = [
            f'name = "f{number}"',
            f'type = "{kind}"',
            f"aliases = ['{number} {draw(st.sampled_from(ALIASES))}']",
            keys if number == 0 else keys.partition("to = ")[0],
        ]
        if kind != "hidden":
            lines += ['label = "L"', f"required = {draw(st.sampled_from(['true', 'false']))}"]
            lines += draw(st.sampled_from(["", *conditions])).splitlines()
        conditions += [f"show_if = {{ f{number} = {values} }}" for values in VALUES.get(kind, ())]
        tables.append("\n".join(["[[fields]]", *lines]))
    return compile_form("drawn", parse_form("drawn.toml", "\n".join([TITLE, *tables, LAST])))


@st.composite
def pairs(draw: st.DrawFn, form: Form) -> list[tuple[str, str]]:
    """A post by any names that the fields have, in brackets or not."""
    names = [name for field in form.definition.fields for name in field.names]
    written = st.sampled_from(names) | st.sampled_from(names).map(lambda name: f"{name}[]")
    return draw(st.lists(st.tuples(written, texts), max_size=12))


@pytest.mark.slow
@given(st.data())
def test_controls_and_the_accepting_path_agree_on_any_post(data: Any) -> None:
    form = data.draw(forms())
    sent = posted(form, data.draw(pairs(form)))
    bound = form.bind(sent, token=None)
    valid = bound.validate()
    try:
        reading = form.reader.read(sent, default_site="main", page=None, referrer=None)
    except InvalidAnswersError:
        assert not valid
        assert bound.faults()
        return
    assert valid
    assert bound.faults() == []
    answers = {control.name: control.answer for control in bound.controls()}
    assert {name: answer for name, answer in answers.items() if answer is not None} == {
        name: answer for name, answer in reading.answers.items() if not name.endswith(".e164")
    }


@given(form=forms(), text=texts)
def test_what_is_shown_again_is_read_alike(form: Form, text: str) -> None:
    """A visitor who sends the page again unchanged gets the first result."""
    for field in form.fields:
        if field.several or field.definition.type in {"checkbox", "consent"}:
            continue
        first, again = result(field, text), result(field, field.shown([text]))
        if isinstance(first, Parsed):
            first = first._replace(not_offered=())  # no control shows it
        assert first == again


def result(field: Field, text: str) -> Parsed | str:
    try:
        return field.read([text])
    except InvalidValueError as error:
        return error.message


def test_every_type_of_a_form_file_has_its_class() -> None:
    assert set(KEYS) == set(FIELD_TYPES)


domains = st.from_regex(r"[a-z0-9-]{1,12}(\.[a-zA-Z0-9-]{1,12}){0,3}", fullmatch=True)
addresses = st.builds(
    "{}@{}".format,
    st.text("aZ9.!#+-_'/ \u00fc\"@", max_size=70),
    domains | st.sampled_from(["example.test", "a.invalid", "x.local", "xn--a.example", "b.arpa"]),
)


@given(addresses | st.emails())
def test_a_plain_address_is_read_as_the_library_reads_it(address: str) -> None:
    field = Email(FieldDefinition(name="e", type="email"), "en")
    try:
        found = field.read([address]).identity
    except InvalidValueError:
        found = None
    text = field.clean(address)
    assert found == (read_email(text) if len(text) <= field.limit else None)
