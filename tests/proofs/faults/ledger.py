"""The database as the judge reads it: by SQL of its own, not through formapp's reports."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from formapp.db.database import Database, DatabaseUnavailableError

_ROWS = text(
    "SELECT s.id AS submission, s.answers, s.status, d.id AS delivery, d.state, d.outcome,"
    " d.contact_id, d.reason, d.flags, d.intent FROM submissions s"
    " LEFT JOIN deliveries d ON d.submission_id = s.id ORDER BY d.id"
)
_PENDING = text("SELECT count(*) FROM deliveries WHERE state = 'pending'")
_ATTEMPTS = text("SELECT result, count(*) FROM attempts GROUP BY result ORDER BY result")

BACKLOG = 300
"""Visitors wait while so many leads do; a killed worker's leads wait for its lease, too."""

_LOOK_AFTER = 0.15


@dataclass(frozen=True, slots=True)
class Kept:
    """A submission and its delivery, as they are in the database."""

    submission: str
    ref: str
    delivery: int | None
    state: str | None
    outcome: str | None
    contact_id: str | None
    reason: str | None
    flags: list[str]


def read_ledger(database: Database) -> list[Kept]:
    """Everything that was kept, in the order of deliveries."""
    with database.read() as connection:
        return [
            Kept(
                row.submission,
                _json(row.answers).get("ref", ""),
                row.delivery,
                row.state,
                row.outcome,
                row.contact_id,
                row.reason,
                _json(row.flags) or [],
            )
            for row in connection.execute(_ROWS)
        ]


def pending(database: Database) -> int:
    """How many deliveries are not done yet."""
    with database.read() as connection:
        return int(connection.execute(_PENDING).scalar_one())


class Backlog:
    """Whether few enough leads wait; asks the database no more often than necessary."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at = 0.0
        self._count = 0

    def is_short(self) -> bool:
        """Whether visitors may post."""
        if time.monotonic() - self._at > _LOOK_AFTER:
            self._at = time.monotonic()
            with suppress(DatabaseUnavailableError):
                self._count = pending(self._database)
        return self._count < BACKLOG


def attempts(database: Database) -> dict[str, int]:
    """How many attempts came to which result."""
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(_ATTEMPTS)}


def _json(kept: Any) -> Any:
    """The column as psycopg parses it, or as SQLite keeps it."""
    return json.loads(kept) if isinstance(kept, str) else kept
