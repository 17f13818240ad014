"""Files of tests: a content in a store with its record."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from formapp.db.database import Database
from formapp.db.tables import files
from formapp.files.records import FileRecord, FileState, attach, new_id, of_submission
from formapp.files.store import FileStore, new_key


def put_file(
    store: FileStore, content: bytes = b"content", *, now: datetime | None = None, **values: object
) -> FileRecord:
    """Put a content, and return the record of a file that has it; no row is written."""
    with store.spool() as spool:
        spool.write(content)
        known = {"size": spool.size, "sha256": spool.sha256, "key": store.put(spool)}
    return file_record(now=now, **known | values)


def keys_of(store: FileStore) -> list[str]:
    """The keys of all contents of a store."""
    return list(store.keys(datetime.now(UTC) + timedelta(days=9)))


def file_record(*, now: datetime | None = None, **values: object) -> FileRecord:
    """The record of a file."""
    given = {
        "id": new_id(),
        "submission_id": None,
        "form": "contact",
        "field": "photos",
        "position": 0,
        "name": "roof.jpg",
        "type": "image/jpeg",
        "size": 7,
        "sha256": "0f" * 32,
        "key": new_key("0f" * 32),
        "state": FileState.STORED,
        "created_at": now or datetime.now(UTC),
    }
    return FileRecord(**given | values)  # type: ignore[arg-type] # given by name


def attach_file(
    database: Database,
    store: FileStore,
    submission_id: str,
    content: bytes = b"content",
    **values: object,
) -> FileRecord:
    """Give a submission a file, behind those that it has."""
    record = put_file(store, content, **values)  # type: ignore[arg-type] # given by name
    with database.write() as connection:
        position = len(of_submission(connection, submission_id))
        attach(connection, submission_id, [record], record.created_at)
        this = update(files).where(files.c.id == record.id)
        connection.execute(this.values(position=position))
    return record
