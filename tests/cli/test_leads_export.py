"""`leads export`: a spreadsheet opens it, and no cell of a stranger's becomes a formula."""

import csv
import io
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from formapp.cli import cli
from formapp.db.database import Database
from formapp.files.records import FileState
from formapp.files.store import FileStoreError, FolderStore
from formapp.leads.accept import keep
from formapp.leads.export import _disarmed
from tests.support.files import attach_file
from tests.support.leads import lead, submission
from tests.support.owner import Owner
from tests.support.processes import Commands
from tests.support.schema import give_schema

BAD: dict[str, Any] = {"state": FileState.QUARANTINED, "reason": "Eicar"}
# Those of OWASP's page on CSV injection.
DANGEROUS = ["=", "+", "-", "@", "\t", "\r"]


@pytest.fixture
def exported(database_url: str, commands: Commands) -> list[dict[str, str]]:
    """The rows of submissions that hold every dangerous beginning, wherever a visitor can write."""
    database = Database(database_url)
    give_schema(database)
    for start in DANGEROUS:
        armed = f"{start}SUM(A1)"
        answers = {
            "email": "ada@example.com",
            "message": armed,
            "extras": [armed, "milk"],
            "size": -1.5,
            "harmless": f"1{start}1",
        }
        meta = {"page": armed, "referrer": armed}
        keep(database, submission(lead(), answers=answers, meta=meta))
    database.close()
    printed = commands.run("leads", "export", DATABASE_URL=database_url).stdout
    return list(csv.DictReader(io.StringIO(printed)))


def test_no_cell_that_a_visitor_wrote_begins_like_a_formula(exported: list[dict[str, str]]) -> None:
    assert len(exported) == len(DANGEROUS)
    begun = ["\\" if start == "\r" else start for start in DANGEROUS]
    for name in ("message", "extras", "page", "referrer"):
        assert [row[name][:2] for row in exported] == [f"'{start}" for start in begun], name
        assert all("SUM(A1)" in row[name] for row in exported)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("x;=1+1", "x;'=1+1"),
        ('x; "=1+1', "x; \"'=1+1"),
        ("x\t=1+1", "x\t'=1+1"),
        ("x\n@SUM(A1)", "x\n'@SUM(A1)"),
        ("x\r\n=1", "x\r\n'=1"),
        ("\n=1", "'\n'=1"),
        ("x;-1+cmd|' /C calc'!A0", "x;'-1+cmd|' /C calc'!A0"),
        ("x;+SUM(A1)", "x;'+SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("x;\uff1d1+1", "x;'\uff1d1+1"),
        ("\uff0bSUM(A1)", "'\uff0bSUM(A1)"),
        ("between 3;-1 and 5", "between 3;-1 and 5"),
        ("a, =b, a = b; c", "a, =b, a = b; c"),
        ("call +49 30 1234; +49 30 5678", "call +49 30 1234; +49 30 5678"),
        (["a;=1", "b"], "a;'=1, b"),
        (-1.5, "-1.5"),
        (None, ""),
    ],
)
def test_no_beginning_of_a_cell_is_a_formula(cell: object, written: str) -> None:
    assert _disarmed(cell) == written


