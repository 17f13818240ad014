"""`leads release` and what `leads list`, `leads show` and the doctor tell of quarantine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formapp.cli import doctor
from formapp.db.database import Database
from formapp.leads.accept import Status, keep
from tests.support import formfiles
from tests.support.leads import EMAIL, lead, submission
from tests.support.owner import Owner
from tests.support.processes import Commands, Installation, eventually

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


class Quarantine(Owner):
    """An owner with one form, and what was held back."""

    def __init__(self, url: str, folder: Path) -> None:
        forms = folder / "forms"
        forms.mkdir()
        self.form = forms / "contact.toml"
        self.form.write_text(FORM, "utf-8")
        super().__init__(url, FORMS=str(forms))

    def held(self, address: str = EMAIL, **more: Any) -> str:
        given = {"status": Status.QUARANTINED, "meta": META, **more}
        return keep(self.database, submission(lead(address), **given)).id

    def caught(self, answers: dict[str, list[str]] | None = None) -> str:
        spam = submission(
            lead(None), status=Status.SPAM, answers=answers or CAUGHT, meta={"suspect": ["trap"]}
        )
        return keep(self.database, spam).id


@pytest.fixture
def owner(database_url: str, tmp_path: Path) -> Iterator[Quarantine]:
    owner = Quarantine(database_url, tmp_path)
    yield owner
    owner.database.close()


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Quarantine]:
    """With a database in a file, where the kind of database makes no difference."""
    owner = Quarantine(f"sqlite:///{tmp_path / 'formapp.db'}", tmp_path)
    yield owner
    owner.database.close()


def test_what_is_named_is_released(owner: Quarantine) -> None:
    first, second, third = owner.held(), owner.held("b@example.com"), owner.held("c@example.com")
    done = owner.leads("release", first, third)
    assert (done.returncode, done.stdout) == (0, f"{first} is due now\n{third} is due now\n")
    assert owner.listed() == {first: "pending", second: "quarantined", third: "pending"}


def test_all_of_a_form_or_all_there_are_after_a_question(lone: Quarantine) -> None:
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
    none = "Nothing to release. There is no quarantined submission.\n"
    assert lone.leads("release", "--all", "--yes").stdout == none


@pytest.mark.parametrize("args", [[], ["--yes"], ["some-id", "--all"], ["some-id", "--form", "x"]])
def test_ids_or_a_form_or_all(lone: Quarantine, args: list[str]) -> None:
    assert lone.leads("release", *args).returncode == 2


def test_what_can_not_be_released_is_told_in_a_line(lone: Quarantine) -> None:
    accepted = keep(lone.database, submission(lead())).id
    for submission_id, told in (
        (accepted, "is not in quarantine"),
        ("nobody", "there is no submission"),
    ):
        done = lone.leads("release", submission_id)
        assert done.returncode == 1
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_honeypots_catch_is_read_by_the_form_of_today(owner: Quarantine) -> None:
    submission_id = owner.caught()
    assert owner.listed() == {}
    assert owner.listed("--state", "spam") == {submission_id: "spam"}
    assert owner.leads("release", submission_id).stdout == f"{submission_id} is due now\n"
    shown = owner.shown(submission_id)
    assert (shown["state"], shown["answers"]) == ("pending", {"email": EMAIL, "privacy": True})
    [consent] = shown["consents"]
    assert (consent["field"], consent["text"]) == ("privacy", "I agree.")
    assert owner.listed() == {submission_id: "pending"}


def test_what_is_invalid_about_it_is_told_and_nothing_changes(lone: Quarantine) -> None:
    submission_id = lone.caught({"email": ["my-secret"], "_gotcha": ["x"]})
    done = lone.leads("release", submission_id)
    assert done.returncode == 1
    assert "“E-mail” should be an e-mail address" in done.stderr
    assert "“I agree.” must be ticked" in done.stderr
    assert "my-secret" not in done.stderr
    assert lone.listed("--state", "spam") == {submission_id: "spam"}
    lone.form.rename(lone.form.with_name("other.toml"))
    assert "there is no form contact" in lone.leads("release", submission_id).stderr


def test_a_fault_in_a_form_file_does_not_keep_what_was_read_already(lone: Quarantine) -> None:
    held, caught = lone.held(), lone.caught()
    lone.form.write_text("no toml", "utf-8")
    assert lone.leads("release", held).returncode == 0
    assert "form files are wrong" in lone.leads("release", caught).stderr


def test_show_says_in_words_why_and_what_to_do(lone: Quarantine) -> None:
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


def test_the_doctor_counts_what_waits_to_be_looked_at(lone: Quarantine) -> None:
    lone.held()
    lone.held("b@example.com")
    lone.caught()
    done = lone.run(doctor.command, "--json")
    findings = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert findings["quarantine"]["level"] == "hint"
    assert findings["quarantine"]["message"] == "waiting for review: contact 2"
    assert "leads release" in findings["quarantine"]["advice"]


def test_the_doctor_knows_what_a_challenge_needs(lone: Quarantine, commands: Commands) -> None:
    table = '[spam]\nchallenge = "turnstile"\n[[fields]]'
    lone.form.write_text(FORM.replace("[[fields]]", table, 1), "utf-8")
    done = lone.run(doctor.command, "--json")
    told = [each["message"] for each in json.loads(done.stdout)["findings"]]
    assert "FORMAPP_CHALLENGE_SECRET: is missing; the challenge of contact needs it" in told
    served = commands.run("serve", "--no-worker", SECRET_KEY="0123456789abcdef", **lone.settings)
    assert served.returncode == 1
    assert "FORMAPP_CHALLENGE_SITE_KEY: is missing" in served.stderr


@pytest.mark.slow
def test_what_is_released_reaches_wix(installation: Installation) -> None:
    database = Database(installation.settings["DATABASE_URL"])
    submission_id = keep(database, submission(lead(), status=Status.QUARANTINED, meta=META)).id
    database.close()
    assert installation.run("leads", "release", submission_id).returncode == 0
    eventually(lambda: len(installation.contacts()) == 1)
