"""Fields with `show_if` in posts of our page, of another site and of programs: read alike."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from formapp.db.tables import deliveries
from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from formapp.leads.retry import correct_submission, pairs_of
from formapp.web.owner.snippets import snippet
from tests.look.forms import STEPS, VISIT
from tests.web.support import Site

ORIGINS = 'origins = ["https://www.example.com"]\n'
GOOD = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "topic": "sale",
    "same": "on",
    "privacy": "yes",
}
UNUSED = {"part": "Hull", "harbour": "Whitby " * 600}
Send = Callable[[Site, dict[str, str]], TestResponse]

WAYS: dict[str, Send] = {
    "our page": lambda site, answers: site.post(answers),
    "another site": lambda site, answers: site.foreign(answers),
    "a program": lambda site, answers: site.foreign(answers, json=True),
}


@pytest.fixture
def visited(tmp_path: Path) -> Iterator[Site]:
    form = compile_form("lead", parse_form("lead.toml", ORIGINS + VISIT + STEPS))
    site = Site.build(tmp_path, forms={"lead": form})
    yield site
    site.database.close()


@pytest.mark.parametrize("way", WAYS)
def test_what_does_not_apply_is_kept_and_neither_asked_for_nor_delivered(
    visited: Site, way: str
) -> None:
    assert WAYS[way](visited, GOOD | UNUSED).status_code in {200, 303}
    row = visited.row()
    assert set(row.answers) == {"name", "email", "topic", "same", "privacy"}
    assert row.unknown == {"part": "Hull", "harbour": UNUSED["harbour"]}
    assert "Whitby" not in str(row.lead)


@pytest.mark.parametrize("way", WAYS)
def test_what_applies_is_asked_for(visited: Site, way: str) -> None:
    answer = WAYS[way](visited, GOOD | {"topic": "repair", "same": ""})
    assert answer.status_code == 422
    if way == "a program":
        assert answer.json
        assert [each["field"] for each in answer.json["errors"]] == ["part", "harbour"]
    else:
        assert answer.text.count('<li><a href="#f-') == 2
        assert 'href="#f-part-0"' in answer.text
    assert visited.rows() == []


def test_a_page_that_comes_back_keeps_what_was_typed_where_it_does_not_apply(
    visited: Site,
) -> None:
    answer = visited.post(GOOD | {"name": "", "harbour": "Whitby", "power": "8"})
    assert answer.status_code == 422
    assert 'value="Whitby"' in answer.text
    # By its control alone: a copy in a hidden one would be a second answer.
    assert answer.text.count('name="harbour"') == 1
    assert answer.text.count('name="power"') == 1


def test_an_owners_correction_keeps_what_no_longer_applies(visited: Site) -> None:
    visited.post(GOOD | {"topic": "repair", "part": "Hull"})
    row = visited.row()
    with visited.database.write() as connection:
        connection.execute(update(deliveries).values(state="failed"))
    form: Form = visited.app.extensions["formapp"].forms["lead"]
    changed = pairs_of(form, row.answers)
    changed = [(name, "sale" if name == "topic" else text) for name, text in changed]

    posted = form.reader.sort(changed)
    reading = form.reader.read(posted, default_site="main", page=None, referrer=None)
    correct_submission(visited.database, row.id, reading, datetime.now(UTC), by="owner")
    corrected = visited.row()
    assert corrected.answers["topic"] == "sale"
    assert "part" not in corrected.answers
    assert corrected.unknown == {"part": "Hull"}


def test_a_snippet_asks_for_no_field_that_may_not_apply(visited: Site) -> None:
    form = visited.app.extensions["formapp"].forms["lead"]
    html = snippet("html", form, "https://forms.example.com")
    control = html[html.index('id="lead-harbour"') :].partition(">")[0]
    assert "required" not in control
    assert "Only if you don&#39;t tick “The boat is at my address”." in html
    assert "required" in html[html.index('id="lead-name"') :].partition(">")[0]
    react = snippet("react", form, "https://forms.example.com")
    assert "required" not in react[react.index('id="lead-harbour"') :].partition("/>")[0]
