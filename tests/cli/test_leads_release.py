"""`leads release` and what `leads list`, `leads show` and the doctor tell of quarantine."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from formapp.cli import doctor, leads
from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from formapp.leads.accept import Status, keep
from tests.support import formfiles
from tests.support.leads import EMAIL, lead, submission
from tests.support.processes import Commands, Installation, Result, eventually

FORM = f"""
title = "Contact"
{formfiles.EMAIL}[[fields]]
name = "privacy"
type = "consent"
label = "I agree."
required = true
"""
META = {"page": "p", "suspect": ["a link in forum code ([url=…])"], "score": 3.5}
CAUGHT = {"email": [EMAIL], "privacy": ["yes"], "_gotcha": ["x"], "unknown": ["y"]}


class Owner:
    """Runs commands on one database with one form."""

    def __init__(self, commands: Commands, url: str) -> None:
        self._commands = commands
        forms = commands.folder / "forms"
        forms.mkdir()
        (forms / "contact.toml").write_text(FORM, "utf-8")
        self.form = forms / "contact.toml"
        self.settings = {"DATABASE_URL": url, "FORMS": str(forms)}
        self.database = Database(url)
        upgrade(self.database)

    def run(self, command: click.Command, *args: str) -> Result:
        """Run it in this process, which takes a tenth of the time."""
        wanted = {f"FORMAPP_{name}": text for name, text in self.settings.items()}
        unwanted = dict.fromkeys(name for name in os.environ if name.startswith("FORMAPP_"))
        done = CliRunner().invoke(command, args, env=unwanted | wanted)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return Result(args, done.exit_code, done.stdout, done.stderr)

    def leads(self, *args: str) -> Result:
        """Run it here, but on a server's database as a process, whose end closes connections."""
        if self.database.is_sqlite:
            return self.run(leads.command, *args)
        done = self._commands.run("leads", *args, **self.settings)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def listed(self, *args: str) -> dict[str, str]:
        """Id to state."""
        entries = json.loads(self.leads("list", "--json", *args).stdout)
        return {entry["id"]: entry["state"] for entry in entries}

    def shown(self, submission_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.leads("show", submission_id, "--json").stdout)
        return found

    def held(self, address: str = EMAIL, **more: Any) -> str:
        given = {"status": Status.QUARANTINED, "meta": META, **more}
        return keep(self.database, submission(lead(address), **given)).id

    def caught(self, answers: dict[str, list[str]] | None = None) -> str:
        spam = submission(
            lead(None), status=Status.SPAM, answers=answers or CAUGHT, meta={"suspect": ["trap"]}
        )
        return keep(self.database, spam).id


@pytest.fixture
def owner(database_url: str, commands: Commands) -> Iterator[Owner]:
    owner = Owner(commands, database_url)
    yield owner
    owner.database.close()


@pytest.fixture
def lone(tmp_path: Path, commands: Commands) -> Iterator[Owner]:
    owner = Owner(commands, f"sqlite:///{tmp_path / 'formapp.db'}")
    yield owner
    owner.database.close()


def test_what_is_named_is_released(owner: Owner) -> None:
    first, second, third = owner.held(), owner.held("b@example.com"), owner.held("c@example.com")
    done = owner.leads("release", first, third)
    assert (done.returncode, done.stdout) == (0, f"{first} is due now\n{third} is due now\n")
    assert owner.listed() == {first: "pending", second: "quarantined", third: "pending"}


def test_all_of_a_form_or_all_there_are_after_a_question(lone: Owner) -> None:
    quote = keep(
        lone.database, submission(lead(form="quote"), status=Status.QUARANTINED, meta=META)
    ).id
    others = [lone.held(), lone.held("b@example.com")]
    caught = lone.caught()
    asked = lone.leads("release", "--form", "contact")
    assert asked.returncode == 1
    assert "Release 2 from quarantine? [y/N]" in asked.stdout
    assert set(lone.listed("--state", "quarantined")) == {quote, *others}
    assert lone.leads("release", "--form", "contact", "--yes").returncode == 0
    assert set(lone.listed("--state", "quarantined")) == {quote}
    assert lone.leads("release", "--all", "--yes").stdout == f"{quote} is due now\n"
    # Never the honeypot's: these are named one by one.
    assert lone.listed("--state", "spam") == {caught: "spam"}
    assert lone.leads("release", "--all", "--yes").stdout == ""


