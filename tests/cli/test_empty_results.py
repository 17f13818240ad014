"""Where there is nothing to show or to do, a command says so; an unknown form is a fault."""

import csv
import io
import json

import pytest

from formapp.db.database import Database
from tests.support.leads import lead, submission
from tests.support.ledger import delivered
from tests.support.processes import Commands, Result


def run(commands: Commands, database: Database, command: str) -> Result:
    url = database.url.render_as_string(hide_password=False)
    key = "a key that is long enough"
    return commands.run("leads", *command.split(), DATABASE_URL=url, SECRET_KEY=key)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("list", "There is no submission."),
        ("list --state failed", "There is no failed submission."),
        ("list --form quote", "There is no submission of the form quote."),
        (
            "list --form quote --state pending",
            "There is no pending submission of the form quote.",
        ),
        ("retry --failed", "Nothing to retry. There is no failed submission."),
        (
            "retry --failed --form quote",
            "Nothing to retry. There is no failed submission of the form quote.",
        ),
        ("release --all", "Nothing to release. There is no quarantined submission."),
        (
            "release --form quote",
            "Nothing to release. There is no quarantined submission of the form quote.",
        ),
        ("expire", "Nothing to erase: no answers have expired."),
        ("expire --dry-run", "Nothing to erase: no answers have expired."),
        ("erase --email ada@example.com --dry-run", "Nothing to erase: no submission is of this"),
        ("erase --email ada@example.com", "Nothing to erase: no submission is of"),
        ("erase --list", "No person has been erased."),
    ],
)
def test_nothing_is_told_and_no_failure(
    commands: Commands, sqlite: Database, command: str, said: str
) -> None:
    done = run(commands, sqlite, command)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).startswith(said)


def test_what_programs_read_stays_on_standard_output(commands: Commands, sqlite: Database) -> None:
    for command in ("list", "erase --list"):
        assert run(commands, sqlite, command).stdout == ""
    done = run(commands, sqlite, "export")
    assert len(list(csv.reader(io.StringIO(done.stdout)))) == 1
    assert done.stderr == "There is no submission.\n"
    for command, lines, said in (
        ("export --form quote", 1, "There is no submission of the form quote."),
        ("export --format jsonl", 0, "There is no submission."),
        ("export --format jsonl --state failed", 0, "There is no failed submission."),
        ("export --format jsonl --search ada", 0, "No submission matches."),
    ):
        done = run(commands, sqlite, command)
        assert (len(done.stdout.splitlines()), done.stderr) == (lines, f"{said}\n")
    done = run(commands, sqlite, "list --json --form quote")
    assert (json.loads(done.stdout), done.stderr) == ([], "")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("list --form nope", "there is no form nope; there are contact, newsletter, old, quote"),
        ("list --json --form contct", 'there is no form contct; did you mean "contact"?'),
        ("retry --failed --form qoute", 'there is no form qoute; did you mean "quote"?'),
        ("release --form newsleter --yes", 'no form newsleter; did you mean "newsletter"?'),
        ("show 0190", "there is no submission 0190"),
        ("retry 0190", "there is no submission 0190"),
        ("release 0190", "there is no submission 0190"),
        ("resend 0190", "there is no submission 0190"),
    ],
)
def test_what_is_not_there_is_a_fault(
    commands: Commands, sqlite: Database, command: str, said: str
) -> None:
    delivered(sqlite, submission(lead(form="old")))
    done = run(commands, sqlite, command)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_form_without_a_file_may_have_submissions(commands: Commands, sqlite: Database) -> None:
    submission_id = delivered(sqlite, submission(lead(form="old")))
    assert submission_id[-8:] in run(commands, sqlite, "list --form old").stdout


@pytest.mark.parametrize(
    ("command", "near"), [("lead list", "leads"), ("sreve", "serve"), ("leads lst", "list")]
)
def test_a_slip_in_a_command_gets_a_suggestion(commands: Commands, command: str, near: str) -> None:
    done = commands.run(*command.split())
    assert done.returncode == 2
    assert f"Did you mean '{near}'?" in done.stderr
