"""Forms with a `[spam]` table, and what people and robots send to them."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from altcha import Challenge, Payload, solve_challenge

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from tests.web.forms import LEAD, OTHER
from tests.web.support import GOOD, Site, ago

SPAM: dict[str, Any] = GOOD | {"message": "[url=https://a.example]pills[/url] http://b.example"}


def guarded(table: str) -> dict[str, Form]:
    """The usual form with this table, and another form with the same."""
    texts = {
        name: text.replace("\n[[fields]]", f"\n[spam]\n{table}\n[[fields]]", 1)
        for name, text in {"lead": LEAD, "other": OTHER}.items()
    }
    return {name: compile_form(name, parse_form(name, text)) for name, text in texts.items()}


def beside(site: Site, folder: Path, forms: dict[str, Form], **settings: Any) -> Site:
    """Another server on the same database, which the caller closes."""
    url = site.database.url.render_as_string(hide_password=False)
    return Site.build(folder, forms=forms, url=url, **settings)


def slow_token(site: Site, form: str = "lead") -> str:
    """The token of a page that was shown a minute ago."""
    signer = type(site.signer)(["a key that is long enough"], clock=ago(60))
    return signer.issue_for(form, "000000000000", "page")


def session(*, webdriver: bool = False, seconds: float = 60) -> str:
    """What Formspree's clients send of the browser."""
    loaded = (datetime.now(UTC).timestamp() - seconds) * 1000
    content = {"loadedAt": loaded, "webdriver": webdriver}
    return base64.b64encode(json.dumps(content).encode()).decode()


def solution(made: dict[str, Any]) -> str:
    """What ALTCHA's widget sends for a challenge."""
    challenge = Challenge.from_dict(made)
    found = solve_challenge(challenge)
    assert found
    return Payload(challenge, found).to_base64()


def solved(site: Site, form: str = "lead") -> str:
    """A solution of a fresh challenge of this site."""
    made = site.get(f"/f/{form}/challenge").json
    assert made
    return solution(made)
