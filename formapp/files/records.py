"""The rows of files: which submission has which, and what is known of each.

A file is *staged* while its form has errors to correct: it belongs to no submission yet and is
deleted after a day. It is *attached* in the transaction that stores its submission.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from formapp.db.tables import files
from formapp.jobs.queue import Job, add_job

FILE_SCAN, FILE = "file_scan", "file"
"""The kind of the job that scans a file, and in its content the file's id."""

STAGED_LIFE = timedelta(hours=24)
"""How long a file waits for its form: as long as the page's token is valid."""


class FileState(StrEnum):
    """What may be done with a file; only a stored one may be downloaded.

    A waiting one hasn't been scanned yet, a quarantined one is infected. The content of an erased
    one is deleted next, and then its row.
    """

    STORED = "stored"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    ERASED = "erased"


class StagedFileGoneError(Exception):
    """A file that was staged has been deleted meanwhile, or belongs to another submission."""


@dataclass(frozen=True, slots=True, repr=False)
class FileRecord:
    """One file. Its text form shows none of it.

    Attributes:
        id: 32 random hex digits.
        submission_id: None while it is staged, and once it is erased.
        form, field: their names; `position` counts the files of one submission from 0.
        name: as the visitor's machine called it, without folders; only ever shown.
        type: the MIME type that its content has, such as `image/jpeg`.
        size: in bytes.
        sha256: of the content, in hex digits.
        key: names the content in the store.
        reason: of a quarantined one the name of the virus.
        expires_at: when a staged one is deleted; None once it is attached.
    """

    id: str
    submission_id: str | None
    form: str
    field: str
    position: int
    name: str
    type: str
    size: int
    sha256: str
    key: str
    state: FileState
    created_at: datetime
    reason: str | None = None
    expires_at: datetime | None = None

    @property
    def is_available(self) -> bool:
        """Whether the owner may open it."""
        return self.state is FileState.STORED


def new_id() -> str:
    """Return an id for a new file: 128 random bits, since ids are part of addresses."""
    return secrets.token_hex(16)


def of_submission(connection: Connection, submission_id: str) -> list[FileRecord]:
    """Return the files of a submission, in the order of its form and of the visitor's choice."""
    return _read(connection, files.c.submission_id == submission_id)


def of_submissions(
    connection: Connection, submission_ids: Sequence[str]
) -> dict[str, list[FileRecord]]:
    """Return the files of several submissions, by submission; one without files is left out."""
    found: dict[str, list[FileRecord]] = {}
    for record in _read(connection, files.c.submission_id.in_(submission_ids)):
        found.setdefault(record.submission_id or "", []).append(record)
    return found


def find_file(connection: Connection, file_id: str) -> FileRecord | None:
    """Return a file by its id, staged ones included, erased ones not."""
    found = _read(connection, (files.c.id == file_id) & (files.c.state != FileState.ERASED))
    return found[0] if found else None


def stage(connection: Connection, records: Iterable[FileRecord], now: datetime) -> list[FileRecord]:
    """Insert files that belong to no submission yet; returns them as they are stored."""
    staged = [replace(each, submission_id=None, expires_at=now + STAGED_LIFE) for each in records]
    if staged:
        connection.execute(insert(files), list(map(_row, staged)))
    return staged


def attach(
    connection: Connection, submission_id: str, records: Sequence[FileRecord], now: datetime
) -> None:
    """Give files to a submission, in the transaction that stores it, in their order.

    Those with an `expires_at` are staged already, the others are new. Those that have to be scanned
    get a job. Raises StagedFileGoneError.
    """
    new: list[FileRecord] = []
    for position, each in enumerate(records):
        if each.expires_at is None:
            new.append(replace(each, submission_id=submission_id, position=position))
            continue
        this = (files.c.id == each.id) & files.c.submission_id.is_(None)
        changed = connection.execute(
            update(files)
            .where(this, files.c.state != FileState.ERASED)
            .values(submission_id=submission_id, position=position, expires_at=None)
        )
        if changed.rowcount != 1:
            raise StagedFileGoneError
    if new:
        connection.execute(insert(files), list(map(_row, new)))
    for each in records:
        if each.state is FileState.WAITING:
            add_job(connection, Job(FILE_SCAN, {FILE: each.id}, key=each.id), now, submission_id)


def erase(connection: Connection, submission_ids: Sequence[str], now: datetime) -> int:
    """Mark the files of submissions as erased, in the caller's transaction; returns how many.

    Nothing of the visitor stays in their rows. `formapp.files.sweep.delete_erased` deletes the
    contents after the commit, and then the rows.
    """
    return erase_where(connection, files.c.submission_id.in_(submission_ids), now)


def erase_where(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Mark files as erased; returns how many."""
    erased = {"submission_id": None, "name": "", "sha256": "", "reason": None}
    marked = update(files).where(which).values(**erased, state=FileState.ERASED, expires_at=now)
    return connection.execute(marked).rowcount


def rename_files(connection: Connection, submission_id: str, rename: Callable[[str], str]) -> None:
    """Change the names of a submission's files, in the caller's transaction."""
    for each in of_submission(connection, submission_id):
        if (name := rename(each.name)) != each.name:
            connection.execute(update(files).where(files.c.id == each.id).values(name=name))


def _read(connection: Connection, where: ColumnElement[bool]) -> list[FileRecord]:
    query = select(files).where(where)
    ordered = query.order_by(files.c.submission_id, files.c.position, files.c.id)
    return list(map(_record, connection.execute(ordered)))


def _record(row: Row[tuple[object, ...]]) -> FileRecord:
    values = dict(row._mapping)  # noqa: SLF001 - a row's public name for its columns
    values["key"] = values.pop("storage_key")
    return FileRecord(**values | {"state": FileState(values["state"])})


def _row(record: FileRecord) -> dict[str, object]:
    names = (name for name in FileRecord.__slots__ if name != "key")
    return {name: getattr(record, name) for name in names} | {"storage_key": record.key}
