"""The compiled form: one class, its controls and their HTML."""

from collections.abc import Callable
from typing import Any

import pytest
from flask_wtf import FlaskForm
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from formapp.forms.tokens import TokenContext, TokenSigner
from tests.support.forms import posted, read

FormMaker = Callable[..., Form]
Post = Callable[..., LeadForm]


def html(form: Form, name: str = "x", **how: Any) -> str:
    return str(form.bind(token=None, **how)[name])


def test_the_class_is_built_once(make_form: FormMaker) -> None:
    form = make_form()
    classes = {type(form.bind(token=None)) for _ in range(3)}
    assert classes == {form.form_class}
    assert issubclass(form.form_class, FlaskForm)


def test_two_binds_share_nothing_that_was_typed(make_form: FormMaker, post: Post) -> None:
    form = make_form()
    first, second = post(form, email="ann@example.com"), post(form, email="bob@example.com")
    assert (first["email"].data, second["email"].data) == ("ann@example.com", "bob@example.com")


def test_a_form_needs_no_app_and_no_request(bundled: dict[str, Form], signer: TokenSigner) -> None:
    form = bundled["quote"]
    bound = form.bind(token=TokenContext(signer, form.name, form.version, "page"))
    assert all(str(control) for control in bound)


def test_shown_and_hidden_controls_come_in_the_order_of_the_file(
    bundled: dict[str, Form], signer: TokenSigner
) -> None:
    form = bundled["quote"]
    bound = form.bind(token=TokenContext(signer, form.name, form.version, "page"))
    fields = form.definition.fields
    assert [c.name for c in bound.shown()] == [f.name for f in fields if f.type != "hidden"]
    assert [c.spec for c in bound.shown()] == [f for f in fields if f.type != "hidden"]
    hidden = [f.name for f in fields if f.type == "hidden"]
    assert [c.name for c in bound.hidden()] == [*hidden, "_token"]


@pytest.mark.parametrize(
    "name", ["data", "errors", "validate", "meta", "shown", "on_submit", "csrf_token", "process"]
)
def test_a_field_may_have_the_name_of_anything_in_wtforms(
    make_form: FormMaker, post: Post, name: str
) -> None:
    form = make_form(f'name = "{name}"\ntype = "text"\nlabel = "X"\nrequired = true')
    assert [f.field for f in post(form, email="ann@example.com").faults()] == [name]
    bound = post(form, email="ann@example.com", **{name: "x"})
    assert bound.faults() == []
    assert bound[name].data == "x"


@pytest.mark.parametrize(
    ("keys", "attributes"),
    [
        ('type = "text"\nrequired = true', 'id="f-x" name="x" required type="text"'),
        ('type = "text"\nmin_length = 2\nmax_length = 9', 'id="f-x" minlength="2" name="x"'),
        ('type = "text"\nplaceholder = "a \\"b\\""', 'placeholder="a &#34;b&#34;"'),
        ('type = "textarea"\nrows = 9', 'name="x" rows="9"'),
        ('type = "textarea"', 'rows="5"'),
        ('type = "email"', 'autocomplete="email" id="f-x" inputmode="email" name="x" type="email"'),
        ('type = "tel"', 'autocomplete="tel" id="f-x" inputmode="tel" name="x" type="tel"'),
        ('type = "number"\nmin = 1', 'id="f-x" inputmode="decimal" name="x" type="text"'),
        ('type = "date"\nmin = 2026-01-01', 'min="2026-01-01" name="x" type="date"'),
        ('type = "url"', 'inputmode="url"'),
        ('type = "checkbox"\nvalue = "gold"', 'type="checkbox" value="gold"'),
        ('type = "consent"\nrequired = true', 'required type="checkbox" value="yes"'),
        ('type = "select"\noptions = ["a"]', '<option selected value=""></option>'),
        ('type = "select"\noptions = ["a"]\nplaceholder = "Choose"', 'value="">Choose</option>'),
        ('type = "text"\nto = "first_name"', 'autocomplete="given-name"'),
        ('type = "text"\nto = "full_name"', 'autocomplete="name"'),
        ('type = "text"\nto = "company"', 'autocomplete="organization"'),
        ('type = "text"\nto = "company"\nautocomplete = "off"', 'autocomplete="off"'),
        ('type = "date"\nto = "birthdate"', 'autocomplete="bday"'),
        ('type = "text"\nto = "address_line"', 'autocomplete="address-line1"'),
        ('type = "textarea"\nto = "address_line"', 'autocomplete="street-address"'),
        (
            'type = "text"\nto = { property = "city", tag = "SHIPPING" }',
            'autocomplete="shipping address-level2"',
        ),
        (
            'type = "text"\nto = { property = "city", tag = "HOME" }',
            'autocomplete="address-level2"',
        ),
    ],
)
def test_a_control_carries_its_html_attributes(
    make_form: FormMaker, keys: str, attributes: str
) -> None:
    assert attributes in html(make_form(f'name = "x"\nlabel = "X"\n{keys}'))


def test_a_group_of_boxes_does_not_demand_every_box(make_form: FormMaker) -> None:
    keys = 'name = "x"\nlabel = "X"\ntype = "checkboxes"\noptions = ["a", "b"]\nrequired = true'
    assert "required" not in html(make_form(keys))


def test_label_and_help_come_from_the_form_file(make_form: FormMaker) -> None:
    form = make_form('name = "x"\ntype = "text"\nlabel = "The <X>"\nhelp = "Any."')
    control = form.bind(token=None)["x"]
    assert (control.label.text, control.description) == ("The <X>", "Any.")
    assert "The &lt;X&gt;" in str(control.label)


