"""Prepared bodies for the bundled contact form: each has a person and a nonce of its own."""

import secrets
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from formapp.forms.form import Form, load_forms
from formapp.forms.tokens import TokenSigner

SECRET = "a key that is long enough for a benchmark"
FORM = "contact"
FORMS = Path(__file__).parent / "forms"
"""The bundled contact form as it was first: so figures of several years can be compared."""

MESSAGE = "Could you tell me what a visit on a Saturday costs? There would be four of us."
Answers = dict[str, str]


def answers(number: int, batch: str = "b") -> Answers:
    """What one visitor types; nobody else of the batch has their e-mail address or phone number."""
    return {
        "name": f"Ines Okafor {number}",
        "email": f"ines.{batch}.{number}@example.com",
        "phone": f"07400 {number % 1_000_000:06d}",
        "company": f"Okafor & Daughters {number}",
        "message": MESSAGE,
        "privacy": "yes",
    }


@cache
def form() -> Form:
    """The form of the benchmarks."""
    return load_forms(FORMS)[FORM]


@cache
def _signer() -> TokenSigner:
    # Nobody types all that in under two seconds.
    return TokenSigner([SECRET], clock=lambda: time.time() - 10)


def own_token() -> str:
    """A token as a page of formapp's holds it that was shown ten seconds ago."""
    return _signer().issue_for(FORM, form().version, "page")


def bodies(count: int, batch: str, token: Callable[[], str]) -> Iterator[str]:
    """Posts of so many visitors, each with a token of its own."""
    for number in range(count):
        yield urlencode({"_token": token(), **answers(number, batch)})


def plain_bodies(count: int, batch: str, **more: str) -> Iterator[str]:
    """The same answers with other hidden fields, the same in each."""
    for number in range(count):
        yield urlencode(more | answers(number, batch))


def floor_token(dumps: Callable[[object], str | bytes]) -> str:
    """A token of the floor's: as much in it, signed by its own signer."""
    said = {"form": FORM, "version": "0" * 12, "nonce": secrets.token_urlsafe(16), "use": "page"}
    return str(dumps(said))
