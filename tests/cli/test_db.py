"""From SQLite to PostgreSQL as the manual has it, and what `db copy` refuses."""

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from formapp.manual import read
from tests.support.leads import lead, submission
from tests.support.ledger import delivered
from tests.support.postgres import PostgresServer
from tests.support.processes import Commands, Installation, end, environ, eventually, send

MANUAL = read("production")
(BLOCK,) = (
    block
    for block in re.findall(r"^```sh\n(.+?)\n```$", MANUAL, re.MULTILINE | re.DOTALL)
    if "db copy" in block
)
ADA = {"name": "Ada Lovelace", "email": "ada@example.com", "message": "Hi", "privacy": "yes"}


@pytest.fixture
def database_kind() -> str:
    """What is moved away from."""
    return "sqlite"


def _states(installation: Installation) -> dict[str, str]:
    done = installation.run("leads", "list", "--json")
    assert done.returncode == 0, done.stderr
    return {entry["id"]: entry["state"] for entry in json.loads(done.stdout)}


@pytest.mark.slow
def test_the_move_of_the_manual_takes_everything_along(
    installation: Installation, commands: Commands, postgres: PostgresServer
) -> None:
    assert send(installation.web, "contact", **ADA).status_code == 303
    eventually(lambda: list(_states(installation).values()) == ["delivered"])
    assert end(installation.serve_process) == 0
    web_only = installation.serve("--no-worker")
    waiting = ADA | {"email": "bo@example.com"}
    assert send(installation.web, "contact", **waiting).status_code == 303
    assert end(web_only) == 0
    before = _states(installation)
    assert sorted(before.values()) == ["delivered", "pending"]

    with postgres.database() as url:
        script = BLOCK.replace("postgresql+psycopg://formapp@db.example.com/formapp", url)
        old = installation.settings["DATABASE_URL"]
        printed = _bash(script.replace("sqlite:///formapp.db", old), installation, commands.folder)
        assert "submissions: 2 of 2" in printed
        assert "Copied 2 submissions" in printed
        assert "0 faults" in printed

        installation.settings["DATABASE_URL"] = url
        assert _states(installation) == before
        served = installation.serve()
        # What waited is delivered from there, and who was known stays one contact.
        eventually(lambda: set(_states(installation).values()) == {"delivered"})
        again = ADA | {"company": "Engines Ltd"}
        assert send(installation.web, "contact", **again).status_code == 303
        eventually(lambda: list(_states(installation).values()) == ["delivered"] * 3)
        assert len(installation.contacts()) == 2
        assert end(served) == 0


def _bash(script: str, installation: Installation, folder: Path) -> str:
    # The commands are typed in the folder that has the environment.
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=folder,
        env=environ(installation.settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def filled(commands: Commands) -> str:
    """The address of a database with a lead in it."""
    url = f"sqlite:///{commands.folder / 'filled.db'}"
    with closing(Database(url)) as database:
        upgrade(database)
        delivered(database, submission(lead()))
    return url


def test_a_target_that_is_not_empty_is_refused_in_one_line(commands: Commands, filled: str) -> None:
    target = f"sqlite:///{commands.folder / 'new.db'}"
    assert commands.run("db", "copy", filled, target).returncode == 0
    done = commands.run("db", "copy", filled, target)
    assert done.returncode == 1
    assert "the database to copy to is not empty" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_source_that_isnt_there_is_told_and_not_made(commands: Commands, filled: str) -> None:
    missing = commands.folder / "missing.db"
    done = commands.run("db", "copy", f"sqlite:///{missing}", filled)
    assert done.returncode == 1
    assert f"the database isn't there: {missing}" in done.stderr
    assert not missing.exists()


@pytest.mark.parametrize("command", [("db", "upgrade"), ("leads", "list")])
def test_what_is_no_database_is_named_with_its_setting(
    commands: Commands, command: tuple[str, ...]
) -> None:
    file = commands.folder / "notes.txt"
    file.write_text("This is not a database, but a text.\n" * 100)
    done = commands.run(*command, DATABASE_URL=f"sqlite:///{file}")
    assert done.returncode == 1
    assert done.stderr == (
        "formapp: the database refused (file is not a database); "
        f"check {file}, or correct FORMAPP_DATABASE_URL\n"
    )


def test_what_is_no_database_address_is_wrong_use(commands: Commands, filled: str) -> None:
    for pair in (("filled.db", filled), (filled, "mysql://localhost/x"), (filled,)):
        done = commands.run("db", "copy", *pair)
        assert done.returncode == 2, done
        assert "Traceback" not in done.stderr


def test_a_server_that_is_away_is_told_without_the_password(
    commands: Commands, filled: str
) -> None:
    away = "postgresql+psycopg://formapp:hunter2@127.0.0.1:1/formapp"
    done = commands.run("db", "copy", filled, away)
    assert done.returncode == 1
    assert done.stderr.startswith("formapp: the database refused")
    assert "hunter2" not in done.stderr
