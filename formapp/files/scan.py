"""Scanning files for viruses: a job of each new file, which waits as long as the daemon is away.

The protocol of ClamAV's daemon (`man clamd`, INSTREAM) is a command, chunks with their lengths and
one line as the answer; the packages for it are older than the daemon's oldest supported release.
"""

import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from urllib.parse import urlsplit

from sqlalchemy import update

from formapp.db.database import Database
from formapp.db.tables import files
from formapp.files.records import FILE, FileRecord, FileState, find_file
from formapp.files.store import ContentMissingError, FileStore, FileStoreError
from formapp.jobs.queue import ClaimedJob, RetryLaterError, finish_job

_CHUNK = 64 * 1024
_SECONDS = 60.0
_LONGEST_ANSWER = 4096
_FOUND = " FOUND"
_OK = "stream: OK"
_TOO_LARGE = "INSTREAM size limit exceeded"
UNSCANNED = "too large to be scanned: raise StreamMaxLength of clamd"
_LONGEST_REASON = 200
_log = logging.getLogger(__name__)


class ClamdError(Exception):
    """The daemon can't be reached, or could not scan; the text says why."""


class Clamd:
    """The daemon at `unix:/path` or `tcp://host:port`."""

    def __init__(self, address: str) -> None:
        self._address = address

    def scan(self, content: IO[bytes]) -> str | None:
        """Return the name of what was found, None if the content is clean; raises ClamdError."""
        try:
            with self._connect() as connection:
                answer = self._send(connection, content)
        except OSError as error:
            raise ClamdError(f"clamd: {error.strerror or type(error).__name__}") from error
        if answer == _OK:
            return None
        if answer.endswith(_FOUND):
            return answer.removeprefix("stream: ").removesuffix(_FOUND)
        if answer.startswith(_TOO_LARGE):
            return UNSCANNED
        raise ClamdError("clamd could not scan the content")

    def _connect(self) -> socket.socket:
        if self._address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(_SECONDS)
            try:
                connection.connect(self._address.removeprefix("unix:"))
            except OSError:
                connection.close()
                raise
            return connection
        parts = urlsplit(self._address)
        return socket.create_connection((parts.hostname, parts.port), timeout=_SECONDS)

    def _send(self, connection: socket.socket, content: IO[bytes]) -> str:
        try:
            connection.sendall(b"zINSTREAM\0")
            while data := content.read(_CHUNK):
                connection.sendall(struct.pack("!I", len(data)) + data)
            connection.sendall(struct.pack("!I", 0))
        except BrokenPipeError:
            # It stops reading once its limit is reached, and has answered.
            pass
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
            if not (data := connection.recv(_LONGEST_ANSWER)):
                break
            answer += data
        return answer.rstrip(b"\0").decode("utf-8", "replace").strip()


@dataclass(frozen=True)
class FileScanner:
    """Handles jobs of the kind `file_scan`. An infected file is quarantined: it can't be opened."""

    database: Database
    store: FileStore
    clamd: Clamd
    clock: Callable[[], datetime]

    def __call__(self, job: ClaimedJob) -> None:
        """Scan a file; raises RetryLaterError where that isn't possible now."""
        with self.database.read() as connection:
            record = find_file(connection, str(job.content[FILE]))
        found = self._scan(record) if record else None
        state = FileState.QUARANTINED if found else FileState.STORED
        with self.database.write() as connection:
            if not finish_job(connection, job) or record is None:
                return
            reason = found[:_LONGEST_REASON] if found else None
            this = (files.c.id == record.id) & (files.c.state == FileState.WAITING)
            connection.execute(update(files).where(this).values(state=state, reason=reason))
        if found:
            _log.error("a file of the form %s was quarantined: %s", record.form, found)

    def _scan(self, record: FileRecord) -> str | None:
        try:
            with self.store.open(record.key) as content:
                return self.clamd.scan(content)
        except ContentMissingError:
            return "its content is missing in the store"
        except (ClamdError, FileStoreError) as error:
            raise RetryLaterError(str(error)) from error
