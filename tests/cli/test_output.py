"""What commands print: nothing that a visitor or another server sent commands the terminal."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from formapp.cli import cli, leads
from formapp.cli.doctor.findings import hint
from formapp.cli.format_lead import entry_lines
from formapp.cli.output import echo
from formapp.db.database import Database
from formapp.leads.accept import keep
from formapp.leads.report import list_submissions, show_submission
from formapp.printable import printable
from tests.support.leads import lead, submission
from tests.support.schema import give_schema

# Writes the clipboard (OSC 52), colours (CSI as ESC [ and as one C1 character), turns text, and
# forges a line.
HOSTILE = "\x1b]52;c;aGk=\x07\x1b[31m\x9b31m\x7f\u202egnp\u2066\u200f\ufeff\x00"
FORGED = "a\nDelivery to the site main: delivered"


@pytest.fixture
def entry(tmp_path: Path) -> Any:
    database = Database(f"sqlite:///{tmp_path / 'formapp.db'}")
    give_schema(database)
    answers = {"message": f"{HOSTILE}\nsecond line", HOSTILE: "x", FORGED: [HOSTILE, FORGED]}
    meta = {"_subject": HOSTILE, "_replyto": FORGED, "page": FORGED, HOSTILE: HOSTILE}
    keep(database, submission(lead(), answers=answers, meta=meta))
    [brief] = list_submissions(database)
    yield show_submission(database, brief["id"]) | {"outcome": None, "reason": HOSTILE + FORGED}
    database.close()


def test_a_lead_is_shown_without_commands(entry: Any) -> None:
    shown = "\n".join(entry_lines(entry))
    lines = shown.split("\n")
    assert all(line.isprintable() for line in lines)
    assert len([line for line in lines if line.startswith("Delivery to")]) == 1
    assert "second line" in shown
    assert "\\u001b]52;c;aGk=" in shown


def test_an_export_as_json_has_no_commands_and_is_the_same(
    entry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMAPP_DATABASE_URL", f"sqlite:///{tmp_path / 'formapp.db'}")
    printed = CliRunner().invoke(leads.command, ["export", "--format", "jsonl"]).output
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", printed)
    assert json.loads(printed)["answers"] == entry["answers"]


def test_an_export_has_no_commands_but_keeps_lines_and_directions(
    entry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMAPP_DATABASE_URL", f"sqlite:///{tmp_path / 'formapp.db'}")
    printed = CliRunner().invoke(leads.command, ["export"]).output
    assert entry["id"] in printed
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", printed)
    assert "\\u001b]52;c;aGk=" in printed
    assert "\u200f" in printed
    assert "\nsecond line" in printed


def test_the_line_ends_of_browsers_are_line_ends() -> None:
    assert printable("one\r\ntwo\rthree", lines=True) == "one\ntwo\\u000dthree"
    assert printable("one\r\ntwo") == "one\\u000d\\u000atwo"


@pytest.mark.parametrize("arguments", [["list", "--json"], ["show", "--json", "ID"], ["list"]])
def test_json_stays_json(
    entry: Any, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMAPP_DATABASE_URL", f"sqlite:///{tmp_path / 'formapp.db'}")
    given = [entry["id"] if each == "ID" else each for each in arguments]
    printed = CliRunner().invoke(leads.command, given).output
    assert all(line.isprintable() for line in printed.split("\n"))
    if "show" in arguments:
        assert json.loads(printed)["meta"]["_subject"] == HOSTILE


@pytest.mark.parametrize(
    "arguments",
    [
        ["leads", "show", HOSTILE],
        ["leads", "list", "--form", HOSTILE],
        ["leads", "list", "--since", HOSTILE],
        ["leads", "list", f"--{HOSTILE}"],
        ["forms", "check", HOSTILE],
    ],
)
def test_an_error_has_no_commands(
    entry: Any, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMAPP_DATABASE_URL", f"sqlite:///{tmp_path / 'formapp.db'}")
    given = [each.replace("\0", "") for each in arguments]
    ended = CliRunner().invoke(cli, given)
    assert ended.exit_code in {1, 2}
    assert all(line.isprintable() for line in ended.output.split("\n"))
    assert re.search(r"\\(u00|x)1b]52", ended.output)


def test_what_others_say_is_one_line() -> None:
    assert hint("Wix", HOSTILE + FORGED).text.isprintable()


def test_text_of_all_languages_stays(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Grüße, שלום, مرحبا, こんにちは, क्‍ष, 👩‍👧, a\tb\nc\u00a0d"
    echo(text)
    assert capsys.readouterr().out == f"{text}\n"
    assert printable("a\nb") == "a\\u000ab"
