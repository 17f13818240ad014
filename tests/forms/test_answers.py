"""From a valid form to kept answers, consents and the lead; and from kept answers again."""

from collections.abc import Callable
from typing import Any

import pytest

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from formapp.forms.mapping import LeadMapping
from formapp.forms.posted import Reading
from formapp.lead import Address, Email, ExtendedField, Lead, Merge, Phone, Text
from tests.support.forms import read

FormMaker = Callable[..., Form]
Post = Callable[..., LeadForm]


@pytest.fixture
def reading(post: Post) -> Callable[..., Reading]:
    """What a form makes of a valid post."""

    def read_post(form: Form, **posted: Any) -> Reading:
        bound = post(form, **{"email": "ann@example.com", **posted})
        assert bound.faults() == []
        return read(
            form,
            bound,
            default_site="main",
            page="https://p.example/",
            referrer="https://r.example/",
        )

    return read_post


def lead_of(form: Form, answers: dict[str, Any]) -> Lead:
    return LeadMapping(form.definition, form.name).lead_of(answers, "main")


def test_the_quote_form_makes_a_whole_lead(
    bundled: dict[str, Form], reading: Callable[..., Reading]
) -> None:
    found = reading(
        bundled["quote"],
        first_name=" Ann ",
        last_name="Lee",
        email="Ann@Example.COM",
        phone="07700 900123",
        company="ACME",
        website="www.acme.example",
        street="1 High St",
        postcode="N1 1AA",
        country="GB",
        service="new",
        extras=["Training", "Delivery"],
        budget="l",
        quantity="3",
        deadline="2027-01-31",
        details="One\r\ntwo",
        newsletter="on",
        privacy="yes",
        utm_source="ad",
        form_kind="forged",
    )
    assert found.answers == {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "Ann@Example.COM",
        "phone": "07700 900123",
        "phone.e164": "+447700900123",
        "company": "ACME",
        "website": "https://www.acme.example",
        "street": "1 High St",
        "postcode": "N1 1AA",
        "country": "GB",
        "service": "new",
        "extras": ["Delivery", "Training"],
        "budget": "l",
        "quantity": 3,
        "deadline": "2027-01-31",
        "details": "One\ntwo",
        "newsletter": True,
        "privacy": True,
        "utm_source": "ad",
        "referrer": "https://r.example/",
        "form_kind": "quote",
    }
    assert found.lead == Lead(
        form="quote",
        site="main",
        first_name=Text(value="Ann"),
        last_name=Text(value="Lee"),
        company=Text(value="ACME"),
        email=Email(address="ann@example.com", typed="Ann@Example.COM", tag="WORK"),
        phones=(
            Phone(
                e164="+447700900123",
                typed="07700 900123",
                country="GB",
                tag="MOBILE",
                merge=Merge.APPEND,
            ),
        ),
        addresses=(
            Address(
                tag="WORK", merge=Merge.APPEND, line="1 High St", postal_code="N1 1AA", country="GB"
            ),
        ),
        labels=("Website lead", "Quote", "New project", "Big budget", "Newsletter"),
        extended_fields=(
            ExtendedField(name="Website", data_type="URL", value="https://www.acme.example"),
            ExtendedField(name="Service", value="new"),
            ExtendedField(name="Extras", value="Delivery, Training", merge=Merge.OVERWRITE),
            ExtendedField(name="Budget", value="l", merge=Merge.OVERWRITE),
            ExtendedField(name="Quantity", data_type="NUMBER", value=3, merge=Merge.OVERWRITE),
            ExtendedField(
                name="Wanted by", data_type="DATE", value="2027-01-31", merge=Merge.OVERWRITE
            ),
            ExtendedField(name="UTM source", value="ad"),
        ),
    )


def test_blank_answers_are_left_out_and_unticked_boxes_are_false(
    bundled: dict[str, Form], reading: Callable[..., Reading]
) -> None:
    found = reading(
        bundled["quote"],
        first_name="Ann",
        last_name="Lee",
        service="repair",
        privacy="on",
        phone="",
    )
    assert set(found.answers) == {
        *("first_name", "last_name", "email", "service", "newsletter", "privacy"),
        *("referrer", "form_kind"),
    }
    assert found.answers["newsletter"] is False
    assert (found.lead.company, found.lead.phones, found.lead.addresses) == (None, (), ())
    assert found.lead.labels == ("Website lead", "Quote")


def test_a_ticked_consent_is_kept_with_its_exact_text(
    make_form: FormMaker, reading: Callable[..., Reading]
) -> None:
    form = make_form(
        'name = "a"\ntype = "consent"\nlabel = "I agree to <A>. "',
        'name = "b"\ntype = "consent"\nlabel = "I agree to B."',
    )
    found = reading(form, a="on", b="")
    assert found.consents == ({"field": "a", "text": "I agree to <A>. "},)
    assert found.answers == {"email": "ann@example.com", "a": True, "b": False}


