"""Lists of leads for people: they fit the terminal, and nothing in them commands it."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from formapp.cli.doctor.findings import echo_finding, hint
from formapp.cli.lead_table import Since, echo_leads
from formapp.cli.output import Screen, cells, fit
from formapp.leads.summary import LeadSummary
from tests.support.clock import NOON
from tests.support.processes import environ

HOSTILE = "\x1b[31m\u202e\nevil"


def summary(number: int = 1, **given: object) -> LeadSummary:
    parts: dict[str, object] = {
        "id": f"019aa1b2-0000-7000-8000-{number:012x}",
        "form": "contact",
        "site": "main",
        "state": "delivered",
        "outcome": "created",
        "contact_id": None,
        "received_at": NOON - timedelta(hours=number),
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "phone": None,
        "attempts": 1,
        "reason": None,
        "erased": False,
    }
    return LeadSummary(**(parts | given))  # type: ignore[arg-type] # checked by what is shown


def shown(
    leads: Sequence[LeadSummary], capsys: pytest.CaptureFixture[str], out: Screen
) -> list[str]:
    echo_leads(leads, NOON, out)
    return capsys.readouterr().out.splitlines()


def test_a_row_has_age_name_address_form_state_and_short_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    heading, row = shown([summary()], capsys, Screen())
    assert heading.split() == ["AGE", "NAME", "E-MAIL", "FORM", "STATE", "ID"]
    assert re.split(r"\s{2,}", row) == [
        "1 h", "Ada Lovelace", "ada@example.com", "contact", "delivered", "00000001"
    ]  # fmt: skip


LONG = [
    summary(1, name="Wolfeschlegelsteinhausenbergerdorff " * 2, email="x" * 60 + "@example.com"),
    summary(2, form="a-form-with-quite-a-long-name", state="unconfirmed"),
    summary(3, name="山田 太郎" * 9, email=None, phone="+442079460018"),
    summary(4, name="e\u0301" * 40, site="another-site"),
    summary(5, name="", email="", erased=True),
]


@pytest.mark.parametrize("width", [40, 59, 80, 100, 132, 200])
def test_it_fits_the_terminal_and_columns_are_in_line(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(LONG, capsys, Screen(width))
    assert max(map(cells, lines)) <= width
    ends = {cells(line) for line in lines[1:]}
    assert len(ends) == 1
    assert all(line.endswith(f"0000000{number}") for number, line in enumerate(lines[1:], 1))


def test_a_narrow_terminal_leaves_out_what_tells_least(capsys: pytest.CaptureFixture[str]) -> None:
    headings = {width: shown(LONG, capsys, Screen(width))[0].split() for width in (80, 69, 50, 40)}
    assert headings[80] == ["AGE", "NAME", "E-MAIL", "SITE", "FORM", "STATE", "ID"]
    assert headings[69] == ["AGE", "NAME", "E-MAIL", "FORM", "STATE", "ID"]
    assert headings[50] == ["AGE", "NAME", "FORM", "STATE", "ID"]
    assert headings[40] == ["AGE", "NAME", "STATE", "ID"]


def test_a_file_gets_everything_uncut_and_without_colours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(LONG, capsys, Screen())
    assert LONG[0].email
    assert LONG[0].email in lines[1]
    assert "(erased)" in lines[5]
    assert "\x1b" not in "".join(lines)


def test_states_have_colours_and_visitors_text_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    lead = summary(name=HOSTILE, email=HOSTILE, state="failed")
    lines = shown([lead], capsys, Screen(120, colors=True))
    assert len(lines) == 2
    assert set(re.findall(r"\x1b\[\d*m", lines[1])) == {"\x1b[31m", "\x1b[0m"}
    assert "\\u001b[31m\\u202e\\u000aevil" in lines[1]


def test_rows_behind_the_sample_follow(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown([summary(n) for n in range(700)], capsys, Screen(80))) == 701


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("山田太郎", 6, "山田… "),
        ("e\u0301x", 2, "e\u0301x"),
    ],
)
def test_text_is_filled_or_cut_by_columns(text: str, width: int, expected: str) -> None:
    assert fit(text, width) == expected
    assert cells(expected) == width


@pytest.mark.parametrize(
    ("given", "ago"),
    [
        ("90min", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(7)),
        ("2 w", timedelta(14)),
    ],
)
def test_since_takes_how_long_ago(given: str, ago: timedelta) -> None:
    found = Since().convert(given, None, None)
    assert abs(datetime.now(UTC) - ago - found) < timedelta(minutes=1)


def test_since_takes_dates_of_this_machine_and_of_a_zone() -> None:
    local = datetime(2026, 11, 30).astimezone(UTC)
    assert Since().convert("2026-11-30", None, None) == local
    assert Since().convert("2026-11-30T12:00+02:00", None, None) == datetime(
        2026, 11, 30, 10, tzinfo=UTC
    )


@pytest.mark.parametrize("given", ["", "yesterday", "7", "2026-13-01", "999999w", "0001-01-01"])
def test_since_refuses_what_is_no_time(given: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time; write 12h"):
        Since().convert(given, None, None)


def test_a_finding_is_wrapped_with_its_advice_below(capsys: pytest.CaptureFixture[str]) -> None:
    finding = hint("check", "some words " * 12, "do this and that " * 8)
    echo_finding(Screen(60, colors=True), finding)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("\x1b[33mhint   \x1b[0mcheck: some words")
    plain = [re.sub(r"\x1b\[\d*m", "", line) for line in lines]
    assert max(map(len, plain)) <= 60
    assert all(line.startswith(" " * 7) for line in plain[1:])
    assert len(plain) > 4


def run_in_terminal(folder: Path, *args: str, **variables: str) -> str:
    """What a command prints in a terminal of 60 columns."""
    ours, theirs = pty.openpty()
    settings = {"SECRET_KEY": "a key that is long enough"}
    size = {"COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "", **variables}
    command = [sys.executable, "-m", "formapp", *args]
    with subprocess.Popen(
        command, cwd=folder, env=environ(settings) | size, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65_536):
                parts.append(part)
        except OSError:  # how Linux reports that the other end is closed
            pass
        process.wait(60)
    os.close(ours)
    return b"".join(parts).decode()


@pytest.mark.slow
def test_the_doctor_wraps_and_colours_in_a_terminal(tmp_path: Path) -> None:
    printed = run_in_terminal(tmp_path, "doctor")
    assert "\x1b[31mfault  \x1b[0m" in printed
    plain = [re.sub(r"\x1b\[\d*m", "", line) for line in printed.splitlines()]
    # A long path stays whole, to be copied.
    assert max(len(line) for line in plain if str(tmp_path) not in line) <= 60


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours_where_they_are_not_wanted(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    assert "\x1b" not in run_in_terminal(tmp_path, "doctor", **variables)
