"""The files of leads as a ZIP archive, streamed: a folder for each lead.

Contents are stored as they are: most are compressed already. Only the archive's table of contents
grows with the number of files, by about 300 bytes for each.
"""

import io
import zipfile
from collections.abc import Iterator
from itertools import islice
from zipfile import ZipFile, ZipInfo

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import files
from formapp.files.names import safe_name, unique_names
from formapp.files.records import FileRecord, of_submissions
from formapp.files.store import ContentMissingError, FileStore
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.search import iterate_ids
from formapp.leads.summary import LeadSummary, read_summaries

LEFT_OUT = "LEFT-OUT.txt"
"""Lists in the archive what is not in it."""

_BATCH = 100
_PIECE = 64 * 1024
_ID = 12
"""Random characters of an id: two leads of one day and name with the same ones don't happen."""

_UNIX_FILE = 0o100600 << 16
"""A plain file that only its user reads, in a ZIP entry's attributes."""


class _Written(io.RawIOBase):
    """Takes what is written, until it is taken: it can't be sought, so that the archive streams."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override] # zipfile writes bytes
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def export_zip(database: Database, store: FileStore, wanted: LeadFilter) -> Iterator[bytes]:
    """Yield a ZIP archive of the files of the chosen leads, newest first, in pieces.

    Files in quarantine, and those that aren't scanned yet, are named in `LEFT-OUT.txt` instead.
    Raises FileStoreError if the store fails, which leaves the archive incomplete.
    """
    written, left_out = _Written(), list[str]()
    with ZipFile(written, "w") as archive:
        for folder, records in _folders(database, wanted):
            names = unique_names(safe_name(each.name) for each in records)
            for record, name in zip(records, names, strict=True):
                path = f"{folder}/{name}"
                if reason := _why_left_out(record):
                    left_out.append(f"{path}: {reason}\r\n")
                    continue
                try:
                    yield from _entry(archive, written, store, record, path)
                except ContentMissingError:
                    left_out.append(f"{path}: was erased meanwhile\r\n")
        if left_out:
            archive.writestr(LEFT_OUT, "".join(left_out))
    yield written.take()


def has_files(database: Database, wanted: LeadFilter) -> bool:
    any_lead = select(files.c.id).where(files.c.submission_id.is_not(None)).limit(1)
    with database.read() as connection:
        if connection.scalar(any_lead) is None:
            return False  # as in most installations: no lead has to be read
    return next(_folders(database, wanted), None) is not None


def _folders(database: Database, wanted: LeadFilter) -> Iterator[tuple[str, list[FileRecord]]]:
    """Yield each lead that has files: the name of its folder, and the files."""
    ids = iterate_ids(database, wanted, _BATCH)
    while batch := [*islice(ids, _BATCH)]:
        with database.read() as connection:
            theirs = of_submissions(connection, batch)
            found = list(read_summaries(connection, [each for each in batch if each in theirs]))
        for lead in found:
            yield _folder_name(lead), theirs[lead.id]


def _folder_name(lead: LeadSummary) -> str:
    """Return such as `2026-11-27 Ada Lovelace 0f1e2d3c`: the id makes it unlike all others."""
    person = safe_name(lead.name, "")
    return " ".join(filter(None, [f"{lead.received_at:%Y-%m-%d}", person, lead.id[-_ID:]]))


def _why_left_out(record: FileRecord) -> str | None:
    if record.is_available:
        return None
    return "is in quarantine" if record.reason else "is not scanned for viruses yet"


def _entry(
    archive: ZipFile, written: _Written, store: FileStore, record: FileRecord, path: str
) -> Iterator[bytes]:
    """Yield the pieces of one entry; raises ContentMissingError before anything is written."""
    with store.open(record.key) as content:
        info = ZipInfo(path, record.created_at.timetuple()[:6])
        info.file_size = record.size  # known before: entries over 4 GB need another form
        info.compress_type = zipfile.ZIP_STORED
        info.external_attr = _UNIX_FILE
        with archive.open(info, "w") as entry:
            while piece := content.read(_PIECE):
                entry.write(piece)
                yield written.take()
