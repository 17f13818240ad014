"""How many modules and functions of formapp a post passes: it goes through each room once."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Self
from urllib.parse import urlencode

import pytest
from flask import Flask

from formapp.app import create_app
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.forms.form import load_forms
from formapp.forms.tokens import TokenSigner
from formapp.resources import BUNDLED_FORMS
from tests.support.schema import give_schema

KEY = "a key that is long enough"
OWN = "http://localhost"
ANSWERS = {
    "name": "Ines van Okafor",
    "email": "ines@example.com",
    "phone": "07400 123456",
    "company": "Okafor & Daughters",
    "message": "Could you tell me what a visit on a Saturday costs?",
    "privacy": "yes",
}
MODULES, CALLS = 22, 180


class Calls:
    """Counts calls of formapp's functions by module, also those of threads that begin within it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _arg: object) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.split(".")[0] == "formapp":
            self.counts[name] += 1


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    url = f"sqlite:///{tmp_path / 'formapp.db'}"
    given = {"SECRET_KEY": KEY, "BASE_URL": OWN, "DATABASE_URL": url}
    settings = Settings.read({f"FORMAPP_{name}": text for name, text in given.items()}, web=True)
    with closing(Database(url)) as database:
        give_schema(database)
        yield create_app(settings, forms=load_forms(BUNDLED_FORMS), database=database)


def _post(app: Flask) -> Callable[[], None]:
    """Prepare a post of the bundled contact form, as a browser sends it from our page."""
    token = TokenSigner([KEY]).issue_for("contact", "000000000000", "page")
    body = urlencode({"_token": token, **ANSWERS})
    client = app.test_client(use_cookies=False)

    def post() -> None:
        answer = client.post(
            "/f/contact?_use=page",
            data=body,
            content_type="application/x-www-form-urlencoded",
            headers={"Origin": OWN, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"},
        )
        assert answer.status_code == 303

    return post


def test_a_post_goes_through_each_room_once(app: Flask) -> None:
    first, post = _post(app), _post(app)
    with Calls() as seen:
        first()  # fills caches, and begins the thread that commits
        seen.counts.clear()
        post()
    calls = seen.counts
    assert calls["formapp.db.database"], "the commit is counted, too"
    told = "\n".join(f"{count:4} {name}" for name, count in calls.most_common())
    assert len(calls) <= MODULES, f"{len(calls)} modules:\n{told}"
    assert calls.total() <= CALLS, f"{calls.total()} calls:\n{told}"
