"""Every fault of a form file, with its exact text; the cases are in faults.toml."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FaultsOf = Callable[..., list[str]]

TITLE = 'title = "Contact"\n'
EMAIL = '[[fields]]\nname = "email"\ntype = "email"\nlabel = "E-mail"\nto = "email"\n'
CASES: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "faults.toml").read_text(encoding="utf-8")
)


def in_file(problems: list[str]) -> list[str]:
    return [f"contact.toml: {problem}" for problem in problems]


def field(name: str, kind: str, keys: str) -> str:
    label = "" if kind == "hidden" else 'label = "X"\n'
    return f'[[fields]]\nname = "{name}"\ntype = "{kind}"\n{label}{keys}\n'


@pytest.mark.parametrize("case", CASES["field"])
def test_a_fault_of_a_field_says_where_and_what(faults_of: FaultsOf, case: dict[str, Any]) -> None:
    found = faults_of(TITLE + field("x", case["type"], case["keys"]) + EMAIL)
    assert [fault.replace("fields[0] (x).", "") for fault in found] == in_file(case["said"])


@pytest.mark.parametrize("case", CASES["form"])
def test_a_fault_of_the_form_says_which_key(faults_of: FaultsOf, case: dict[str, Any]) -> None:
    assert faults_of(f"{TITLE}{case['keys']}\n{EMAIL}") == in_file(case["said"])


@pytest.mark.parametrize("case", CASES["pair"])
def test_a_fault_between_two_fields_names_both(faults_of: FaultsOf, case: dict[str, Any]) -> None:
    fields = "".join(field(name, case[name][0], f"to = {case[name][1]}") for name in "ab")
    assert faults_of(TITLE + fields + EMAIL) == in_file(case["said"])


@pytest.mark.parametrize("case", CASES["file"])
def test_a_fault_of_the_whole_file_is_told(faults_of: FaultsOf, case: dict[str, Any]) -> None:
    assert faults_of(case["text"]) == in_file(case["said"])


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (
            'name = "_x"\ntype = "text"\nlabel = "X"',
            (
                '(_x).name: "_x" is not a field name; use a letter, then letters, digits, "-" and '
                '"_", 64 characters at most'
            ),
        ),
        ('type = "text"\nlabel = "X"', "(X).name: is missing"),
        ('name = "x"\nlabel = "X"', "(x).type: is missing"),
        (
            'name = "x"\ntype = "text"',
            "(x).label: is missing; every field that a visitor sees needs one",
        ),
        (
            'name = "x"\ntype = "consent"\nlabel = " "',
            "(x).label: is missing; every field that a visitor sees needs one",
        ),
    ],
)
def test_a_field_is_named_as_far_as_it_can_be(
    faults_of: FaultsOf, table: str, problem: str
) -> None:
    assert faults_of(f"{TITLE}[[fields]]\n{table}\n{EMAIL}") == in_file([f"fields[0] {problem}"])


def test_two_fields_of_one_name_are_a_fault(faults_of: FaultsOf) -> None:
    problem = 'fields[1] (email).name: "email" is already the name of fields[0]'
    assert faults_of(TITLE + field("email", "text", "") + EMAIL) == in_file([problem])


@pytest.mark.parametrize(
    ("kind", "keys", "problem"),
    [
        (
            "text",
            f'to = {{ extended_field = "{"E" * 151}" }}',
            "to.extended_field: is too long; at most 150 characters",
        ),
        (
            "checkbox",
            f'to = {{ label = "{"L" * 181}" }}',
            "to.label: is too long; at most 180 characters",
        ),
        (
            "select",
            f'options = ["{"o" * 101}"]\nto = "postal_code"',
            "options[0].value: has 101 characters; Wix takes at most 100 there",
        ),
        (
            "checkboxes",
            f'options = ["{"a" * 600}", "{"b" * 600}"]\nto = {{ extended_field = "E" }}',
            "options: all values together have 1202 characters; Wix takes 1000 there",
        ),
    ],
)
def test_what_wix_has_no_room_for_is_a_fault(
    faults_of: FaultsOf, kind: str, keys: str, problem: str
) -> None:
    found = faults_of(TITLE + field("x", kind, keys) + EMAIL)
    assert found == in_file([f"fields[0] (x).{problem}"])


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("text", f'to = {{ extended_field = "{"E" * 150}" }}'),
        ("checkbox", f'to = {{ label = "{"L" * 180}" }}'),
        ("textarea", "max_length = 10000"),
        ("text", 'max_length = 1000\nto = "company"'),
        ("text", 'max_length = 100\nto = "postal_code"'),
        ("tel", 'max_length = 50\nto = "phone"'),
        ("email", "max_length = 320"),
        ("number", "min = 3\nmax = 3"),
        ("text", 'autocomplete = "section-a shipping street-address"'),
        ("tel", 'autocomplete = "work tel"'),
        ("text", 'autocomplete = "off"'),
        ("text", 'to = "country"'),
        ("text", 'to = "locale"'),
        ("select", 'options = ["1", "2.5"]\nto = { extended_field = "E", data_type = "NUMBER" }'),
        ("radio", 'options = ["2026-02-28"]\nto = "birthdate"'),
        ("hidden", 'value = "pt-BR"\nto = "locale"'),
        ("hidden", 'from = "page"\nto = { extended_field = "E", data_type = "URL" }'),
        ("date", 'to = { extended_field = "E" }'),
        ("number", 'to = { extended_field = "E", merge = "overwrite" }'),
        ("consent", 'to = { label = "Agreed" }'),
        ("checkbox", 'value = "1"\nto = { extended_field = "E" }'),
    ],
)
def test_what_can_be_delivered_is_no_fault(faults_of: FaultsOf, kind: str, keys: str) -> None:
    assert faults_of(TITLE + field("x", kind, keys) + EMAIL) == []


@pytest.mark.parametrize("name", ["Contact", "a b", "-x", "", "x" * 65, "x.y", "..", "ü"])
def test_a_bad_form_name_is_a_fault(faults_of: FaultsOf, name: str) -> None:
    rule = 'use lower-case letters, digits, "-" and "_", 64 characters at most'
    assert faults_of(TITLE + EMAIL, f"{name}.toml") == [
        f"{name}.toml: \"{name}\" can't be a form's name; {rule}"
    ]


def test_a_file_nested_too_deeply_is_a_fault(faults_of: FaultsOf) -> None:
    assert faults_of("a = " + "[" * 5000) == ["contact.toml: is nested too deeply"]


def test_line_ends_and_byte_order_mark_of_windows_are_no_fault(faults_of: FaultsOf) -> None:
    assert faults_of("\ufeff" + (TITLE + EMAIL).replace("\n", "\r\n")) == []


def test_all_faults_of_a_file_are_told_at_once_in_order(faults_of: FaultsOf) -> None:
    text = (
        'labels = "a"\n[thanks]\nredirect = "/x"\n'
        '[[fields]]\nname = "a"\ntype = "text"\nregion = "GB"\nto = "compny"\n'
        '[[fields]]\nname = "b"\ntype = "list"\n'
        '[[fields]]\nname = "c"\ntype = "number"\nlabel = "C"\nmin = 5\nmax = 3\n'
        '[[fields]]\nname = "c"\ntype = "select"\nlabel = "C"\noptions = [1]\nto = "phone"\n'
    )
    assert [fault.split(": ")[1] for fault in faults_of(text)] == [
        "title",
        "labels",
        "thanks.redirect",
        "fields[0] (a).to",
        "fields[0] (a).region",
        "fields[0] (a).label",
        "fields[1] (b).type",
        "fields[2] (c).min",
        "fields[3] (c).options[0]",
        "fields[3] (c).to",
        "fields[3] (c).name",
    ]


@pytest.mark.parametrize("bound", ["nan", "-inf", "1e15", "1" + "0" * 400])
def test_a_bound_that_no_answer_can_reach_is_a_fault(faults_of: FaultsOf, bound: str) -> None:
    problem = "fields[0] (x).min: should be a number, or a date such as 2026-12-31"
    assert faults_of(TITLE + field("x", "number", f"min = {bound}") + EMAIL) == in_file([problem])
