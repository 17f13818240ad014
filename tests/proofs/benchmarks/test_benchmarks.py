"""The benchmarks work: their arithmetic, their tables, and the cheap suites in their least form."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from formapp.db.database import Database
from tests.proofs.benchmarks import load, peering
from tests.proofs.benchmarks.__main__ import SUITES, main
from tests.proofs.benchmarks.accept import at, floor, run
from tests.proofs.benchmarks.bodies import answers, bodies, own_token
from tests.proofs.benchmarks.load import NoLoadError
from tests.proofs.benchmarks.peering import NoPeersError
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, ratios, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import ROOT, Stage
from tests.support.ledger import rows

LEAST = Setting(rounds=2, seconds=1, size=0.01, kinds=("sqlite",))
needs_wrk = pytest.mark.usefixtures("wrk")


@pytest.fixture(scope="module")
def wrk() -> None:
    """Skip where it isn't installed, but never in CI."""
    if shutil.which("wrk") is None:
        if os.environ.get("CI"):
            pytest.fail("wrk is missing; in CI nothing is skipped")
        pytest.skip("wrk is missing: install Debian's wrk to run this")


def test_everybody_has_a_turn_in_each_round_and_another_begins() -> None:
    turns: list[str] = []

    def turn(name: str) -> int:
        turns.append(name)
        return len(turns)

    figures = play({name: partial(turn, name) for name in "abc"}, 4)
    assert "".join(turns) == "abc" + "bca" + "cab" + "abc"
    assert figures == {"a": [1, 6, 8, 10], "b": [2, 4, 9, 11], "c": [3, 5, 7, 12]}


def test_a_ratio_is_taken_round_by_round_before_the_median_is() -> None:
    # The machine was twice as fast in the second round and ten times in the third.
    assert ratios([10, 22, 100], [5, 10, 50]).said(1) == "2.0 (2.0 to 2.2)"


def test_a_single_round_has_no_spread_and_none_no_median() -> None:
    assert spread([1234.4]).said() == "1,234"
    with pytest.raises(ValueError, match="no round"):
        spread([])


def test_a_report_judges_by_the_median_and_names_who_is_missing() -> None:
    report = Report("Title", ("who", "how much"), [("formapp", "3")], {"Peer": "not installed"})
    report.at_least("ratio", 2.5, spread([2, 3, 9]))
    report.at_most("seconds", 1, spread([0.5, 1.5, 1.6]), 1, " s")
    assert report.markdown() == (
        "## Title\n\n"
        "| who | how much |\n| --- | --- |\n| formapp | 3 |\n| Peer | missing: not installed |\n\n"
        "| must hold | target | measured | holds |\n| --- | --- | --- | --- |\n"
        "| ratio | at least 2.5 | 3.00 (2.00 to 9.00) | yes |\n"
        "| seconds | at most 1 s | 1.5 (0.5 to 1.6) s | **no** |\n"
    )


def test_no_two_bodies_share_a_person_or_a_token() -> None:
    prepared = list(bodies(200, "b", own_token))
    for name in ("email", "phone", "_token"):
        assert len({re.findall(rf"{name}=([^&]+)", body)[0] for body in prepared}) == 200
    assert answers(1, "a")["email"] != answers(1, "b")["email"]


@needs_wrk
def test_posts_are_counted_and_held_against_the_rows_kept() -> None:
    with Stage() as stage:
        url = stage.database("sqlite")
        base = stage.serve("--no-worker", DATABASE_URL=url)
        formapp = at("formapp", url, [base])
        seen = formapp.turn(stage.folder, 1, "one")
        assert seen.requests > 0
        assert 0 < seen.p50 <= seen.p99 <= seen.longest
        with closing(Database(url)) as database:
            assert len(rows(database, "submissions")) >= seen.requests
        assert floor(stage).turn(stage.folder, 1, "one").requests > 0


@needs_wrk
def test_a_refused_post_spoils_the_figures_and_is_told(tmp_path: Path) -> None:
    with Stage() as stage:
        url = stage.database("sqlite")
        base = stage.serve("--no-worker", DATABASE_URL=url, LIMIT_PER_ADDRESS="3/hour")
        with pytest.raises(NoLoadError, match="refused"):
            at("formapp", url, [base]).turn(stage.folder, 1, "one")


