"""Scanning files for viruses: a job of each new file, which waits as long as the daemon is away."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from formapp.db.database import Database
from formapp.db.tables import files
from formapp.files.clamd import Clamd, ClamdError
from formapp.files.records import FILE, FileRecord, FileState, find_file
from formapp.files.store import ContentMissingError, FileStore, FileStoreError
from formapp.jobs.queue import ClaimedJob, RetryLaterError, finish_job

_LONGEST_REASON = 200
_log = logging.getLogger(__name__)


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
