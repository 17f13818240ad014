from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import files
from formapp.files import records
from formapp.files.places import copy_contents
from formapp.files.records import FileState, StagedFileGoneError
from formapp.files.store import FolderStore
from formapp.files.sweep import delete_erased, delete_orphans
from formapp.leads.accept import keep
from tests.support.files import keys_of, put_file
from tests.support.leads import lead, submission

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "files")


def count(store: FolderStore) -> int:
    return len(keys_of(store))


def test_files_belong_to_their_submission_in_their_order(
    database: Database, store: FolderStore
) -> None:
    mine = keep(database, submission(lead())).id
    first, second = put_file(store, name="a.jpg"), put_file(store, name="b.jpg")
    with database.write() as connection:
        records.attach(connection, mine, [second, first], NOW)
    with database.read() as connection:
        found = records.of_submission(connection, mine)
        assert [each.name for each in found] == ["b.jpg", "a.jpg"]
        assert [each.position for each in found] == [0, 1]
        assert records.of_submissions(connection, [mine, "x"]) == {mine: found}
        assert records.find_file(connection, first.id) == found[1]
    assert found[0].is_available
    assert found[0].submission_id == mine
    assert "a.jpg" not in repr(found)


def test_a_staged_file_is_attached_once(database: Database, store: FolderStore) -> None:
    mine, other = keep(database, submission(lead())).id, keep(database, submission(lead())).id
    with database.write() as connection:
        [staged] = records.stage(connection, [put_file(store)], NOW)
    with database.write() as connection:
        records.attach(connection, mine, [staged], NOW)
    with pytest.raises(StagedFileGoneError), database.write() as connection:
        records.attach(connection, other, [staged], NOW)
    delete_erased(database, store, NOW + timedelta(days=2))
    with database.read() as connection:
        assert [each.expires_at for each in records.of_submission(connection, mine)] == [None]
        assert records.of_submission(connection, other) == []
    assert count(store) == 1


def test_a_staged_file_is_deleted_after_a_day(database: Database, store: FolderStore) -> None:
    with database.write() as connection:
        [staged] = records.stage(connection, [put_file(store)], NOW)
    assert delete_erased(database, store, NOW + timedelta(hours=23)) == 0
    assert count(store) == 1
    assert delete_erased(database, store, NOW + timedelta(hours=25)) == 1
    assert count(store) == 0
    mine = keep(database, submission(lead())).id
    with pytest.raises(StagedFileGoneError), database.write() as connection:
        records.attach(connection, mine, [staged], NOW)


def test_erased_files_keep_nothing_of_the_visitor_and_lose_their_content(
    database: Database, store: FolderStore
) -> None:
    mine, other = keep(database, submission(lead())).id, keep(database, submission(lead())).id
    with database.write() as connection:
        records.attach(connection, mine, [put_file(store, b"same")], NOW)
        records.attach(connection, other, [put_file(store, b"same")], NOW)
        assert records.erase(connection, [mine], NOW) == 1
    with database.read() as connection:
        row = connection.execute(select(files).where(files.c.submission_id.is_(None))).one()
        assert records.find_file(connection, row.id) is None
    assert (row.name, row.sha256, row.state) == ("", "", FileState.ERASED)
    assert delete_erased(database, store, NOW) == 1
    assert delete_erased(database, store, NOW) == 0
    assert count(store) == 1
    with database.read() as connection:
        [left] = records.of_submission(connection, other)
    with store.open(left.key) as content:
        assert content.read() == b"same"


def test_a_content_without_a_row_is_deleted_once_it_is_old(
    database: Database, store: FolderStore
) -> None:
    mine, now = keep(database, submission(lead())).id, datetime.now(UTC)
    kept, _orphan = put_file(store), put_file(store)
    with database.write() as connection:
        records.attach(connection, mine, [kept], NOW)
    assert delete_orphans(database, store, now).found == 0
    assert delete_orphans(database, store, now + timedelta(hours=2)).deleted == 1
    assert keys_of(store) == [kept.key]


def test_a_wrong_database_costs_no_file(sqlite: Database, store: FolderStore) -> None:
    for _ in range(101):
        put_file(store)
    later = datetime.now(UTC) + timedelta(hours=2)
    found = delete_orphans(sqlite, store, later)
    assert (found.found, found.deleted, count(store)) == (101, 0, 101)
    assert delete_orphans(sqlite, store, later, force=True).deleted == 101
    assert count(store) == 0


def test_contents_are_copied_under_their_keys(sqlite: Database, store: FolderStore) -> None:
    kept, _orphan = put_file(store, b"kept"), put_file(store, b"orphan")
    gone = put_file(store, b"gone")
    with sqlite.write() as connection:
        records.stage(connection, [kept, gone], NOW)
    store.delete(gone.key)
    target = FolderStore(store.folder.parent / "other")
    assert copy_contents(sqlite, store, target) == 1
    assert copy_contents(sqlite, store, target) == 0
    with target.open(kept.key) as content:
        assert content.read() == b"kept"
    assert count(target) == 1