def test_the_contact_form_splits_the_name_and_company_may_join_later(
    bundled: dict[str, Form], reading: Callable[..., Reading]
) -> None:
    sent = {"name": "Ludwig van Beethoven", "message": "Hello", "privacy": "on"}
    first = reading(bundled["contact"], **sent).lead
    assert first.first_name == Text(value="Ludwig")
    assert first.last_name == Text(value="van Beethoven")
    assert first.company is None
    assert reading(bundled["contact"], company="ACME", **sent).lead.company == Text(value="ACME")


def test_a_single_word_is_the_first_name(
    bundled: dict[str, Form], reading: Callable[..., Reading]
) -> None:
    lead = reading(bundled["contact"], name="Madonna", message="Hi", privacy="on").lead
    assert (lead.first_name, lead.last_name) == (Text(value="Madonna"), None)


def test_one_person_has_one_address_however_it_is_spelt(
    make_form: FormMaker, reading: Callable[..., Reading]
) -> None:
    spellings = ["Ann@MÜNCHEN.example", "ann@münchen.example", "ann@xn--mnchen-3ya.example"]
    leads = [reading(make_form(), email=spelling).lead for spelling in spellings]
    assert {lead.email_identity for lead in leads} == {"ann@xn--mnchen-3ya.example"}
    assert [lead.email.typed for lead in leads if lead.email] == spellings


@pytest.mark.parametrize(
    ("typed", "region", "country"),
    [
        ("+49 30 901820", "GB", "DE"),
        ("07700 900123", "GB", "GB"),
        ("+44 7700 900123", "US", "GB"),
        ("+800 1234 5678", "GB", None),
    ],
)
def test_a_phone_knows_its_country(
    make_form: FormMaker,
    reading: Callable[..., Reading],
    typed: str,
    region: str,
    country: str | None,
) -> None:
    keys = f'name = "x"\ntype = "tel"\nlabel = "X"\nregion = "{region}"\nto = "phone"'
    (phone,) = reading(make_form(keys), x=typed).lead.phones
    assert (phone.typed, phone.country, phone.tag) == (typed, country, "UNTAGGED")


def test_address_parts_of_one_tag_make_one_address(
    make_form: FormMaker, reading: Callable[..., Reading]
) -> None:
    def part(name: str, kind: str, target: str, tag: str) -> str:
        to = f'{{ property = "{target}", tag = "{tag}" }}'
        return f'name = "{name}"\ntype = "{kind}"\nlabel = "X"\nto = {to}'

    form = make_form(
        part("street", "textarea", "address_line", "HOME"),
        part("bill_city", "text", "city", "BILLING"),
        part("city", "text", "city", "HOME"),
        part("country", "text", "country", "HOME"),
    )
    lead = reading(
        form, street="1 High St \r\n\r\nFlat 2", bill_city="York", city="Leeds", country="gb"
    ).lead
    assert lead.addresses == (
        Address(tag="HOME", line="1 High St, Flat 2", city="Leeds", country="GB"),
        Address(tag="BILLING", city="York"),
    )


def test_labels_come_once_and_in_order(
    make_form: FormMaker, reading: Callable[..., Reading]
) -> None:
    form = make_form(
        'name = "a"\ntype = "checkbox"\nlabel = "A"\nto = { label = "Two" }',
        'name = "b"\ntype = "checkboxes"\nlabel = "B"\noptions = ['
        '{ value = "1", label = "1", adds_label = "Three" }, "2",'
        '{ value = "3", label = "3", adds_label = "One" }]',
        top='labels = ["One", "Two", "One"]',
    )
    assert reading(form, b=["1", "2", "3"]).lead.labels == ("One", "Two", "Three")
    assert reading(form, a="on").lead.labels == ("One", "Two")


def test_the_page_and_referrer_of_the_control_go_before_those_of_the_request(
    make_form: FormMaker, reading: Callable[..., Reading]
) -> None:
    form = make_form(
        'name = "a"\ntype = "hidden"\nfrom = "page"\n'
        'to = { extended_field = "Page", data_type = "URL" }',
        'name = "b"\ntype = "hidden"\nfrom = "referrer"',
    )
    own = reading(form, a="https://own.example/", b="")
    assert (own.answers["a"], own.answers["b"]) == ("https://own.example/", "https://r.example/")
    assert own.lead.extended_fields[0].value == "https://own.example/"
    forged = reading(form, a="javascript:alert(1)")
    assert forged.lead.extended_fields == ()


def test_the_site_of_the_form_goes_before_the_default(
    make_form: FormMaker, reading: Callable[..., Reading]
) -> None:
    assert reading(make_form()).lead.site == "main"
    assert reading(make_form(top='site = "shop"')).lead.site == "shop"


