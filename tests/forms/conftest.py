"""Forms made of a few lines of TOML, and a token signer whose clock a test sets."""

from collections.abc import Callable
from typing import Any

import pytest

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from formapp.forms.form import load_forms as load
from formapp.forms.lead_form import LeadForm
from formapp.forms.tokens import TokenSigner
from formapp.resources import BUNDLED_FORMS
from tests.support.formfiles import faults_of
from tests.support.forms import posted

TITLE = 'title = "Contact"\n'
EMAIL = '\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "E-mail"\nto = "email"\n'

FormMaker = Callable[..., Form]


@pytest.fixture
def make_form() -> FormMaker:
    """A form of the given fields (the keys of each as TOML lines) and, last, an e-mail field."""

    def make(*fields: str, top: str = "", name: str = "contact", email: str = EMAIL) -> Form:
        tables = "".join(f"\n[[fields]]\n{field}\n" for field in fields)
        return compile_form(name, parse_form(f"{name}.toml", f"{TITLE}{top}\n{tables}{email}"))

    return make


@pytest.fixture(name="faults_of")
def faults_of_text() -> Callable[..., list[str]]:
    """The fault texts of a form file's text."""
    return faults_of


@pytest.fixture
def post() -> Callable[..., LeadForm]:
    """A form with what a foreign page posted, validated; a list stands for a repeated name."""

    def bind(form: Form, **answers: Any) -> LeadForm:
        bound = form.bind(posted(form, answers), token=None)
        bound.validate()
        return bound

    return bind


@pytest.fixture(scope="session")
def bundled() -> dict[str, Form]:
    return load(BUNDLED_FORMS)


class Clock:
    """Seconds since 1970, as the test says."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(clock: Clock) -> TokenSigner:
    return TokenSigner(["first key"], clock=clock)
