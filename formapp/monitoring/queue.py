"""How the queue stands, for metrics: read by indexes, whatever the number of kept submissions."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select

from formapp.db.database import Database
from formapp.db.tables import deliveries, errands, incidents, lanes, submissions


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue at one moment.

    Attributes:
        pending, failed: numbers of deliveries.
        oldest_due_at: since when the longest-waiting due delivery has been due; None if none is.
        paused: site to whether its lane is paused.
        incidents: kind and site of what the owner was told of and isn't over.
        quarantined: form to the number of its submissions in quarantine.
        errands: kind to the number of those that wait.
    """

    pending: int
    failed: int
    oldest_due_at: datetime | None
    paused: dict[str, bool] = field(default_factory=dict)
    incidents: set[tuple[str, str]] = field(default_factory=set)
    quarantined: dict[str, int] = field(default_factory=dict)
    errands: dict[str, int] = field(default_factory=dict)


def look_at_queue(database: Database, now: datetime) -> Queue:
    """Read the queue.

    Raises:
        DatabaseUnavailableError: it can't be read.
    """
    with database.read() as connection:
        oldest = select(func.min(deliveries.c.due_at)).where(
            deliveries.c.state == "pending",
            deliveries.c.due_at <= now,
        )
        return Queue(
            pending=_count(connection, "pending"),
            failed=_count(connection, "failed"),
            oldest_due_at=connection.execute(oldest).scalar(),
            paused={
                row.site: bool(row.paused_until and row.paused_until > now)
                for row in connection.execute(select(lanes))
            },
            incidents={(row.kind, row.site) for row in connection.execute(select(incidents))},
            quarantined=count_quarantined(connection),
            errands=_errands(connection),
        )


def count_quarantined(connection: Connection) -> dict[str, int]:
    """Form to the number of its submissions in quarantine."""
    # A literal, as the partial index has it: a parameter would keep the index from being used.
    held = submissions.c.status == literal_column("'quarantined'")
    query = select(submissions.c.form, func.count().label("number"))
    query = query.where(held, submissions.c.erased_at.is_(None)).group_by(submissions.c.form)
    return {row.form: row.number for row in connection.execute(query)}


def _errands(connection: Connection) -> dict[str, int]:
    query = select(errands.c.kind, func.count().label("number")).group_by(errands.c.kind)
    return {row.kind: row.number for row in connection.execute(query)}


def _count(connection: Connection, state: str) -> int:
    query = select(func.count()).where(deliveries.c.state == state)
    return connection.execute(query).scalar_one()
