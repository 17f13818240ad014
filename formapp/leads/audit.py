"""What people did to submissions: who, when, what. It holds no answer, and outlives them.

An action and its record are one transaction: neither is stored without the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from formapp.db.database import Database
from formapp.db.inbox_tables import audit

COMMAND_LINE = "command line"
"""The user of the command line; a name in the inbox has no space."""

ACTIONS = {
    "retry": "retried the delivery",
    "correct": "corrected the answers and retried the delivery",
    "release": "released it",
    "spam": "marked it as spam",
    "resend": "sent the mail that asks for a confirmation once more",
    "erase": "erased the person",
    "notify": "had the notifications sent once more",
    "export": "exported leads",
}
"""Each action in words, behind the name of who did it."""


@dataclass(frozen=True, slots=True)
class Audited:
    at: datetime
    user: str
    action: str

    def __str__(self) -> str:
        """In words: `ana released it`."""
        return f"{self.user} {ACTIONS.get(self.action, self.action)}"


def record(
    connection: Connection, user: str, action: str, submission_ids: Iterable[str], now: datetime
) -> None:
    """Record an action on each of these, in the transaction that does it."""
    row = {"at": now, "user": user, "action": action}
    if rows := [{**row, "submission_id": each} for each in submission_ids]:
        connection.execute(insert(audit), rows)


def record_export(database: Database, user: str, now: datetime) -> None:
    """Record an export, before its first line: what has been read can't be undone."""
    row = {"at": now, "user": user, "action": "export", "submission_id": None}
    with database.write() as connection:
        connection.execute(insert(audit), row)


def list_audit(database: Database, submission_id: str) -> list[Audited]:
    """What was done to a submission, oldest first."""
    query = select(audit).where(audit.c.submission_id == submission_id).order_by(audit.c.id)
    with database.read() as connection:
        return [Audited(row.at, row.user, row.action) for row in connection.execute(query)]
