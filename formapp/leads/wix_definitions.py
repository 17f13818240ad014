"""Labels and extended fields as a site has them: a page requests them, a worker reads them at Wix.

The page never waits for Wix. It shows what was read last, and requests them again when that is no
longer fresh.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.inbox_tables import wix_definitions
from formapp.db.notify import notify
from formapp.db.tables import jobs
from formapp.jobs.queue import Job, add_job

KIND = "wix.definitions"
"""The kind of the job that reads them; its key is the site."""

FRESH = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SiteDefinitions:
    """What was read of one site, or why it could not be.

    Attributes:
        read_at: of the last try; None: there was none.
        labels: display names.
        fields: display name to data type.
        fault: why the last try failed; then the others are of an earlier one.
        waits_since: they were requested then, and no worker has read them yet.
    """

    read_at: datetime | None = None
    labels: tuple[str, ...] | None = None
    fields: dict[str, str | None] | None = None
    fault: str | None = None
    waits_since: datetime | None = None


def read_definitions(database: Database, site: str) -> SiteDefinitions:
    mine = select(wix_definitions).where(wix_definitions.c.site == site)
    waiting = select(jobs.c.created_at).where(jobs.c.kind == KIND, jobs.c.key == site)
    with database.read() as connection:
        row = connection.execute(mine).first()
        waits_since = connection.execute(waiting).scalar()
    if row is None:
        return SiteDefinitions(waits_since=waits_since)
    labels = None if row.labels is None else tuple(row.labels)
    return SiteDefinitions(row.read_at, labels, row.fields, row.fault, waits_since)


def refresh_definitions(database: Database, site: str, now: datetime) -> SiteDefinitions:
    """Return what is known of a site, and have it read again if it isn't fresh."""
    found = read_definitions(database, site)
    is_fresh = found.read_at and abs(now - found.read_at) < FRESH
    if is_fresh or found.waits_since:
        return found
    with database.write() as connection:
        add_job(connection, Job(KIND, {"site": site}, key=site), now)
        notify(connection)
    return read_definitions(database, site)