def test_a_long_cell_is_disarmed_in_no_time() -> None:
    began = time.process_time()
    for piece in (";", ";-", ";+1", "; ", '"', "\t-", "-"):
        _disarmed("x;" + piece * (20_000 // len(piece)))
    assert time.process_time() - began < 1


def test_what_is_no_danger_stays_as_it_is(exported: list[dict[str, str]]) -> None:
    assert {row["size"] for row in exported} == {"-1.5"}
    assert exported[0]["harmless"] == "1=1"
    assert exported[0]["email"] == "ada@example.com"


def test_a_filtered_export_is_of_one_form_or_lines_of_json(tmp_path: Path) -> None:
    settings = {"FORMAPP_DATABASE_URL": f"sqlite:///{tmp_path / 'formapp.db'}"}
    runner = CliRunner(env=settings)
    with closing(Database(settings["FORMAPP_DATABASE_URL"])) as database:
        give_schema(database)
        for name in ("Ana", "Bo"):
            keep(database, submission(lead(f"{name}@example.com".lower(), first_name=name)))
    done = runner.invoke(cli, ["leads", "export", "--form", "contact", "--search", "ana", "--bom"])
    assert done.exit_code == 0
    header, *rows = csv.reader(done.output.removeprefix("\ufeff").splitlines())
    assert done.output.startswith("\ufeff")
    assert header[0] == "Received (UTC)"
    assert "ana@example.com" in rows[0]
    assert len(rows) == 1
    done = runner.invoke(cli, ["leads", "export", "--format", "jsonl", "--search", "bo"])
    assert [json.loads(line)["answers"]["email"] for line in done.output.splitlines()] == [
        "bo@example.com"
    ]
    assert runner.invoke(cli, ["leads", "export", "--search", "ana"]).exit_code == 2


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(f"sqlite:///{tmp_path / 'formapp.db'}", FILES=str(tmp_path / "files"))
    yield owner
    owner.database.close()


def zipped(owner: Owner, *args: str) -> tuple[ZipFile, str]:
    """The archive, and what is said about it."""
    env = {f"FORMAPP_{name}": value for name, value in owner.settings.items()}
    done = CliRunner(env=env).invoke(cli, ["leads", "export", "--format", "zip", *args])
    assert done.exit_code == 0, done.stderr
    return ZipFile(io.BytesIO(done.stdout_bytes)), done.stderr


def test_files_are_exported_as_an_archive(owner: Owner, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "files")
    ana = keep(owner.database, submission(lead("ana@example.com", first_name="Ana"))).id
    bo = keep(owner.database, submission(lead("bo@example.com", first_name="Bo"))).id
    attach_file(owner.database, store, ana, b"roof", name="roof.jpg")
    attach_file(owner.database, store, bo, b"cv", name="cv.pdf")
    attach_file(owner.database, store, bo, b"virus", name="bad.exe", **BAD)
    archive, said = zipped(owner)
    contents = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert (contents.pop("LEFT-OUT.txt").count(b"bad.exe"), said) == (1, "")
    assert contents == {"roof.jpg": b"roof", "cv.pdf": b"cv"}
    archive, _ = zipped(owner, "--search", "ana")
    assert [name.rpartition("/")[2] for name in archive.namelist()] == ["roof.jpg"]


def test_an_archive_without_files_is_empty_and_says_so(owner: Owner) -> None:
    keep(owner.database, submission(lead()))
    archive, said = zipped(owner)
    assert archive.namelist() == []
    assert "the archive is empty" in said


def test_an_archive_that_can_not_be_read_to_its_end_is_an_error(
    owner: Owner, tmp_path: Path
) -> None:
    sent = keep(owner.database, submission(lead())).id
    attach_file(owner.database, FolderStore(tmp_path / "files"), sent)
    with patch.object(FolderStore, "open", side_effect=FileStoreError("Input/output error")):
        done = owner.leads("export", "--format", "zip")
    assert done.returncode == 1
    assert "the archive is incomplete: a file could not be read (Input/output error)" in done.stderr


def test_show_lists_files_with_what_is_known_of_them(owner: Owner, tmp_path: Path) -> None:
    store, sent = FolderStore(tmp_path / "files"), keep(owner.database, submission(lead())).id
    attach_file(owner.database, store, sent, b"x" * 1500, name="roof.jpg")
    attach_file(owner.database, store, sent, name="new.pdf", state=FileState.WAITING)
    attach_file(owner.database, store, sent, name="bad.exe", **BAD)
    shown = owner.leads("show", sent).stdout
    assert (
        "Files\n"
        "  roof.jpg (1.5 kB, image/jpeg)\n"
        "  new.pdf (7 B, image/jpeg, not scanned for viruses yet)\n"
        "  bad.exe (7 B, image/jpeg, in quarantine: Eicar)\n"
    ) in shown
    assert [each["name"] for each in owner.shown(sent)["files"]] == [
        "roof.jpg",
        "new.pdf",
        "bad.exe",
    ]
