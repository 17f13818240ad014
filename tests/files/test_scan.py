"""Scanning by a real clamd: clean, infected, too large, and a daemon that is away."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from formapp.db.database import Database
from formapp.files import records
from formapp.files.records import FILE_SCAN, FileRecord, FileState
from formapp.files.scan import UNSCANNED, Clamd, ClamdError, FileScanner
from formapp.files.store import FolderStore
from formapp.jobs.queue import JobRunner
from formapp.leads.accept import keep
from formapp.monitoring.incidents import find_incidents
from tests.support.clamav import INFECTED, NAME, find_clamd, running_clamd
from tests.support.files import put_file
from tests.support.leads import lead, submission

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clamd]:
    if not find_clamd():
        assert "CI" not in os.environ, "clamav-daemon is missing"
        pytest.skip("clamav-daemon isn't installed")
    with running_clamd(tmp_path_factory.mktemp("clamd")) as address:
        yield Clamd(address)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "files")


def sent(database: Database, store: FolderStore, content: bytes) -> FileRecord:
    """A lead with a file that has to be scanned."""
    mine = keep(database, submission(lead())).id
    file = put_file(store, content, state=FileState.WAITING)
    with database.write() as connection:
        records.attach(connection, mine, [file], NOW)
    return file


def scanned(database: Database, file: FileRecord) -> FileRecord:
    with database.read() as connection:
        found = records.find_file(connection, file.id)
    assert found
    return found


def runner(database: Database, store: FolderStore, clamd: Clamd, now: datetime = NOW) -> JobRunner:
    scan = FileScanner(database, store, clamd, lambda: now)
    return JobRunner(database, {FILE_SCAN: scan}, clock=lambda: now)


@pytest.mark.slow
def test_a_clean_file_becomes_available(
    database: Database, store: FolderStore, clamd: Clamd
) -> None:
    file = sent(database, store, b"a clean content")
    assert not scanned(database, file).is_available
    assert runner(database, store, clamd).run_next()
    assert scanned(database, file).is_available
    assert not runner(database, store, clamd).run_next()


@pytest.mark.slow
def test_an_infected_file_is_quarantined_and_reported(
    database: Database, store: FolderStore, clamd: Clamd, caplog: pytest.LogCaptureFixture
) -> None:
    file = sent(database, store, b"before " + INFECTED + b" after")
    assert runner(database, store, clamd).run_next()
    found = scanned(database, file)
    assert (found.state, found.reason) == (FileState.QUARANTINED, NAME)
    assert "quarantined" in caplog.text
    assert file.name not in caplog.text
    kinds = [each.kind for each in find_incidents(database, NOW, backlog=timedelta(minutes=15))]
    assert "infected" in kinds


@pytest.mark.slow
def test_what_is_too_large_to_be_scanned_is_not_available(clamd: Clamd) -> None:
    assert clamd.scan(BytesIO(b"x" * 3_000_000)) == UNSCANNED
    assert clamd.scan(BytesIO(b"x" * 900_000)) is None
    assert clamd.scan(BytesIO(b"")) is None


def test_a_file_waits_while_the_daemon_is_away(sqlite: Database, store: FolderStore) -> None:
    file = sent(sqlite, store, b"content")
    away = Clamd(f"unix:{store.folder}/none.ctl")
    assert runner(sqlite, store, away).run_next()
    assert scanned(sqlite, file).state is FileState.WAITING
    assert not runner(sqlite, store, away).run_next()
    assert runner(sqlite, store, away, NOW + timedelta(minutes=1)).run_next()
    late = find_incidents(sqlite, NOW + timedelta(hours=1), backlog=timedelta(minutes=15))
    assert any("files to scan" in each.detail for each in late)


@pytest.mark.parametrize("address", ["unix:/no/such.ctl", "tcp://127.0.0.1:9"])
def test_a_daemon_that_cannot_be_reached_is_an_error(address: str) -> None:
    with pytest.raises(ClamdError, match="clamd: "):
        Clamd(address).scan(BytesIO(b"x"))


def test_a_file_that_was_erased_meanwhile_is_not_scanned(
    sqlite: Database, store: FolderStore
) -> None:
    file = sent(sqlite, store, b"content")
    with sqlite.write() as connection:
        records.erase(connection, [scanned(sqlite, file).submission_id or ""], NOW)
    assert runner(sqlite, store, Clamd("unix:/no/such.ctl")).run_next()
    assert not runner(sqlite, store, Clamd("unix:/no/such.ctl")).run_next()