@pytest.mark.parametrize("args", [[], ["--yes"], ["some-id", "--all"], ["some-id", "--form", "x"]])
def test_ids_or_a_form_or_all(lone: Owner, args: list[str]) -> None:
    assert lone.leads("release", *args).returncode == 2


def test_what_can_not_be_released_is_told_in_a_line(lone: Owner) -> None:
    accepted = keep(lone.database, submission(lead())).id
    for submission_id, told in (
        (accepted, "is not in quarantine"),
        ("nobody", "there is no submission"),
    ):
        done = lone.leads("release", submission_id)
        assert done.returncode == 1
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_honeypots_catch_is_read_by_the_form_of_today(owner: Owner) -> None:
    submission_id = owner.caught()
    assert owner.listed() == {}
    assert owner.listed("--state", "spam") == {submission_id: "spam"}
    assert owner.leads("release", submission_id).stdout == f"{submission_id} is due now\n"
    shown = owner.shown(submission_id)
    assert (shown["state"], shown["answers"]) == ("pending", {"email": EMAIL, "privacy": True})
    [consent] = shown["consents"]
    assert (consent["field"], consent["text"]) == ("privacy", "I agree.")
    assert owner.listed() == {submission_id: "pending"}


def test_what_is_invalid_about_it_is_told_and_nothing_changes(lone: Owner) -> None:
    submission_id = lone.caught({"email": ["my-secret"], "_gotcha": ["x"]})
    done = lone.leads("release", submission_id)
    assert done.returncode == 1
    assert "“E-mail” should be an e-mail address" in done.stderr
    assert "“I agree.” must be ticked" in done.stderr
    assert "my-secret" not in done.stderr
    assert lone.listed("--state", "spam") == {submission_id: "spam"}
    lone.form.rename(lone.form.with_name("other.toml"))
    assert "there is no form contact" in lone.leads("release", submission_id).stderr


def test_a_fault_in_a_form_file_does_not_keep_what_was_read_already(lone: Owner) -> None:
    held, caught = lone.held(), lone.caught()
    lone.form.write_text("no toml", "utf-8")
    assert lone.leads("release", held).returncode == 0
    assert "form files are wrong" in lone.leads("release", caught).stderr


def test_show_says_in_words_why_and_what_to_do(lone: Owner) -> None:
    held, caught = lone.held(), lone.caught()
    told = lone.leads("show", held).stdout
    assert "In quarantine: nothing of it goes to Wix." in told
    assert f"formapp leads release {held}" in told
    assert "Suspicious (score 3.5):\n  a link in forum code ([url=…])" in told
    told = lone.leads("show", caught).stdout
    assert "Caught by the honeypot" in told
    assert f"formapp leads release {caught}" in told
    lone.leads("release", held)
    told = lone.leads("show", held).stdout
    assert "In quarantine" not in told
    assert "released_at" in told


def test_the_doctor_counts_what_waits_to_be_looked_at(lone: Owner) -> None:
    lone.held()
    lone.held("b@example.com")
    lone.caught()
    done = lone.run(doctor.command, "--json")
    findings = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert findings["quarantine"]["level"] == "hint"
    assert findings["quarantine"]["message"] == "waiting to be looked at: contact 2"
    assert "leads release" in findings["quarantine"]["advice"]


def test_the_doctor_knows_what_a_challenge_needs(lone: Owner, commands: Commands) -> None:
    table = '[spam]\nchallenge = "turnstile"\n[[fields]]'
    lone.form.write_text(FORM.replace("[[fields]]", table, 1), "utf-8")
    done = lone.run(doctor.command, "--json")
    told = [each["message"] for each in json.loads(done.stdout)["findings"]]
    assert "FORMAPP_CHALLENGE_SECRET: is missing; the challenge of contact needs it" in told
    served = commands.run("serve", "--no-worker", SECRET_KEY="0123456789abcdef", **lone.settings)
    assert served.returncode == 1
    assert "FORMAPP_CHALLENGE_SITE_KEY: is missing" in served.stderr


def test_what_is_released_reaches_wix(installation: Installation) -> None:
    database = Database(installation.settings["DATABASE_URL"])
    submission_id = keep(database, submission(lead(), status=Status.QUARANTINED, meta=META)).id
    database.close()
    assert installation.run("leads", "release", submission_id).returncode == 0
    eventually(lambda: len(installation.contacts()) == 1)
