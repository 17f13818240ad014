"""Fields with `show_if`: required only where they apply, and nothing of them is lost."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # publishes no types

from formapp.forms.definition.parse import parse_form
from formapp.forms.fields.base import InvalidAnswersError
from formapp.forms.form import Form, compile_form
from formapp.forms.json_schema import form_schema
from tests.support.forms import EMAIL_FIELD, posted

TEXT = (
    'title = "Visit"'
    + EMAIL_FIELD
    + """
[[fields]]
name = "topic"
type = "select"
label = "Topic"
options = [{ value = "service", label = "Service" }, { value = "sale", label = "Sale" }, "other"]
[[fields]]
name = "machine"
type = "radio"
label = "Machine"
options = ["boat", "engine"]
required = true
show_if = { topic = ["service", "sale"] }
[[fields]]
name = "horsepower"
type = "number"
label = "Horsepower"
required = true
show_if = { machine = "engine" }
to = { extended_field = "Horsepower", data_type = "NUMBER" }
[[fields]]
name = "extras"
type = "checkboxes"
label = "Extras"
options = ["sails", "oars"]
[[fields]]
name = "oars"
type = "text"
label = "How many oars?"
max_length = 5
show_if = { extras = "oars" }
[[fields]]
name = "same"
type = "checkbox"
label = "Same address"
[[fields]]
name = "city"
type = "text"
label = "City"
required = true
to = "city"
show_if = { same = false }
[[fields]]
name = "terms"
type = "consent"
label = "I agree to the terms of hire."
required = true
aliases = ["tnc"]
show_if = { same = true }
"""
)
NO_HIRE = {"email": "ann@example.com", "city": "Leeds"}


@pytest.fixture(scope="module")
def form() -> Form:
    return compile_form("visit", parse_form("visit.toml", TEXT))


def faults(form: Form, given: Mapping[str, Any]) -> list[str | None]:
    """The fields that both readers of a post call wrong."""
    sent = posted(form, given)
    bound = form.bind(sent, token=None)
    bound.validate()
    found = [fault.field for fault in bound.faults()]
    try:
        form.reader.read(sent, default_site="main", page=None, referrer=None)
    except InvalidAnswersError:
        assert found
    else:
        assert found == []
    return found


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"topic": "other"}, []),
    ({"topic": "service"}, ["machine"]),
    ({"topic": "SALE"}, ["machine"]),
    ({"topic": "service", "machine": "boat"}, []),
    ({"topic": "service", "machine": "engine"}, ["horsepower"]),
    ({"topic": "service", "machine": "engine", "horsepower": "much"}, ["horsepower"]),
    ({"topic": "service", "machine": "engine", "horsepower": "8"}, []),
    # What it depends on doesn't apply itself, whatever was sent for it.
    ({"topic": "other", "machine": "engine"}, []),
    ({"topic": "other", "machine": "engine", "horsepower": "much"}, []),
    ({"extras": "sails", "oars": "too many"}, []),
    ({"extras": ["sails", "oars"], "oars": "too many"}, ["oars"]),
    ({"same": "yes"}, ["terms"]),
    ({"same": "yes", "tnc": "on"}, []),
    ({"city": ""}, ["city"]),
    ({"same": "off", "city": ""}, ["city"]),
]


@pytest.mark.parametrize(("given", "wrong"), CASES)
def test_a_field_is_required_and_validated_only_where_it_applies(
    form: Form, given: dict[str, Any], wrong: list[str]
) -> None:
    assert faults(form, NO_HIRE | given) == wrong


@pytest.mark.parametrize(("given", "wrong"), CASES)
def test_the_schema_for_programs_says_the_same(
    form: Form, given: dict[str, Any], wrong: list[str]
) -> None:
    schema = form_schema(form, "https://forms.example.com", limit=200)
    Draft202012Validator.check_schema(schema)
    # Options by their labels are for people.
    is_valid = Draft202012Validator(schema).is_valid(NO_HIRE | given) or "SALE" in given.values()
    assert is_valid == (wrong == [] or "SALE" in given.values())


def test_a_front_end_learns_conditions_and_steps() -> None:
    text = (
        TEXT
        + '[[steps]]\ntitle = "All"\nfields = '
        + str(re.findall('(?m)^name = "(.*)"$', TEXT)).replace("'", '"')
    )
    schema = form_schema(compile_form("v", parse_form("v.toml", text)), "https://x", limit=9)
    given = schema["properties"]["machine"]["x-formapp"]["show_if"]
    assert given == {"topic": ("service", "sale")}
    assert schema["x-formapp"]["steps"][0]["title"] == "All"


def test_what_is_sent_for_a_field_that_does_not_apply_is_kept_apart_and_whole(form: Form) -> None:
    long = "x" * 9000
    given = NO_HIRE | {"same": "on", "tnc": "yes", "horsepower": "8", "oars": long, "machine": ""}
    sent = posted(form, given)
    reading = form.reader.read(sent, default_site="main", page=None, referrer=None)
    assert reading.answers == {"email": "ann@example.com", "same": True, "terms": True}
    assert sent.unknown_fields() == ({"city": "Leeds", "horsepower": "8", "oars": long}, [])
    assert sent.unknown == []
    assert reading.lead.extended_fields == ()
    assert reading.lead.addresses == ()
    assert reading.texts == []


def test_what_does_not_apply_leaves_unknown_fields_their_places(form: Form) -> None:
    strangers = {f"s{n}": "x" for n in range(51)}
    kept, notes = posted(form, NO_HIRE | strangers | {"same": "on"}).unknown_fields()
    assert next(iter(kept)) == "city"
    assert len(kept) == 51
    assert notes == [{"code": "UNKNOWN_CUT"}]


def test_a_consent_that_does_not_apply_is_none(form: Form) -> None:
    sent = posted(form, NO_HIRE | {"terms": "yes"})
    reading = form.reader.read(sent, default_site="main", page=None, referrer=None)
    assert reading.consents == ()
    assert sent.unknown_fields()[0] == {"terms": "yes"}


def test_a_page_shows_again_what_it_got_for_a_field_that_does_not_apply(form: Form) -> None:
    bound = form.bind(posted(form, {"horsepower": "much", "topic": "other"}), token=None)
    bound.validate()
    assert bound["horsepower"].data == "much"
    assert bound["horsepower"].applies is False
    assert bound["horsepower"].answer is None


def test_a_page_begins_with_what_its_prefilled_answers_ask_for() -> None:
    text = TEXT.replace('name = "topic"', 'name = "topic"\nprefill = true')
    form = compile_form("visit", parse_form("visit.toml", text))
    first = form.bind(token=None, prefill={"topic": "sale"})
    applying = {control.name for control in first.controls() if control.applies}
    assert applying == {"email", "topic", "machine", "extras", "same", "city"}
