import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from formapp.files.store import ContentMissingError, FileStoreError, FolderStore, Spool, is_key


def put(store: FolderStore, *parts: bytes) -> str:
    with store.spool() as spool:
        for part in parts:
            spool.write(part)
        return store.put(spool)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "files")


def test_a_content_is_read_as_it_was_written(store: FolderStore) -> None:
    key = put(store, b"first ", b"second")
    with store.open(key) as content:
        assert content.read() == b"first second"
    assert store.has(key)
    now = datetime.now(UTC)
    assert list(store.keys(now - timedelta(minutes=1))) == []
    assert list(store.keys(now + timedelta(minutes=1))) == [key]


def test_equal_contents_have_keys_of_their_own(store: FolderStore) -> None:
    first, second = put(store, b"same"), put(store, b"same")
    assert first != second
    assert first[:67] == second[:67]
    store.delete(first)
    with store.open(second) as content:
        assert content.read() == b"same"


def test_a_content_that_is_gone_is_missing_and_may_be_deleted_again(store: FolderStore) -> None:
    key = put(store, b"x")
    store.delete(key)
    store.delete(key)
    assert not store.has(key)
    with pytest.raises(ContentMissingError):
        store.open(key)


@pytest.mark.parametrize("key", ["../../etc/passwd", "ab/cd", "incoming/x", "", f"aa/{'b' * 64}"])
def test_what_is_no_key_names_no_path(store: FolderStore, key: str) -> None:
    assert not is_key(key)
    with pytest.raises(ContentMissingError):
        store.open(key)
    with pytest.raises(ContentMissingError):
        store.delete(key)


def test_a_content_that_is_not_put_leaves_nothing(store: FolderStore) -> None:
    with store.spool() as spool:
        spool.write(b"abandoned")
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


def test_nobody_else_can_read_a_content(store: FolderStore) -> None:
    path = store.folder / put(store, b"private")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_what_a_crash_left_behind_is_swept(store: FolderStore) -> None:
    spool = store.spool()
    spool.write(b"half")
    now = datetime.now(UTC)
    assert store.sweep_spools(now - timedelta(minutes=1)) == 0
    assert store.sweep_spools(now + timedelta(minutes=1)) == 1
    assert list((store.folder / "incoming").iterdir()) == []
    spool.close()


def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file, not a folder")
    with pytest.raises(FileStoreError, match=r"directory|exists"):
        FolderStore(tmp_path / "files").spool()


def test_the_beginning_of_a_content_is_at_hand(store: FolderStore) -> None:
    with store.spool() as spool:
        spool.write(b"a" * 5000)
        spool.write(b"b" * 5000)
        assert spool.head == b"a" * 5000 + b"b" * 3192
        assert spool.size == 10_000


def test_a_spool_on_a_full_disk_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    path.touch()
    with Spool(Path("/dev/full").open("w+b"), path) as spool:
        spool.write(b"buffered")
    assert not path.exists()
