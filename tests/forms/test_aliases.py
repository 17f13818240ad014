"""Aliases and brackets: one field, known by several names."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from tests.support.forms import posted, read

FormMaker = Callable[..., Form]
FaultsOf = Callable[..., list[str]]
Pairs = Sequence[tuple[str, str]]

NAME = 'name = "name"\ntype = "text"\nlabel = "Name"\naliases = ["your-name", "Full name"]'
GROUP = (
    'name = "g"\ntype = "checkboxes"\nlabel = "G"\noptions = ["a", "b", "c"]\naliases = ["Extras"]'
)
BOX = 'name = "ok"\ntype = "consent"\nlabel = "OK"\nrequired = true\naliases = ["accept.terms"]'
EMAIL = '\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "E-mail"\nto = "email"\n{}\n'


@pytest.fixture
def form(make_form: FormMaker) -> Form:
    return make_form(NAME, GROUP, BOX, email=EMAIL.format('aliases = ["Correo electrónico"]'))


def bound(form: Form, *pairs: tuple[str, str]) -> LeadForm:
    filled = form.bind(posted(form, pairs), token=None)
    filled.validate()
    return filled


def answers(form: Form, *pairs: tuple[str, str]) -> dict[str, Any]:
    filled = bound(form, ("accept.terms", "on"), *pairs)
    assert filled.faults() == []
    return read(form, filled, default_site="main", page=None, referrer=None).answers


@pytest.mark.parametrize("name", ["name", "your-name", "Full name", "name[]", "Full name[]"])
def test_an_answer_is_kept_by_the_fields_own_name(form: Form, name: str) -> None:
    assert answers(form, (name, "Ada"))["name"] == "Ada"


@pytest.mark.parametrize(
    "pairs",
    [
        [("g", "b"), ("g", "a")],
        [("g[]", "b"), ("g[]", "a")],
        [("Extras", "a"), ("Extras[]", "b")],
        [("g[1]", "a"), ("g[0]", "b")],
        [("Extras[10]", "a"), ("Extras[2]", "b")],
        [("g", "a"), ("Extras[0]", "b")],
    ],
)
def test_a_group_of_boxes_takes_its_values_however_they_are_written(
    form: Form, pairs: Pairs
) -> None:
    assert answers(form, *pairs)["g"] == ["a", "b"]
    assert posted(form, pairs).repeated() == []
    assert posted(form, pairs).unknown == []


def test_numbers_in_brackets_say_the_order_of_what_is_shown_again(form: Form) -> None:
    pairs = [("g[10]", "c"), ("g[2]", "b"), ("g[]", "a")]
    assert bound(form, *pairs)["g"].data == ["a", "b", "c"]


def test_of_a_list_of_boxes_what_is_an_option_counts(form: Form) -> None:
    assert answers(form, ("g[0]", "a"), ("g[1]", "x"), ("ok", "yes"))["g"] == ["a"]


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        ([("name", "a"), ("your-name", "b")], ["name", "your-name"]),
        ([("name", "a"), ("name[]", "b")], ["name", "name[]"]),
        ([("name", "a"), ("name[]", "a ")], []),
        ([("your-name", "a"), ("your-name", "b")], ["your-name"]),
        ([("your-name", ""), ("your-name", "a"), ("your-name", " ")], []),
        ([("name", "a"), ("your-name", " \n")], []),
        ([("name", ""), ("your-name", ""), ("Full name", "")], []),
        ([("ok", "false"), ("accept.terms", "on")], []),
    ],
)
def test_different_texts_for_one_field_are_a_repetition(
    form: Form, pairs: Pairs, named: list[str]
) -> None:
    assert posted(form, pairs).repeated() == named


@pytest.mark.parametrize("name", ["name", "your-name", "your-name[]"])
def test_a_list_for_a_single_value_is_refused_by_any_of_its_names(form: Form, name: str) -> None:
    assert posted(form, [(name, "a")], frozenset({name, "g", "Extras"})).repeated() == [name]
    assert posted(form, {}, frozenset({name})).repeated() == [name]


def test_of_two_names_the_one_that_is_not_blank_counts(form: Form) -> None:
    assert answers(form, ("name", " "), ("Full name", "Ada"), ("your-name", ""))["name"] == "Ada"


def test_only_other_names_are_unknown(form: Form) -> None:
    pairs = [("Full name", "x"), ("Full Name", "x"), ("name[0]", "x"), ("g[x]", "a"), ("[]", "a")]
    assert posted(form, pairs).unknown == ["Full Name", "name[0]", "g[x]", "[]"]


@pytest.mark.parametrize(
    ("name", "called"),
    [("email", "email"), ("Correo electrónico", "Correo electrónico"), ("email[]", "email[]")],
)
def test_a_fault_names_the_field_as_the_sender_does(form: Form, name: str, called: str) -> None:
    [fault] = bound(form, (name, "x"), ("ok", "yes")).faults()
    assert (fault.field, fault.called) == ("email", called)


def test_a_field_that_was_not_sent_is_called_as_the_sender_calls_the_others(form: Form) -> None:
    [fault] = bound(form, ("your-name", "Ada"), ("Extras[0]", "a"), ("unknown", "")).faults()
    assert (fault.field, fault.called) == ("ok", "accept.terms")
    [fault] = bound(form, ("your-name", "Ada"), ("email", "a@b.example")).faults()
    assert fault.called == "ok"
    [fault] = bound(form).faults()
    assert fault.called == "ok"


def test_a_page_may_be_prefilled_by_an_alias(make_form: FormMaker) -> None:
    hidden = 'name = "utm"\ntype = "hidden"\nfrom_query = "utm_source"\naliases = ["ref"]'
    shown = make_form(NAME + "\nprefill = true", hidden).bind(
        token=None, prefill={"Full name": "Ada", "ref": "x"}
    )
    assert (shown["name"].data, shown["utm"].data) == ("Ada", "x")
    shown = make_form(hidden).bind(token=None, prefill={"utm_source": "y", "ref": "x"})
    assert shown["utm"].data == "y"


def test_an_alias_is_compared_as_what_is_posted_is_normalised(make_form: FormMaker) -> None:
    form = make_form('name = "x"\ntype = "text"\nlabel = "X"\naliases = ["cafe\u0301", "a.b[c]"]')
    assert form.definition.fields[0].aliases == ("café", "a.b[c]")
    assert form.bind(posted(form, {"café": "1"}), token=None)["x"].data == "1"
    assert form.bind(posted(form, {"a.b[c]": "1"}), token=None)["x"].data == "1"


def test_an_alias_with_brackets_goes_before_the_list_that_it_looks_like(
    make_form: FormMaker,
) -> None:
    first = 'name = "first"\ntype = "text"\nlabel = "First"\naliases = ["who[0]"]'
    last = 'name = "last"\ntype = "text"\nlabel = "Last"\naliases = ["who[1]"]'
    form = make_form(first, last)
    filled = form.bind(posted(form, {"who[0]": "Ada", "who[1]": "L"}), token=None)
    assert (filled["first"].data, filled["last"].data) == ("Ada", "L")
