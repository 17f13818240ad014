"""Incidents: what is wrong now, as the ledger shows it, and what the owner was told of.

An incident is opened and closed by conditional writes, so that of many workers one tells.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from formapp.db.database import Database
from formapp.db.tables import deliveries, incidents, jobs, pauses, submissions

Kind = Literal["failed", "paused", "backlog", "errands"]

ALL_SITES = "all"
"""What stands for the site where something is wrong with the whole installation."""

_ERRANDS = {
    "confirm": "mails: see the mail server, FORMAPP_SMTP_URL, FORMAPP_MAIL_FROM",
    "challenge": "challenges: see FORMAPP_CHALLENGE_SECRET and whether their service answers",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that the owner should know of.

    Attributes:
        kind: `failed` (deliveries that failed for good), `paused` (the site's lane, where the owner
            has to act or it has lasted), `backlog` (due deliveries older than the limit),
            `errands` (mails and challenges older than that).
        detail: in words, with numbers and Wix's codes, never an answer.
    """

    kind: Kind
    site: str
    detail: str


def find_incidents(
    database: Database, now: datetime, *, backlog: timedelta, strikes: int
) -> list[Incident]:
    """What is wrong now.

    Args:
        database: the ledger.
        now: the time.
        backlog: how long a due delivery, or an errand, may wait.
        strikes: from how many pauses in a row a lane counts as in trouble.
    """
    with database.read() as connection:
        return [
            *_failed(connection),
            *_paused(connection, strikes),
            *_backlog(connection, now, backlog),
            *_errands(connection, now, backlog),
        ]


def _failed(connection: Connection) -> list[Incident]:
    query = (
        select(deliveries.c.site, func.count())
        .join(submissions, submissions.c.id == deliveries.c.submission_id)
        # What is erased can't be retried: nobody has to act.
        .where(deliveries.c.state == "failed", submissions.c.erased_at.is_(None))
        .group_by(deliveries.c.site)
    )
    return [
        Incident("failed", site, f"{_count(count)} failed for good: see `formapp leads list`")
        for site, count in connection.execute(query)
    ]


def _paused(connection: Connection, strikes: int) -> list[Incident]:
    rows = connection.execute(select(pauses).where(pauses.c.failures >= strikes))
    return [
        Incident("paused", row.site, f"Wix refuses all calls: {row.reason}; leads wait")
        for row in rows
    ]


def _backlog(connection: Connection, now: datetime, limit: timedelta) -> list[Incident]:
    query = (
        select(deliveries.c.site, func.count())
        .where(deliveries.c.state == "pending", deliveries.c.created_at < now - limit)
        .group_by(deliveries.c.site)
    )
    minutes = round(limit.total_seconds() / 60)
    return [
        Incident("backlog", site, f"{_count(count)} have waited for more than {minutes} minutes")
        for site, count in connection.execute(query)
    ]


def _errands(connection: Connection, now: datetime, limit: timedelta) -> list[Incident]:
    # By when they were written down: each try that fails makes one due later.
    query = (
        select(jobs.c.kind, func.count())
        .where(jobs.c.created_at < now - limit)
        .group_by(jobs.c.kind)
        .order_by(jobs.c.kind)
    )
    late = [
        f"{count} {_ERRANDS.get(kind, f'of the kind {kind}')}"
        for kind, count in connection.execute(query)
    ]
    if not late:
        return []
    minutes = round(limit.total_seconds() / 60)
    told = f"have waited for more than {minutes} minutes: {'; '.join(late)}"
    return [Incident("errands", ALL_SITES, f"{told}. A worker that has these settings must run")]


def _count(number: int) -> str:
    return "1 delivery" if number == 1 else f"{number} deliveries"


def open_incidents(database: Database) -> set[tuple[str, str]]:
    """Kind and site of what was told and isn't over."""
    with database.read() as connection:
        return {(row.kind, row.site) for row in connection.execute(select(incidents))}


def open_incident(database: Database, kind: str, site: str, now: datetime) -> bool:
    """Note that it is told; False if another worker did so first."""
    try:
        with database.write() as connection:
            row = {"kind": kind, "site": site, "opened_at": now}
            connection.execute(insert(incidents), row)
    except IntegrityError:
        return False
    return True


def close_incident(database: Database, kind: str, site: str) -> bool:
    """Note that it is over; False if another worker did so first."""
    mine = (incidents.c.kind == kind) & (incidents.c.site == site)
    with database.write() as connection:
        return connection.execute(delete(incidents).where(mine)).rowcount == 1
