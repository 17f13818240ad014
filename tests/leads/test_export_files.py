"""The ZIP archive of leads' files: safe names, a folder for each lead, in constant memory."""

import io
import stat
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from formapp.db.database import Database
from formapp.files.records import FileState
from formapp.files.store import FolderStore
from formapp.files.sweep import delete_at_once
from formapp.leads.accept import keep
from formapp.leads.anonymize import anonymize
from formapp.leads.export_files import LEFT_OUT, export_zip, has_files
from formapp.leads.lead_filter import LeadFilter
from tests.support.files import attach_file, keys_of
from tests.support.leads import lead, submission, text

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ALL = LeadFilter()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "files")


def kept(database: Database, name: str = "Ana", **more: str) -> str:
    return keep(database, submission(lead(first_name=text(name), **more), NOW)).id


def archive(database: Database, store: FolderStore, wanted: LeadFilter = ALL) -> ZipFile:
    found = ZipFile(io.BytesIO(b"".join(export_zip(database, store, wanted))))
    assert found.testzip() is None
    return found


def test_each_lead_has_a_folder_and_each_file_its_content(
    database: Database, store: FolderStore
) -> None:
    first, second = kept(database, "Ana"), kept(database, "Ben")
    kept(database, "without files")
    attach_file(database, store, first, b"one", name="roof.jpg", now=NOW)
    attach_file(database, store, first, b"two", name="ROOF.jpg", now=NOW)
    attach_file(database, store, second, b"", name="屋根.jpg", now=NOW)
    found = archive(database, store)
    assert {each.filename: found.read(each) for each in found.infolist()} == {
        f"2026-11-27 Ben {second[-12:]}/屋根.jpg": b"",
        f"2026-11-27 Ana {first[-12:]}/roof.jpg": b"one",
        f"2026-11-27 Ana {first[-12:]}/ROOF (2).jpg": b"two",
    }
    entry = found.infolist()[0]
    assert entry.date_time == (2026, 11, 27, 12, 0, 0)
    assert stat.S_IMODE(entry.external_attr >> 16) == 0o600


def test_names_of_strangers_lead_out_of_no_folder(database: Database, store: FolderStore) -> None:
    person = "../../\u202eroot\x00/CON"
    names = ["../../etc/passwd", "..\\x", "/etc/passwd", "C:\\x", "nul", "a\r\nb", "..", "..", ""]
    sent = kept(database, person)
    for name in names:
        attach_file(database, store, sent, name=name, now=NOW)
    paths = [PurePosixPath(name) for name in archive(database, store).namelist()]
    assert len(paths) == len(names)
    assert len({str(path).casefold() for path in paths}) == len(names)
    for path in paths:
        assert len(path.parts) == 2
        assert not {"..", ".", "/"} & set(path.parts)
        assert str(path).isprintable()
        assert "\\" not in str(path)


def test_what_can_not_be_exported_is_listed(database: Database, store: FolderStore) -> None:
    sent = kept(database)
    attach_file(database, store, sent, name="good.pdf", now=NOW)
    bad = FileState.QUARANTINED
    attach_file(database, store, sent, name="bad.pdf", now=NOW, state=bad, reason="Eicar")
    attach_file(database, store, sent, name="new.pdf", now=NOW, state=FileState.WAITING)
    gone = attach_file(database, store, sent, b"gone", name="gone.pdf", now=NOW)
    store.delete(gone.key)
    found = archive(database, store)
    folder = f"2026-11-27 Ana {sent[-12:]}"
    assert found.namelist() == [f"{folder}/good.pdf", LEFT_OUT]
    assert found.read(LEFT_OUT).decode().splitlines() == [
        f"{folder}/bad.pdf: is in quarantine",
        f"{folder}/new.pdf: is not scanned for viruses yet",
        f"{folder}/gone.pdf: was erased meanwhile",
    ]


def test_only_chosen_leads_and_none_that_were_erased(
    database: Database, store: FolderStore
) -> None:
    north, main = kept(database, "North", site="north"), kept(database, "Main")
    for each in (north, main):
        attach_file(database, store, each, now=NOW)
    of_north = LeadFilter(sites=("north",))
    assert [name.split()[1] for name in archive(database, store, of_north).namelist()] == ["North"]
    assert has_files(database, of_north)
    with database.write() as connection:
        anonymize(connection, [north], NOW)
    assert not has_files(database, of_north)
    assert archive(database, store, of_north).namelist() == []
    delete_at_once(database, store, NOW)
    assert len(keys_of(store)) == 1


def test_a_large_archive_takes_little_memory(database: Database, store: FolderStore) -> None:
    sent, size = kept(database), 20_000_000
    attach_file(database, store, sent, bytes(size), name="large.bin", now=NOW)
    tracemalloc.start()
    try:
        length = sum(map(len, export_zip(database, store, ALL)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < length < size + 1000
    assert peak < 3_000_000
