"""Faults of `show_if` and `[[steps]]`: what they name must be there, once and in order."""

import re
from collections.abc import Callable

import pytest

from formapp.forms.definition.localize import in_language
from formapp.forms.definition.parse import parse_form
from formapp.manual import read
from formapp.web.public.layout import condition_hint
from tests.support.forms import EMAIL_FIELD

FaultsOf = Callable[..., list[str]]

FORM = (
    'title = "Visit"'
    + EMAIL_FIELD
    + """
[[fields]]
name = "topic"
type = "select"
label = "Topic"
options = ["service", "other"]
{topic}
[[fields]]
name = "news"
type = "checkbox"
label = "News"
[[fields]]
name = "details"
type = "textarea"
label = "Details"
{details}
[[fields]]
name = "model"
type = "radio"
label = "Model"
options = ["old", "new"]
{model}
[[fields]]
name = "source"
type = "hidden"
value = "web"
{end}
"""
)
SHAPE = (
    'should name one field and its answer, such as show_if = { topic = "service" }; a list names '
    "several answers, and a box takes true or false"
)


def written(details: str = "", model: str = "", topic: str = "", end: str = "") -> str:
    return FORM.format(details=details, model=model, topic=topic, end=end)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ('{ topik = "service" }', '"topik" is not a field of this form; did you mean "topic"?'),
        ('{ qqqqqq = "service" }', '"qqqqqq" is not a field of this form'),
        ('{ details = "x" }', '"details" is the field itself; name another one'),
        ('{ model = "old" }', '"model" comes after this field; put it before'),
        (
            '{ email = "x" }',
            (
                '"email" is an email field; name one of type '
                "select, radio, checkboxes, checkbox or consent"
            ),
        ),
        ('{ topic = "servise" }', '"servise" is not a value of "topic"; use service or other'),
        ('{ topic = ["other", "x"] }', '"x" is not a value of "topic"; use service or other'),
        ("{ topic = true }", 'true is not a value of "topic"; use service or other'),
        ('{ news = "yes" }', '"news" is a box; use true or false'),
        ('{ topic = "service", news = true }', SHAPE),
        ("{ topic = [] }", SHAPE),
        ("{ topic = 1 }", SHAPE),
        ("{ }", SHAPE),
        ('"topic"', SHAPE),
    ],
)
def test_a_condition_that_can_not_be_met_is_a_fault(
    faults_of: FaultsOf, condition: str, said: str
) -> None:
    found = faults_of(written(details=f"show_if = {condition}"))
    assert found == [f"contact.toml: fields[3] (details).show_if: {said}"]


def test_a_circle_is_a_fault_of_each_field_in_it(faults_of: FaultsOf) -> None:
    found = faults_of(
        written(topic='show_if = { model = "new" }', model='show_if = { topic = "other" }')
    )
    assert [fault.partition(".show_if: runs in a circle: ")[::2] for fault in found] == [
        ("contact.toml: fields[1] (topic)", "topic, model, topic; leave one of them out"),
        ("contact.toml: fields[4] (model)", "model, topic, model; leave one of them out"),
    ]


def test_what_depends_on_a_circle_is_not_in_it(faults_of: FaultsOf) -> None:
    [first, second] = faults_of(
        written(
            topic="show_if = { news = true }",
            details='show_if = { topic = "other" }',
            end='[[fields]]\nname = "z"\ntype = "text"\nlabel = "Z"\nshow_if = { z2 = true }\n'
            '[[fields]]\nname = "z2"\ntype = "checkbox"\nlabel = "Z"\nshow_if = { z = true }',
        )
    )[1:]
    assert "circle: z, z2, z" in first
    assert "circle: z2, z, z2" in second


def test_a_slip_in_the_other_field_hides_no_fault_and_adds_none(faults_of: FaultsOf) -> None:
    text = written(details='show_if = { topic = "service" }').replace('"select"', '"selekt"')
    assert len(faults_of(text)) == 1


def test_hidden_fields_have_no_condition(faults_of: FaultsOf) -> None:
    [found] = faults_of(written(end='show_if = { topic = "service" }'))
    assert "show_if: a hidden field can't have it" in found


