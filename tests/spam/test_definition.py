"""The `[spam]` table of a form file: what it may say, and how its faults are told."""

import pytest

from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import parse_form
from formapp.spam.definition import Spam
from tests.support.formfiles import faults_of

FIELDS = """
[[fields]]
name = "{name}"
type = "email"
label = "E-mail"
to = "email"
"""


def form(table: str = "", *, name: str = "email") -> FormDefinition:
    return parse_form("contact.toml", f'title = "Contact"\n{table}{FIELDS.format(name=name)}')


def faults(table: str = "", *, name: str = "email") -> list[str]:
    return faults_of(f'title = "Contact"\n{table}{FIELDS.format(name=name)}')


def test_without_the_table_the_usual_holds() -> None:
    assert form().spam == Spam()
    assert (form().spam.quarantine_at, form().spam.unknown_origin) == (3.0, "refuse")
    assert (form().spam.challenge, form().spam.quota) == (None, None)


def test_everything_can_be_said() -> None:
    spam = form(
        '[spam]\nquarantine_at = 4\nunknown_origin = "quarantine"\n'
        'challenge = "altcha"\ndifficulty = 3\nquota = "500/day"\n'
    ).spam
    assert (spam.quarantine_at, spam.unknown_origin) == (4.0, "quarantine")
    assert (spam.challenge, spam.difficulty, spam.quota) == ("altcha", 3, "500/day")


def test_the_threshold_can_be_off() -> None:
    assert form('[spam]\nquarantine_at = "off"\n').spam.quarantine_at is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('quarantine_at = "never"', 'should be a score above 0, such as 3, or "off"'),
        ("quarantine_at = 0", 'should be a score above 0, such as 3, or "off"'),
        ("quarantine_at = true", 'should be a score above 0, such as 3, or "off"'),
        ('unknown_origin = "allow"', 'use "refuse" or "quarantine"'),
        ('challenge = "captcha"', "recaptcha"),
        ("difficulty = 0", "0 is too small; at least 1"),
        ('quota = "many"', '"many" is no quota; write it like "500/day"'),
        ('quota = "0/day"', '"0/day" is no quota'),
        ('quota = "5/day;9/month"', "is no quota"),
        ("quota = 500", "should be text in quotes, not a number (500)"),
        ("quarantine = 3", 'is not a known key; did you mean "quarantine_at"?'),
    ],
)
def test_a_fault_names_its_key_and_what_would_be_right(line: str, told: str) -> None:
    [fault] = faults(f"[spam]\n{line}\n")
    assert fault.startswith(f"contact.toml: spam.{line.split(' ', 1)[0]}")
    assert told.replace('"', "") in fault.replace('"', "")


@pytest.mark.parametrize("name", ["altcha", "cf-turnstile-response", "g-recaptcha-response"])
def test_no_field_is_called_as_a_challenge_calls_its_answer(name: str) -> None:
    [fault] = faults(name=name)
    assert "is what a challenge sends" in fault