@needs_wrk
def test_several_processes_get_their_share_of_the_posts() -> None:
    with Stage() as stage:
        databases = [stage.database("sqlite") for _ in range(2)]
        bases = [stage.serve("--no-worker", DATABASE_URL=url) for url in databases]
        prepared = stage.folder / "bodies.txt"
        prepared.write_text("".join(f"{body}\n" for body in bodies(40, "b", own_token)))
        seen = load.post([f"{base}/f/contact?_use=page" for base in bases], prepared, 3)
        assert seen.left == 0
        for url in databases:
            with closing(Database(url)) as database:
                assert 0 < len(rows(database, "submissions")) <= 20


def test_without_wrk_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _program: None)
    with pytest.raises(NoLoadError, match="apt-get install -y wrk"):
        load.get("http://127.0.0.1:1/", 1)


@needs_wrk
def test_peers_that_cannot_be_installed_are_named_in_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> Path:
        raise NoPeersError("no network")

    monkeypatch.setattr(peering, "python", fail)
    section = run(replace(LEAST, rounds=1)).markdown()
    assert "| Django, SQLite | missing: no network |" in section
    assert "| Wagtail, SQLite | missing: no network |" in section
    assert "SQLite: formapp by Flask, validate only" in section


def test_an_environment_of_peers_is_made_once_and_made_anew_when_it_was_half_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[tuple[str, ...]] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(peering, "_call", lambda *command: _install(made, command))
    folder = peering.python().parents[1]
    assert folder.parent == tmp_path / "formapp-benchmarks"
    assert peering.python().parents[1] == folder
    assert [command[1:3] for command in made] == [("-m", "venv"), ("-m", "pip")]
    (folder / "complete").unlink()
    (folder / "left over").touch()
    assert peering.python().parents[1] == folder
    assert not (folder / "left over").exists()
    assert len(made) == 4


def _install(made: list[tuple[str, ...]], command: tuple[str, ...]) -> None:
    made.append(command)
    if command[2] == "venv":
        Path(command[3]).mkdir(parents=True)


def test_other_versions_of_peers_have_an_environment_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(peering, "_call", lambda *command: _install([], command))
    first = peering.python()
    other = tmp_path / "requirements.txt"
    other.write_text(peering.REQUIREMENTS.read_text("utf-8").replace("waitress==", "waitress==1"))
    monkeypatch.setattr(peering, "REQUIREMENTS", other)
    assert peering.python() != first


def test_why_peers_cannot_be_installed_is_said_in_one_line() -> None:
    script = "import sys; sys.exit('Collecting…\\nERROR: no such version')"
    with pytest.raises(NoPeersError, match=r"^ERROR: no such version$"):
        peering._call(sys.executable, "-c", script)


@pytest.mark.parametrize("name", ["ladder", "calls", "click"])
def test_a_suite_plays_in_its_least_form(name: str) -> None:
    report = SUITES[name](LEAST)
    assert report.rows
    assert report.missing == {}
    assert "| --- |" in report.markdown()


def test_the_scale_is_played_in_its_least_form() -> None:
    report = SUITES["scale"](replace(LEAST, rounds=1, size=0.0004))
    assert {row[0] for row in report.rows} >= {"SQLite: accept", "SQLite: claim 50"}
    assert len(report.verdicts) == len(report.rows) - 1


def test_the_command_writes_its_tables_and_says_what_it_ran_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_setting: Setting) -> Report:
        raise RuntimeError("no disk")

    monkeypatch.setitem(SUITES, "calls", lambda _setting: Report("Calls", ("a",), [("1",)]))
    monkeypatch.setitem(SUITES, "click", broken)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "calls", "click"])
    assert main(["calls", "click", "--markdown", str(tmp_path / "table.md")]) == 1
    text = (tmp_path / "table.md").read_text()
    assert text == capsys.readouterr().out
    assert "cores" in text
    assert "command: `python -m tests.proofs.benchmarks calls click`" in text
    assert "| 1 |" in text
    assert "Not played to its end: RuntimeError: no disk" in text


def test_an_unknown_suite_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs.benchmarks", "acept"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "acept" in done.stderr
