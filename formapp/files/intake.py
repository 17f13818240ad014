"""Taking files of posts into the store, within the bytes that a day allows."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from formapp.db.counters import count_up
from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.tables import files
from formapp.files import records
from formapp.files.records import FileRecord, FileState
from formapp.files.store import FileStore, FileStoreError, Spool

_DAY = timedelta(days=1)
_KIB = 1024


class FilesUsedUpError(Exception):
    """More bytes came today, from this address or to this form, than a setting allows."""


Arrived = Sequence[tuple[Spool, FileRecord]]
"""Contents of files that have arrived, and their records, which lack the keys alone."""


@dataclass(frozen=True, repr=False)
class FileIntake:
    """Stores the files of posts.

    Attributes:
        sign: makes the keyed hash of a counter's name.
        per_address, per_form: the most bytes a day; None is no limit.
        scans: whether a worker scans new files before anybody may open them.
    """

    store: FileStore
    database: Database
    sign: Callable[[str], str]
    per_address: int | None = None
    per_form: int | None = None
    scans: bool = False

    @property
    def first_state(self) -> FileState:
        return FileState.WAITING if self.scans else FileState.STORED

    def put(self, arrived: Arrived, address: str, now: datetime) -> list[FileRecord]:
        """Put contents into the store; returns their records, whose rows the caller stores next.

        Raises FilesUsedUpError, FileStoreError; nothing is put then.
        """
        if not arrived:
            return []
        self._count(arrived, address, now)
        found: list[FileRecord] = []
        try:
            for spool, record in arrived:
                found.append(replace(record, key=self.store.put(spool)))
        except FileStoreError:
            self._delete(found)
            raise
        return found

    def stage(self, put: Iterable[FileRecord], now: datetime) -> list[FileRecord]:
        """Store rows of files that belong to no submission yet."""
        try:
            with self.database.write() as connection:
                return records.stage(connection, put, now)
        except IntegrityError as error:
            # The commit that reported a failure had succeeded: they have their rows.
            raise DatabaseUnavailableError("has these files already") from error

    def staged(self, ids: Sequence[str]) -> dict[str, FileRecord]:
        """Return files by their ids, attached ones too: a post may be sent twice."""
        with self.database.read() as connection:
            found = (records.find_file(connection, each) for each in ids)
            return {record.id: record for record in found if record}

    def discard(self, put: Sequence[FileRecord]) -> None:
        """Delete contents whose post was stored before; those that have a row stay."""
        with suppress(DatabaseUnavailableError), self.database.read() as connection:
            keys = [record.key for record in put]
            named = set(
                connection.scalars(select(files.c.storage_key).where(files.c.storage_key.in_(keys)))
            )
            self._delete([record for record in put if record.key not in named])

    def _delete(self, put: Iterable[FileRecord]) -> None:
        for record in put:
            # What is left is swept later.
            with suppress(FileStoreError):
                self.store.delete(record.key)

    def _count(self, arrived: Arrived, address: str, now: datetime) -> None:
        """Count their bytes, in KiB; those of a post that is refused don't count."""
        limits = [
            (f"files of {address}", self.per_address),
            (f"files to {arrived[0][1].form}", self.per_form),
        ]
        if not any(limit for _, limit in limits):
            return
        amount = -(-sum(spool.size for spool, _ in arrived) // _KIB)
        with self.database.write() as connection:
            for name, limit in limits:
                if limit is None:
                    continue
                count = count_up(connection, self.sign(name), now + _DAY, now, amount)
                if count * _KIB > limit + _KIB:
                    raise FilesUsedUpError
