"""Only its user reads a database, its copies, the demo's folder and the sandbox's state."""

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from formapp.cli import db
from formapp.cli.demo import _make_folder
from formapp.db.database import TURN_FILES, Database, DatabaseUnavailableError
from formapp.db.upgrade import upgrade
from formapp.sandbox import SandboxOptions, create_sandbox


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o377], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    return database


def test_a_new_database_and_what_is_beside_it(tmp_path: Path) -> None:
    with closing(open_(tmp_path / "new.db")) as database:
        with database.write():
            pass
        files = list(tmp_path.iterdir())
        assert {path.name for path in files} == {
            f"new.db{end}" for end in ("", "-wal", "-shm", *TURN_FILES)
        }
        assert {mode(path) for path in files} == {0o600}


def test_an_older_one_that_all_could_read(tmp_path: Path) -> None:
    for name in ("old.db", "old.db-wal", "old.db-shm"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    with closing(open_(tmp_path / "old.db")):
        assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "passwords"
    other.write_text("root:x:0:0:root\n" * 100)
    other.chmod(0o644)
    with closing(Database(f"sqlite:///{other}")) as database:
        with pytest.raises(DatabaseUnavailableError), database.read():
            pass
        assert mode(other) == 0o644


def test_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_(tmp_path / "a.db").close()
    result = CliRunner().invoke(db.command, ["copy", "sqlite:///a.db", "sqlite:///b.db"])
    assert result.exit_code == 0, result.output
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_the_folder_of_the_demo(tmp_path: Path) -> None:
    ours, older, others = tmp_path / "new", tmp_path / "old", tmp_path / "others"
    for folder in (older, others):
        folder.mkdir()
        folder.chmod(0o755)
    (older / "formapp.db").touch()
    for folder in (ours, older, others):
        _make_folder(folder)
    assert [mode(folder) for folder in (ours, older, others)] == [0o700, 0o700, 0o755]


def test_the_state_of_the_sandbox(tmp_path: Path) -> None:
    file = tmp_path / "contacts.json"
    leftover = tmp_path / f"contacts.json.{os.getpid()}.tmp"
    leftover.touch()
    leftover.chmod(0o644)
    app = create_sandbox(SandboxOptions(state_file=file))
    headers = {"Authorization": "key", "wix-site-id": "site"}
    contact = {"info": {"name": {"first": "Ada"}}}
    answer = app.test_client().post("/contacts/v4/contacts", json=contact, headers=headers)
    assert answer.status_code == 200
    assert mode(file) == 0o600
