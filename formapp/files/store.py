"""Where the contents of files are: a store of bytes by key, and the folder that is one by default.

A key is made of the content's SHA-256 and 16 random hex digits, never of what a visitor sent. Two
equal files have two keys: erasing one lead can't take away the file of another.
"""

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, Self

HEAD_BYTES = 8 * 1024
"""How much of the beginning of a content is at hand for finding its type."""

_KEY = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{62}-[0-9a-f]{16}")
_INCOMING = "incoming"


class FileStoreError(Exception):
    """The store can't be reached, read or written; the text says why, without names of visitors."""


class ContentMissingError(FileStoreError):
    """The store has no content of this key."""


@contextmanager
def as_store_errors() -> Iterator[None]:
    """Raise FileStoreError instead of OSError."""
    try:
        yield
    except OSError as error:
        # Its text alone: a path says nothing to a visitor, and may be in a log.
        raise FileStoreError(error.strerror or type(error).__name__) from error


class Spool:
    """A content that is arriving: a temporary file that counts and hashes what is written to it.

    Made by `FileStore.spool`; closing it deletes it, unless it was put. `file` can be read from any
    position; `head` is its beginning.
    """

    def __init__(self, file: IO[bytes], path: Path | None = None) -> None:
        self.file = file
        self.path = path
        self.size = 0
        self.head = b""
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sha256(self) -> str:
        """The hash of what was written so far, in hex digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        self.size += len(data)
        self._hash.update(data)
        self.file.write(data)

    def close(self) -> None:
        """Delete it; safe to call twice, and after it was put."""
        # A full disk refuses what was buffered once more.
        with suppress(OSError):
            self.file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None


class FileStore(Protocol):
    """A store of contents. Threads and processes share it. Any method may raise FileStoreError."""

    def spool(self) -> Spool:
        """Return where a new content is written to."""

    def put(self, spool: Spool, key: str | None = None) -> str:
        """Store what was written; returns its key once it would survive a power cut.

        The key is a new one, unless that of another store's content is given.
        """

    def open(self, key: str) -> IO[bytes]:
        """Open a content for reading, as a stream; raises ContentMissingError."""

    def has(self, key: str) -> bool:
        """Return whether there is a content of this key."""

    def delete(self, key: str) -> None:
        """Delete a content; one that isn't there is no error."""

    def keys(self, before: datetime) -> Iterator[str]:
        """Yield the keys of all contents that were put before, in no order."""

    def sweep_spools(self, before: datetime) -> int:
        """Delete contents that began to arrive before and were never put; returns how many."""


def new_key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}-{secrets.token_hex(8)}"


def is_key(text: str) -> bool:
    """Return whether a text can be a key: nothing else becomes part of a path or an address."""
    return _KEY.fullmatch(text) is not None


class FolderStore:
    """Contents as files of a folder that only this user can read.

    `put` syncs the file, renames it, and syncs the folder that the name is in, so that neither can
    be lost once it returns.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / _INCOMING

    def spool(self) -> Spool:
        """Return a temporary file on the same file system, so that it can be renamed."""
        with as_store_errors():
            _make_folder(self._incoming)
            number, path = tempfile.mkstemp(dir=self._incoming)
        return Spool(os.fdopen(number, "w+b"), Path(path))

    def put(self, spool: Spool, key: str | None = None) -> str:
        if spool.path is None:
            raise ValueError("this content was put or closed before")
        key = key or new_key(spool.sha256)
        target = self._path(key)
        with as_store_errors():
            spool.file.flush()
            os.fsync(spool.file.fileno())
            _make_folder(target.parent)
            spool.path.rename(target)
            spool.path = None
            _sync(target.parent)
        return key

    def open(self, key: str) -> IO[bytes]:
        with as_store_errors():
            try:
                return self._path(key).open("rb")
            except FileNotFoundError:
                raise ContentMissingError("has no content of this key") from None

    def has(self, key: str) -> bool:
        with as_store_errors():
            return self._path(key).is_file()

    def delete(self, key: str) -> None:
        with as_store_errors():
            self._path(key).unlink(missing_ok=True)

    def keys(self, before: datetime) -> Iterator[str]:
        if not self.folder.is_dir():
            return
        with as_store_errors():
            for path in self.folder.glob("??/*"):
                key = f"{path.parent.name}/{path.name}"
                if is_key(key) and _is_older(path, before):
                    yield key

    def sweep_spools(self, before: datetime) -> int:
        count = 0
        for path in self._incoming.glob("*"):
            if _is_older(path, before):
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise ContentMissingError("has no content of this key")
        return self.folder / key


def _make_folder(folder: Path) -> None:
    """Make a private folder with its parents, and sync the names of the new ones."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(0o700)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_older(path: Path, before: datetime) -> bool:
    """Return whether a file was last written before; False if it is gone."""
    try:
        return path.stat().st_mtime <= before.timestamp()
    except (FileNotFoundError, NotADirectoryError):
        return False