def test_a_confirmation_needs_an_address_that_every_visitor_is_asked_for(
    faults_of: FaultsOf,
) -> None:
    text = (
        'title = "T"\nconfirm = {}\n[[fields]]\nname = "news"\ntype = "checkbox"\nlabel = "N"\n'
        '[[fields]]\nname = "email"\ntype = "email"\nlabel = "E"\nto = "email"\nrequired = true\n'
    )
    assert faults_of(text) == []
    [found] = faults_of(text + "show_if = { news = true }")
    assert "needs an address that every visitor gives" in found


def steps(*given: tuple[str, str]) -> str:
    return "".join(f'[[steps]]\ntitle = "{title}"\nfields = {names}\n' for title, names in given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            [("A", '["email", "topik"]'), ("B", '["topic", "news", "details", "model"]')],
            ['steps[0].fields[1]: "topik" is not a field of this form; did you mean "topic"?'],
        ),
        (
            [("A", '["email", "topic"]'), ("A", '["news", "details", "model"]')],
            ['steps[1].title: "A" is that of steps[0] already'],
        ),
        (
            [("A", '["email", "topic"]'), ("B", '["topic", "news", "details", "model"]')],
            ['steps[1].fields[0]: "topic" is in steps[0] already'],
        ),
        (
            [("A", '["email", "topic"]'), ("B", '["news", "details", "model", "source"]')],
            ['steps[1].fields[3]: "source" is hidden; leave it out'],
        ),
        (
            [("A", '["email", "topic"]'), ("B", '["details", "news", "model"]')],
            [
                'steps[1].fields[1]: "news" comes before "details" in this file; keep that order',
            ],
        ),
        (
            [("A", '["email", "topic"]'), ("B", '["news", "details"]')],
            ['steps: "model" is in none of them; add it to one'],
        ),
        (
            [("A", "[]"), ("B", '["email", "topic", "news", "details", "model"]')],
            ["steps[0].fields: is missing; name the fields of this step"],
        ),
    ],
)
def test_steps_have_each_visible_field_once_and_in_order(
    faults_of: FaultsOf, given: list[tuple[str, str]], said: list[str]
) -> None:
    assert faults_of(written(end=steps(*given))) == [f"contact.toml: {each}" for each in said]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("steps = 3\n", "steps: should be a list in [square brackets], not a number (3)"),
        ('steps = ["A"]\n', "steps[0]: should be a table, not text"),
        ('steps = [{ fields = ["email"] }]\n', "steps[0].title: is missing"),
        (
            'steps = [{ title = "A", fields = "email" }]\n',
            "steps[0].fields: should be a list in [square brackets], not text",
        ),
    ],
)
def test_malformed_steps_are_one_fault(faults_of: FaultsOf, tables: str, said: str) -> None:
    assert f"contact.toml: {said}" in faults_of(tables + written())


def test_steps_and_sections_have_titles_in_other_languages(faults_of: FaultsOf) -> None:
    given = steps(("A", '["email", "topic"]'), ("B", '["news", "details", "model"]'))
    labels = "".join(
        f'[texts.de.fields]\n{name}.label = "{name}"\n'.replace("[texts.de.fields]\n", "")
        for name in ("email", "topic", "news", "details", "model")
    )
    german = f'[texts.de]\ntitle = "B"\nsteps = {{ B = "Zwei" }}\n[texts.de.fields]\n{labels}'
    form = in_language(parse_form("contact.toml", written(end=given + german)), "de")
    assert [step.title for step in form.steps] == ["A", "Zwei"]
    [found] = faults_of(written(end=given + german.replace("{ B =", "{ C =")))
    assert found == 'contact.toml: texts.de.steps.C: "C" is not a step of this form'


def test_the_examples_of_the_manual_are_a_form_with_their_hint_and_steps() -> None:
    blocks = re.findall(r"^```toml\n(.+?)\n```$", read("forms"), re.MULTILINE | re.DOTALL)
    [fields] = [block for block in blocks if "show_if" in block]
    [steps] = [block for block in blocks if "[[steps]]" in block]
    form = parse_form("visit.toml", f"{fields}\n{steps}")
    assert [step.title for step in form.steps] == ["About you", "Your boat"]
    [model] = [field for field in form.fields if field.name == "model"]
    assert f"*{condition_hint(form, model)}*" in read("forms")
