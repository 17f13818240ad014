"""The `[confirm]` table of a form file: what it takes, and what it needs around it."""

from collections.abc import Callable

import pytest

from formapp.forms.definition.parse import parse_form
from tests.support.formfiles import faults_of

FaultsOf = Callable[[str], list[str]]

HEAD = 'title = "News"\n'
ADDRESS = (
    '[[fields]]\nname = "email"\ntype = "email"\nlabel = "E-mail"\nrequired = true\nto = "email"\n'
)
PHONE = '[[fields]]\nname = "phone"\ntype = "tel"\nlabel = "Phone"\nrequired = true\nto = "phone"\n'
NEEDS = (
    "contact.toml: confirm: needs an address that every visitor gives; "
    'give an email field required = true and to = "email"'
)


def test_an_empty_table_is_enough() -> None:
    confirm = parse_form("news.toml", f"{HEAD}[confirm]\n{ADDRESS}").confirm
    assert confirm
    assert (confirm.days, confirm.subject, confirm.sender) == (7, None, None)
    assert parse_form("news.toml", HEAD + ADDRESS).confirm is None


@pytest.mark.parametrize(
    "fields",
    [
        PHONE,
        ADDRESS.replace("required = true\n", ""),
        ADDRESS.replace('to = "email"\n', "") + PHONE,
    ],
)
def test_a_form_that_asks_for_no_sure_address_can_not_have_one(fields: str) -> None:
    assert faults_of(f"{HEAD}[confirm]\n{fields}") == [NEEDS]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("days = 0", "confirm.days: 0 is too small; at least 1"),
        ("days = 31", "confirm.days: 31 is too large; at most 30"),
        ('subject = "a\\nBcc: b@example.com"', "confirm.subject: should be one line of text"),
        ('button = "\\u0000"', "confirm.button: should be one line of text"),
        (
            'sender = "nobody"',
            'confirm.sender: is no e-mail address; write it like "Example Ltd <news@example.com>"',
        ),
        ('sender = "a@example.com\\r\\nBcc: b@example.com"', "confirm.sender: should be one line"),
        ('subjct = "x"', 'confirm.subjct: is not a known key; did you mean "subject"?'),
        ("text = 3", "confirm.text: should be text in quotes, not a number (3)"),
    ],
)
def test_a_fault_says_which_key_and_what_would_be_right(line: str, said: str) -> None:
    (fault,) = faults_of(f"{HEAD}[confirm]\n{line}\n{ADDRESS}")
    assert fault.startswith(f"contact.toml: {said}")


def test_answers_outlive_the_link() -> None:
    (fault,) = faults_of(f"{HEAD}keep_days = 5\n[confirm]\ndays = 6\n{ADDRESS}")
    assert "confirm.days: 6 is more than keep_days, which is 5" in fault
    assert faults_of(f"{HEAD}keep_days = 6\n[confirm]\ndays = 6\n{ADDRESS}") == []
