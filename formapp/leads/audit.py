"""What people did to submissions: who, when, what. It holds no answer, and outlives them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from formapp.db.database import Database
from formapp.db.tables import audit

ACTIONS = {
    "retry": "retried the delivery",
    "correct": "corrected the answers and retried the delivery",
    "release": "released it",
    "spam": "marked it as spam",
    "resend": "sent the mail that asks for a confirmation once more",
    "erase": "erased the person",
    "export": "exported leads",
}
"""Each action in words, behind the name of who did it."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One action."""

    at: datetime
    user: str
    action: str

    def __str__(self) -> str:
        """In words: `ana released it`."""
        return f"{self.user} {ACTIONS.get(self.action, self.action)}"


def record(
    database: Database, user: str, action: str, submission_id: str | None, now: datetime
) -> None:
    """Record an action, which has succeeded."""
    with database.write() as connection:
        record_in(connection, user, action, submission_id, now)


def record_in(
    connection: Connection, user: str, action: str, submission_id: str | None, now: datetime
) -> None:
    """As `record`, in the caller's transaction."""
    row = {"at": now, "user": user, "action": action, "submission_id": submission_id}
    connection.execute(insert(audit), row)


def list_audit(database: Database, submission_id: str) -> list[Audited]:
    """What was done to a submission, oldest first."""
    query = select(audit).where(audit.c.submission_id == submission_id).order_by(audit.c.id)
    with database.read() as connection:
        return [Audited(row.at, row.user, row.action) for row in connection.execute(query)]
