"""`formapp crm`, between the sandbox and a system in memory."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from formapp.cli import books
from formapp.cli.crm import command
from formapp.cli.progress import Progress
from formapp.crm.system import UnavailableError
from tests.crm.memory import MemorySystem
from tests.support.wixsite import KEY, SITE_ID, WixSite, running_site

BOOK = """
system = "carddav"
url = "http://127.0.0.1:1/contacts/"
mode = "{mode}"
region = "PT"

[[fields]]
wix = "name.first"
crm = "given_name"

[[fields]]
wix = "company"
crm = "org"
wins = "{wins}"

[[fields]]
wix = "email"
crm = "email"
"""

Run = Callable[..., Result]


class _RealClock:
    """The sandbox's time is the machine's: the commands have no other."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self) -> float:
        return self().timestamp()


@pytest.fixture
def site() -> Iterator[WixSite]:
    with running_site(_RealClock()) as site:  # type: ignore[arg-type] # of a test's clock only this is used
        yield site


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> MemorySystem:
    """The other system."""
    system = MemorySystem("crm", lambda: datetime.now(UTC))
    monkeypatch.setattr(books, "open_system", lambda *_: system)
    return system


@pytest.fixture
def run(tmp_path: Path, site: WixSite, other: MemorySystem, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `formapp crm …` with a book `main`."""
    assert other.rows == {}
    (tmp_path / "forms").mkdir()
    (tmp_path / "crm").mkdir()
    write_book(tmp_path)
    monkeypatch.chdir(tmp_path)
    environ = {
        "FORMAPP_DATABASE_URL": f"sqlite:///{tmp_path}/formapp.db",
        "FORMAPP_FORMS": str(tmp_path / "forms"),
        "FORMAPP_SECRET_KEY": "0123456789abcdef",
        "FORMAPP_WIX_API_URL": site.url,
        "FORMAPP_WIX_API_KEY": KEY,
        "FORMAPP_WIX_SITE_ID": SITE_ID,
        "FORMAPP_WIX_RATE_LIMIT": "10000",
    }

    def run_command(*args: str, terminal: str | None = None) -> Result:
        return CliRunner().invoke(command, args, env=environ, input=terminal)

    return run_command


def write_book(folder: Path, *, mode: str = "two-way", wins: str = "wix") -> None:
    (folder / "crm" / "main.toml").write_text(BOOK.format(mode=mode, wins=wins))


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _status(run: Run) -> Any:
    (found,) = _json(run("status", "--json"))
    return found


def _emails(address: str) -> Any:
    return {"items": [{"email": address}]}


def test_every_command_shows_an_example_and_has_json() -> None:
    for name, each in command.commands.items():
        shown = CliRunner().invoke(command, [name, "--help"])
        assert shown.exit_code == 0
        assert f"Example: formapp crm {name} " in shown.output
        assert "--json" in shown.output
        assert each.help


def test_each_command_prints_its_result_as_json(run: Run, site: WixSite, tmp_path: Path) -> None:
    made = site.add(name={"first": "Inês"})["id"]
    checked = _json(run("check", "--json"))
    assert (checked["books"], checked["faults"]) == (["main"], [])
    run("plan", "main")
    begun = ("start", "main", "--system-of-record", "wix", "--json")
    for args, state in (
        (begun, "running"),
        (begun, "running"),
        (("sync", "main", "--once", "--json"), "running"),
        (("pause", "main", "--json"), "paused"),
        (("resume", "main", "--json"), "running"),
        (("resume", "main", "--json"), "running"),
    ):
        found = _json(run(*args))
        assert (found["book"], found["state"], found["linked"]) == ("main", state, 1)
    assert _json(run("unlink", "main", made, "--json")) == {"book": "main", "contact_id": made}
    assert _json(run("conflicts", "main", "--json")) == []
    (tmp_path / "crm" / "main.toml").write_text('system = "carddaw"\n')
    wrong = run("check", "--json")
    assert wrong.exit_code == 1
    faults = json.loads(wrong.stdout)["faults"]
    assert any('did you mean "carddav"?' in fault for fault in faults)


def test_check_needs_no_settings_and_names_every_fault(run: Run, tmp_path: Path) -> None:
    assert "1 book in" in run("check").output
    (tmp_path / "crm" / "main.toml").write_text('system = "carddaw"\nsite = "berlin"\n')
    wrong = run("check", str(tmp_path / "crm"))
    assert wrong.exit_code == 1
    assert 'did you mean "carddav"?' in wrong.output
    assert "fields: is missing" in wrong.output
    assert 'main.toml:2: site: "berlin" is not known; the sites are main' in wrong.output
    write_book(tmp_path)
    text = (tmp_path / "crm" / "main.toml").read_text()
    (tmp_path / "crm" / "main.toml").write_text(f'site = "berlin"\n{text}')
    strange = run("check")
    assert strange.exit_code == 1
    assert 'main.toml:1: site: "berlin" is not known' in strange.output


@pytest.mark.parametrize(
    "args", [("check",), ("plan", "main"), ("start", "main", "--yes"), ("sync", "main", "--once")]
)
def test_books_that_would_share_their_ids_are_refused(
    run: Run, site: WixSite, tmp_path: Path, args: tuple[str, ...]
) -> None:
    text = (tmp_path / "crm" / "main.toml").read_text()
    (tmp_path / "crm" / "second.toml").write_text(text)
    refused = run(*args)
    assert refused.exit_code == 1
    assert 'second.toml: external_id_field: "externalCrmId" is the field of main.toml' in (
        refused.output
    )
    assert "form files" not in refused.output
    assert not site.calls()
    (tmp_path / "crm" / "second.toml").write_text(f'external_id_field = "second"{text}')
    assert run("check").exit_code == 0


def test_both_sides_become_equal_and_stay_so(run: Run, site: WixSite, other: MemorySystem) -> None:
    site.add(name={"first": "Ines"}, emails=_emails("ines@example.com"), company="Barco")
    site.add(name={"first": "Rui"}, emails=_emails("rui@example.com"))
    other.put(given_name="Ines", email="Ines@example.com", org="Lento")
    other.put(given_name="Eva", email="eva@example.com")
    assert _status(run)["state"] == "new"
    planned = _json(run("plan", "main", "--json"))
    assert [*planned] == [
        "book",
        "link",
        "create_in_crm",
        "create_in_wix",
        "update",
        "conflicts",
        "held",
        "wix_calls",
        "seconds",
    ]
    assert {name: planned[name] for name in [*planned][:7]} == {
        "book": "main",
        "link": 1,
        "create_in_crm": 1,
        "create_in_wix": 1,
        "update": 1,
        "conflicts": 1,
        "held": 0,
    }
    refused = run("start", "main")
    assert refused.exit_code == 1
    assert "--system-of-record" in refused.output
    started = run("start", "main", "--system-of-record", "wix")
    assert started.exit_code == 0, started.output
    assert sorted(row.values["given_name"] for row in other.rows.values()) == ["Eva", "Ines", "Rui"]
    assert {row.values.get("org") for row in other.rows.values()} == {"Barco", None}
    assert len(site.contacts()) == 3
    found = _status(run)
    assert (found["state"], found["linked"], found["held"]) == ("running", 3, 0)
    (kept,) = _json(run("conflicts", "main", "--json"))
    assert (kept["field"], kept["lost_side"], kept["lost_value"], kept["kept_value"]) == (
        "company",
        "crm",
        "Lento",
        "Barco",
    )
    resolved = _json(run("resolve", str(kept["id"]), "--keep", "crm", "--json"))
    assert resolved == {"id": kept["id"], "keep": "crm"}
    assert run("sync", "main", "--once").exit_code == 0
    assert sorted(one["info"].get("company", "") for one in site.contacts()) == ["", "", "Lento"]
    assert run("conflicts", "main").output.endswith("company: resolved; its values are erased\n")


def test_records_that_match_more_than_one_are_shown(
    run: Run, site: WixSite, other: MemorySystem
) -> None:
    assert run("held", "main").output == "main holds no record.\n"
    made = site.add(name={"first": "Ines"}, emails=_emails("ines@example.com"))["id"]
    for name in ("Ines", "Inês"):
        other.put(given_name=name, email="ines@example.com")
    run("plan", "main")
    run("start", "main", "--system-of-record", "wix")
    found = _json(run("held", "main", "--json"))
    assert [each["contact_id"] for each in found] == [made, None, None]
    assert {each["crm_id"] for each in found} == {None, *other.rows}
    shown = run("held", "main").output.splitlines()
    assert shown[0].startswith(f"contact {made}, record -: several records")


def test_what_kept_a_side_away_is_forgotten_once_it_answers(run: Run, other: MemorySystem) -> None:
    run("plan", "main")
    run("start", "main", "--system-of-record", "wix")

    def fail(_call: str) -> None:
        raise UnavailableError("the system can't be reached")

    works, other.hook = other.hook, fail
    assert run("sync", "main", "--once").exit_code == 1
    assert _status(run)["reason"]
    other.hook = works
    assert run("sync", "main", "--once").exit_code == 0
    assert _status(run)["reason"] is None


def test_a_copy_asks_nothing_and_writes_nothing_at_wix(
    run: Run, site: WixSite, other: MemorySystem, tmp_path: Path
) -> None:
    write_book(tmp_path, mode="copy")
    site.add(name={"first": "Ines"}, labelKeys={"items": [site.label("News")]})
    before = site.contacts()
    started = run("start", "main")
    assert started.exit_code == 0, started.output
    site.add(name={"first": "Rui"})
    assert run("sync", "main", "--once").exit_code == 0
    assert sorted(row.values["given_name"] for row in other.rows.values()) == ["Ines", "Rui"]
    assert {*()}.union(*(row.labels for row in other.rows.values())) == {"News"}
    assert site.contacts()[:1] == before


def test_a_pause_stops_the_book_until_it_is_resumed(run: Run, other: MemorySystem) -> None:
    assert run("plan", "main").exit_code == 0
    assert run("start", "main", "--system-of-record", "wix", "--yes").exit_code == 0
    worked_at = _status(run)["last_pass_at"]
    assert run("pause", "main").exit_code == 0
    assert _status(run)["state"] == "paused"
    assert _status(run)["last_pass_at"] == worked_at, "a pause is no pass"
    for args in (("sync", "main", "--once"), ("start", "main", "--system-of-record", "wix")):
        stopped = run(*args)
        assert stopped.exit_code == 1
        assert "formapp crm resume main" in stopped.output
    assert run("resume", "main").exit_code == 0
    assert run("resume", "main").output == "main was not paused\n"
    assert run("sync", "main", "--once").exit_code == 0
    other.put(given_name="Eva", email="eva@example.com")
    assert run("sync", "main", "--once").exit_code == 0
    assert _status(run)["linked"] == 1


def test_an_unlinked_contact_is_left_alone(run: Run, site: WixSite, other: MemorySystem) -> None:
    made = site.add(name={"first": "Ines"})["id"]
    run("plan", "main")
    run("start", "main", "--system-of-record", "wix")
    assert run("unlink", "main", made).exit_code == 0
    site.edit(made, company="Barco")
    assert run("sync", "main", "--once").exit_code == 0
    assert [row.values.get("org") for row in other.rows.values()] == [None]


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("plan", "mian"), 'there is no book "mian"; did you mean "main"?'),
        (("pause", "other"), "the books are main"),
        (("start", "main", "--system-of-record", "wix"), "formapp crm plan main"),
        (("start", "main"), "formapp crm plan main"),
        (("sync", "main", "--once"), "formapp crm start main"),
        (("resolve", "7", "--keep", "wix"), "there is no conflict 7"),
        (("resolve", "seven", "--keep", "wix"), "there is no conflict seven"),
        (("resolve", "9" * 19, "--keep", "wix"), "there is no conflict 9"),
        (("unlink", "main", "nobody"), "no link of a contact nobody"),
    ],
)
def test_what_is_unknown_or_too_early_ends_with_1(
    run: Run, args: tuple[str, ...], problem: str
) -> None:
    result = run(*args)
    assert result.exit_code == 1
    assert problem in result.output


def test_wrong_use_ends_with_2(run: Run) -> None:
    assert run("sync", "main").exit_code == 2
    assert run("resolve", "7").exit_code == 2


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 1.0, 11.0, 12.0])
    with Progress("loaded", clock=lambda: next(times)) as progress:
        for done in (100, 200, 300):
            progress(done, 1200)
    assert capsys.readouterr().err.splitlines() == [
        "loaded 200 of 1200, 9.09 a second, 1 min 50 s left",
        "loaded 300 of 1200, 16.7 a second, 54 s left",
    ]
