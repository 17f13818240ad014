"""How the queue stands, for metrics: read by indexes, whatever the number of kept submissions."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from formapp.db.database import Database
from formapp.db.tables import deliveries, incidents, jobs, pauses
from formapp.leads.release import count_quarantined


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
                for row in connection.execute(select(pauses))
            },
            incidents={(row.kind, row.site) for row in connection.execute(select(incidents))},
            quarantined=count_quarantined(connection),
            errands=_errands(connection),
        )


def _errands(connection: Connection) -> dict[str, int]:
    query = select(jobs.c.kind, func.count().label("number")).group_by(jobs.c.kind)
    return {row.kind: row.number for row in connection.execute(query)}


def _count(connection: Connection, state: str) -> int:
    query = select(func.count()).where(deliveries.c.state == state)
    return connection.execute(query).scalar_one()