@pytest.mark.parametrize(
    ("keys", "typed"),
    [
        ('type = "number"', "a lot"),
        ('type = "date"', "2026-02-30"),
        ('type = "tel"', "12"),
        ('type = "email"', "ann"),
        ('type = "url"', "my page"),
        ('type = "text"\nmax_length = 3', "too long"),
        ('type = "textarea"\nmax_length = 3', "too long"),
    ],
)
def test_what_was_typed_wrong_stays_in_the_control(
    make_form: FormMaker, post: Post, keys: str, typed: str
) -> None:
    form = make_form(f'name = "x"\nlabel = "X"\n{keys}')
    bound = post(form, email="ann@example.com", x=typed)
    assert [fault.field for fault in bound.faults()] == ["x"]
    assert typed in str(bound["x"])


def test_choices_stay_after_another_field_failed(bundled: dict[str, Form], post: Post) -> None:
    bound = post(
        bundled["quote"],
        service="repair",
        extras=["Training", "Delivery"],
        budget="m",
        newsletter="on",
        privacy="yes",
    )
    assert bound.faults()
    assert '<option selected value="m">' in str(bound["budget"])
    assert "checked" in str(bound["newsletter"])
    assert "checked" in str(bound["privacy"])
    chosen = [
        str(option) for name in ("service", "extras") for option in bound[name] if option.checked
    ]
    assert [box.rpartition('value="')[2] for box in chosen] == [
        'repair">',
        'Delivery">',
        'Training">',
    ]


def test_a_fault_leads_to_the_first_control_of_a_group(
    bundled: dict[str, Form], post: Post
) -> None:
    ids = {fault.field: fault.id for fault in post(bundled["quote"]).faults()}
    assert ids["service"] == "f-service-0"
    assert ids["email"] == "f-email"
    bound = bundled["quote"].bind(token=None)
    assert 'id="f-service-0"' in str(next(iter(bound["service"])))


def test_only_what_the_form_file_allows_may_be_prefilled(make_form: FormMaker) -> None:
    form = make_form(
        'name = "plan"\ntype = "select"\nlabel = "Plan"\noptions = ["s", "m"]\nprefill = true',
        'name = "company"\ntype = "text"\nlabel = "Company"\nprefill = true',
        'name = "note"\ntype = "text"\nlabel = "Note"',
        'name = "source"\ntype = "hidden"\nfrom_query = "utm_source"',
        'name = "kind"\ntype = "hidden"\nvalue = "quote"',
    )
    query = dict.fromkeys(("plan", "company", "note", "utm_source", "source", "kind"), "m")
    assert '<option selected value="m">' in html(form, "plan", prefill=query)
    assert 'value="m"' in html(form, "company", prefill=query)
    assert 'value=""' in html(form, "note", prefill=query)
    assert 'value="m"' in html(form, "source", prefill=query)
    assert 'value="quote"' in html(form, "kind", prefill=query)
    assert form.prefill_names == {"plan": "plan", "company": "company", "utm_source": "source"}


def test_a_hidden_field_begins_with_the_referrer(bundled: dict[str, Form]) -> None:
    referrer = "https://www.example.com/"
    assert f'value="{referrer}"' in html(bundled["quote"], "referrer", referrer=referrer)


def test_a_prefill_does_not_fill_what_was_posted_blank(bundled: dict[str, Form]) -> None:
    form = bundled["contact"]
    bound = form.bind(posted(form, {"name": ""}), token=None, prefill={"name": "Ada"})
    assert 'value=""' in str(bound["name"])


def test_a_value_that_is_not_text_is_refused(make_form: FormMaker, post: Post) -> None:
    for kind in ("text", "number", "checkbox"):
        form = make_form(f'name = "x"\nlabel = "X"\ntype = "{kind}"')
        bound = post(form, email="ann@example.com", x=[{"a": 1}])
        assert [fault.code for fault in bound.faults()] == ["TYPE_TEXT"]


@pytest.mark.parametrize("language", ["en", "de", "pt-BR", "zh-Hant-TW", "tlh"])
def test_a_form_may_be_in_any_language(make_form: FormMaker, post: Post, language: str) -> None:
    form = make_form(top=f'language = "{language}"')
    assert form.definition.language == language
    assert post(form, email="").faults() == []


def test_no_repr_shows_an_answer(bundled: dict[str, Form], post: Post) -> None:
    form = bundled["contact"]
    bound = post(form, name="Zaphod", email="zaphod@example.com", message="Zap", privacy="on")
    reading = read(form, bound, default_site="main", page=None, referrer=None)
    wrong = post(form, name="Zaphod", email="zap", phone="Zap")
    seen = [form, bound, reading, reading.lead, reading.lead.email, wrong, *wrong.faults(), *bound]
    assert "zap" not in " ".join(map(repr, seen)).lower()


surprising = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["+", "+1", "00", "1e", "\ud800", "https://[", "a@b", "@", "x" * 20000, "2026-13-01", "ǅ@ß.ẞ"]
)


@given(st.data())
def test_no_posted_text_makes_validation_raise(bundled: dict[str, Form], data: Any) -> None:
    form = data.draw(st.sampled_from(list(bundled.values())))
    drawn = [(f.name, text) for f in form.definition.fields if (text := data.draw(surprising))]
    bound = form.bind(posted(form, drawn), token=None)
    if bound.validate():
        read(form, bound, page="p", referrer="r")
    else:
        assert bound.faults()
    assert all(str(control) for control in bound)
