"""`formapp leads list` and the short ids that it shows, which every command takes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from formapp.cli import leads
from formapp.db.database import Database
from formapp.db.inbox_tables import audit
from formapp.leads.accept import Status
from formapp.leads.audit import list_audit
from tests.support.leads import lead, submission
from tests.support.ledger import failed, kept

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process."""
    monkeypatch.setenv("FORMAPP_DATABASE_URL", str(sqlite.url))
    monkeypatch.setenv("FORMAPP_SECRET_KEY", "a key that is long enough")
    return lambda *args: CliRunner().invoke(leads.command, args)


def _keep(database: Database, count: int = 1, **more: Any) -> list[str]:
    now = datetime.now(UTC)
    return [
        kept(
            database,
            submission(lead(f"{n}@example.com", first_name=f"Name{n}"), now, **more),
        )
        for n in range(count)
    ]


def test_the_newest_fifty_come_first_and_all_on_request(run: Run, sqlite: Database) -> None:
    ids = _keep(sqlite, 53)
    done = run("list")
    rows = done.stdout.splitlines()[1:]
    assert [row.split()[-1] for row in rows] == [each[-8:] for each in ids[:2:-1]]
    assert done.stderr == "These are the newest 50; --all lists all.\n"
    done = run("list", "--all")
    assert [row.split()[-1] for row in done.stdout.splitlines()[1:]] == [
        each[-8:] for each in ids[::-1]
    ]
    assert done.stderr == ""


def test_json_has_all_in_one_array_oldest_first_as_ever(run: Run, sqlite: Database) -> None:
    ids = _keep(sqlite, 53)
    assert [each["id"] for each in json.loads(run("list", "--json").stdout)] == ids
    chosen = json.loads(run("list", "--json", "--search", "name5").stdout)
    assert [each["id"] for each in chosen] == [ids[5], ids[50], ids[51], ids[52]]
    assert {"id", "form", "state", "outcome", "contact_id", "attempts"} <= chosen[0].keys()


def test_search_since_site_and_state_narrow_it(run: Run, sqlite: Database) -> None:
    old = datetime.now(UTC) - timedelta(days=9)
    kept(sqlite, submission(lead("old@example.com"), old))
    (new,) = _keep(sqlite)
    kept(sqlite, submission(lead("far@example.com", site="far"), datetime.now(UTC)))
    kept(sqlite, submission(lead("spam@example.com"), datetime.now(UTC), status=Status.SPAM))
    for options, found in (
        (["--search", "0@example.com"], ["0@example.com"]),
        (["--search", new[-8:]], ["0@example.com"]),
        (["--since", "7d"], ["far@example.com", "0@example.com"]),
        (["--since", "7d", "--site", "main"], ["0@example.com"]),
        (["--state", "spam"], ["spam@example.com"]),
    ):
        listed = run("list", *options).stdout
        addresses = [word for word in listed.split() if "@" in word]
        assert addresses == found, options
    assert run("list", "--search", "nobody").stderr == "No submission matches.\n"
    assert run("list", "--json", "--search", "nobody").stdout == "[]\n"
    assert run("list", "--since", "soon").exit_code == 2


@pytest.mark.parametrize("length", [8, 12, 36])
def test_every_command_takes_the_end_of_an_id(run: Run, sqlite: Database, length: int) -> None:
    lost = failed(sqlite, submission(lead("lost@example.com")))
    held = kept(sqlite, submission(lead("held@example.com"), status=Status.QUARANTINED))
    assert f"Submission {lost}" in run("show", lost[-length:]).stdout
    assert json.loads(run("show", lost[-length:].upper(), "--json").stdout)["id"] == lost
    assert run("retry", lost[-length:]).stdout == f"{lost} is due now\n"
    assert run("release", held[-length:]).stdout == f"{held} is due now\n"
    assert f"{held} doesn't wait for a confirmation" in run("resend", held[-length:]).stderr


def test_of_several_ids_none_is_acted_on_if_one_is_unknown(run: Run, sqlite: Database) -> None:
    lost = failed(sqlite, submission(lead("lost@example.com")))
    done = run("retry", lost, "ffffffff")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is no submission ffffffff" in done.stderr


def test_what_is_done_on_the_command_line_is_recorded(run: Run, sqlite: Database) -> None:
    lost = failed(sqlite, submission(lead("lost@example.com")))
    held = kept(sqlite, submission(lead("lost@example.com"), status=Status.QUARANTINED))
    for args in (("retry", lost), ("release", held), ("export",)):
        assert run(*args).exit_code == 0, args
    assert run("erase", "--email", "lost@example.com").exit_code == 0
    for submission_id, first in ((lost, "retry"), (held, "release")):
        assert [(each.user, each.action) for each in list_audit(sqlite, submission_id)] == [
            ("command line", first),
            ("command line", "erase"),
        ]
    with sqlite.read() as connection:
        exports = select(audit.c.user).where(audit.c.action == "export")
        assert [*connection.scalars(exports)] == ["command line"]