@pytest.mark.parametrize(
    ("kind", "keys", "answer", "value"),
    [
        ("number", "", 2.5, "2.5"),
        ("number", "", 3, "3"),
        ("date", "", "2026-02-28", "2026-02-28"),
        ("checkbox", 'value = "gold"', True, "gold"),
        ("checkbox", "", False, None),
        ("checkboxes", 'options = ["a", "b"]', ["a", "b"], "a, b"),
        ("textarea", "", "a\nb", "a\nb"),
    ],
)
def test_a_text_field_at_wix_takes_any_answer_as_text(
    make_form: FormMaker, kind: str, keys: str, answer: Any, value: str | None
) -> None:
    field = f'name = "x"\ntype = "{kind}"\nlabel = "X"\n{keys}\nto = {{ extended_field = "E" }}'
    lead = lead_of(make_form(field), {"email": "a@b.example", "x": answer})
    assert [found.value for found in lead.extended_fields] == ([value] if value else [])


OLD = {
    "x": ["Lots", 5, "2026-02-30", True, None, ["a"], "Atlantis", "z" * 2000, {"a": 1}, ""],
}


@pytest.mark.parametrize("answer", OLD["x"])
@pytest.mark.parametrize(
    "keys",
    [
        'type = "number"\nto = { extended_field = "E", data_type = "NUMBER" }',
        'type = "date"\nto = { extended_field = "E", data_type = "DATE" }',
        'type = "url"\nto = { extended_field = "E", data_type = "URL" }',
        'type = "text"\nto = { extended_field = "E" }',
        'type = "text"\nto = "country"',
        'type = "date"\nto = "birthdate"',
        'type = "tel"\nto = "phone"',
        'type = "text"\nto = "postal_code"',
        'type = "select"\noptions = ["a"]\nto = "company"',
    ],
)
def test_old_answers_that_do_not_fit_a_corrected_form_are_left_out(
    make_form: FormMaker, keys: str, answer: Any
) -> None:
    form = make_form(f'name = "x"\nlabel = "X"\n{keys}')
    lead = lead_of(form, {"x": answer, "email": "ann@example.com", "gone": "old"})
    assert lead.email_identity == "ann@example.com"
    for found in lead.extended_fields:
        assert not isinstance(found.value, str) or len(found.value) <= 1000
    for address in lead.addresses:
        assert address.country is None
        assert len(address.postal_code or "") <= 100


def test_an_old_answer_that_is_no_email_makes_no_identity(make_form: FormMaker) -> None:
    assert lead_of(make_form(), {"email": "ask me"}).email is None


def test_a_country_is_not_cut_to_another_one(make_form: FormMaker) -> None:
    form = make_form('name = "x"\nlabel = "X"\ntype = "text"\nto = "country"')
    assert lead_of(form, {"x": "Germania Inferior"}).addresses == ()
    assert lead_of(form, {"x": "de"}).addresses == (Address(country="DE"),)


def test_a_corrected_region_reads_the_kept_number_again(make_form: FormMaker) -> None:
    def form(region: str) -> Form:
        keys = f'type = "tel"\nregion = "{region}"\nto = "phone"'
        return make_form(f'name = "x"\nlabel = "X"\n{keys}')

    answers = {"x": "020 7946 0018", "x.e164": "+442079460018"}
    assert lead_of(form("GB"), answers).phone_identity == "+442079460018"
    assert lead_of(form("JP"), {"x": "03-1234-5678"}).phone_identity == "+81312345678"
    broken = {"x": "ask at reception", "x.e164": "+442079460018"}
    assert lead_of(form("GB"), broken).phone_identity == "+442079460018"


def test_of_two_fields_for_one_extended_field_the_first_answered_counts(
    make_form: FormMaker,
) -> None:
    to = 'type = "text"\nlabel = "X"\nto = { extended_field = "E" }'
    form = make_form(f'name = "a"\n{to}', f'name = "b"\n{to}')
    assert [f.value for f in lead_of(form, {"b": "B"}).extended_fields] == ["B"]
    assert [f.value for f in lead_of(form, {"a": "A", "b": "B"}).extended_fields] == ["A"]


def test_reading_is_answers_then_lead(
    bundled: dict[str, Form], reading: Callable[..., Reading]
) -> None:
    form = bundled["contact"]
    found = reading(form, name="Ann Lee", message="Hi", privacy="on", phone="07700 900123")
    assert lead_of(form, found.answers) == found.lead


@pytest.mark.parametrize(
    "phone", ["07400 123456", "+1 212 555 0123", "0044 1481 960 194", "٠٧٤٠٠ 123456"]
)
def test_kept_answers_alone_make_the_lead_that_was_made_of_what_was_judged(
    make_form: FormMaker, reading: Callable[..., Reading], phone: str
) -> None:
    form = make_form(
        'name = "p"\ntype = "tel"\nlabel = "Phone"\nregion = "GB"\nto = "phone"',
        'name = "q"\ntype = "tel"\nlabel = "Other phone"',
    )
    found = reading(form, email="Ann@Bücher.example.org", p=phone)
    assert [found.lead.email_identity, len(found.lead.phones)] == [
        "ann@xn--bcher-kva.example.org",
        1,
    ]
    assert found.answers["p.e164"] == found.lead.phone_identity
    assert "q.e164" not in found.answers
    assert lead_of(form, found.answers) == found.lead
