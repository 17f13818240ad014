"""Incidents: those that the database shows now, and alerts when one begins or ends.

The table holds those that the owner knows. A conditional write opens and closes each, so that only
one of many workers sends the alert.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Select, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from formapp.db.database import Database
from formapp.db.tables import deliveries, incidents, jobs, pauses, submissions
from formapp.monitoring.alerts import Alert, Channel
from formapp.monitoring.crm_books import MIN_FAILURES as CRM_FAILURES
from formapp.monitoring.crm_books import read_books

EVERY = timedelta(seconds=10)
"""How often a worker checks."""

Kind = Literal[
    "failed",
    "paused",
    "backlog",
    "errands",
    "notify",
    "crm_paused",
    "crm_failing",
    "crm_conflicts",
    "crm_lag",
]

ALL_SITES = "all"
"""The site of an incident of the whole installation."""

MIN_FAILURES = 3
"""One pause is an everyday rate limit of Wix; this many in a row are an incident."""

_log = logging.getLogger(__name__)
_FAILED_NOTIFICATION = "notify.failed"
_KEPT_FAILURES = timedelta(days=7)
"""How long a notification that was given up is an incident."""

_PERIODS = {"notify.hour": timedelta(hours=1), "notify.day": timedelta(days=1)}
"""How long a digest waits anyway."""

_JOBS = {
    "notify": "leads to notify of: see whether a worker has their form files, FORMAPP_FORMS",
    "notify.mail": "mails about leads: see the mail server, FORMAPP_SMTP_URL, FORMAPP_MAIL_FROM",
    "notify.hour": "leads for an hourly mail: see the mail server, FORMAPP_SMTP_URL",
    "notify.day": "leads for a daily mail: see the mail server, FORMAPP_SMTP_URL",
    "notify.reply": "replies to visitors: see the mail server and the limits of mails",
    "notify.webhook": "webhooks: see whether their receivers answer, FORMAPP_WEBHOOK_SECRET",
    "notify.chat": "chat messages: see FORMAPP_NOTIFY_CHAT, `formapp notify test FORM`",
    "confirm": "mails: see the mail server, FORMAPP_SMTP_URL, FORMAPP_MAIL_FROM",
    "challenge": "challenges: see FORMAPP_CHALLENGE_SECRET and whether their service answers",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that the owner should know; `detail` has numbers and Wix's codes, never an answer.

    Kinds: deliveries have `failed` for good; a site is `paused`, as Wix refuses its calls; a
    `backlog` of deliveries, or of mails, challenges and notifications (`errands`), waits beyond
    the limit; notifications were given up (`notify`).
    Those of CRM books have the book's name as `site`: it is `crm_paused`, by its brake or refused
    credentials; a side keeps `crm_failing`; `crm_conflicts` and held contacts wait for the owner;
    changes wait beyond the limit (`crm_lag`).
    """

    kind: Kind
    site: str
    detail: str


def find_incidents(database: Database, now: datetime, *, backlog: timedelta) -> list[Incident]:
    """Return what is wrong now; `backlog` is how long a delivery or a job may wait."""
    with database.read() as connection:
        return [
            *_failed(connection),
            *_paused(connection),
            *_backlog(connection, now, backlog),
            *_late_jobs(connection, now, backlog),
            *_crm_books(connection, now, backlog),
            *_failed_notifications(connection, now),
        ]


def _failed(connection: Connection) -> list[Incident]:
    query = (
        _by_site()
        .join(submissions, submissions.c.id == deliveries.c.submission_id)
        # An erased lead can't be retried.
        .where(deliveries.c.state == "failed", submissions.c.erased_at.is_(None))
    )
    return [
        Incident("failed", site, f"{_deliveries(number)} failed for good: see `formapp leads list`")
        for site, number in connection.execute(query)
    ]


def _paused(connection: Connection) -> list[Incident]:
    rows = connection.execute(select(pauses).where(pauses.c.failures >= MIN_FAILURES))
    return [
        Incident("paused", row.site, f"Wix refuses all calls: {row.reason}; leads wait")
        for row in rows
    ]


def _backlog(connection: Connection, now: datetime, limit: timedelta) -> list[Incident]:
    waiting = (deliveries.c.state == "pending") & (deliveries.c.created_at < now - limit)
    return [
        Incident("backlog", site, f"{_deliveries(number)} have waited {_longer_than(limit)}")
        for site, number in connection.execute(_by_site().where(waiting))
    ]


def _late_jobs(connection: Connection, now: datetime, limit: timedelta) -> list[Incident]:
    # By age, not by due time: each failed try postpones a job.
    is_late = jobs.c.created_at < now - limit
    for kind, period in _PERIODS.items():
        is_late &= (jobs.c.kind != kind) | (jobs.c.created_at < now - limit - period)
    query = (
        select(jobs.c.kind, func.count())
        .where(is_late, jobs.c.kind != _FAILED_NOTIFICATION)
        .group_by(jobs.c.kind)
        .order_by(jobs.c.kind)
    )
    late = [
        f"{number} {_JOBS.get(kind, f'of the kind {kind}')}"
        for kind, number in connection.execute(query)
    ]
    if not late:
        return []
    detail = f"have waited {_longer_than(limit)}: {'; '.join(late)}"
    return [Incident("errands", ALL_SITES, f"{detail}. A worker that has these settings must run")]


def _crm_books(connection: Connection, now: datetime, limit: timedelta) -> Iterator[Incident]:
    for each in read_books(connection, now):
        if each.paused:
            advice = f"`formapp crm resume {each.book}` ends that"
            yield Incident("crm_paused", each.book, f"paused: {each.reason}; {advice}")
            continue
        if each.failures >= CRM_FAILURES:
            yield Incident("crm_failing", each.book, f"tried again and again: {each.reason}")
        if each.lag > limit:
            detail = f"{each.due} contacts are due, the oldest {_longer_than(limit)}"
            yield Incident("crm_lag", each.book, detail)
        if each.waiting or each.held:
            detail = (
                f"{each.waiting} conflicts and {each.held} held contacts wait for you: "
                f"see `formapp crm conflicts {each.book}` and `formapp crm status`"
            )
            yield Incident("crm_conflicts", each.book, detail)


def _failed_notifications(connection: Connection, now: datetime) -> list[Incident]:
    query = (
        select(submissions.c.form, func.count())
        .join(submissions, submissions.c.id == jobs.c.submission_id)
        .where(jobs.c.kind == _FAILED_NOTIFICATION, jobs.c.created_at > now - _KEPT_FAILURES)
        .group_by(submissions.c.form)
        .order_by(submissions.c.form)
    )
    failed = [f"{form} {number}" for form, number in connection.execute(query)]
    if not failed:
        return []
    advice = "see why with `formapp leads show ID`, then `formapp notify resend --failed`"
    return [Incident("notify", ALL_SITES, f"notifications failed: {', '.join(failed)}; {advice}")]


def _by_site() -> Select[Any]:
    return select(deliveries.c.site, func.count()).group_by(deliveries.c.site)


def _deliveries(number: int) -> str:
    return "1 delivery" if number == 1 else f"{number} deliveries"


def _longer_than(limit: timedelta) -> str:
    return f"for more than {round(limit.total_seconds() / 60)} minutes"


def report_incidents(
    database: Database, channels: Sequence[Channel], backlog: timedelta, now: datetime
) -> None:
    """Log and send an alert for each incident that has begun or ended since the owner knows."""
    found = find_incidents(database, now, backlog=backlog)
    present = {(each.kind, each.site): each.detail for each in found}
    with database.read() as connection:
        known = {(row.kind, row.site) for row in connection.execute(select(incidents))}
    for key, detail in present.items():
        if key not in known and _open(database, *key, now):
            _send(channels, Alert(*key, "open", detail, now))
    for key in known:
        if key not in present and _close(database, *key):
            _send(channels, Alert(*key, "over", "all is well again", now))


def _open(database: Database, kind: str, site: str, now: datetime) -> bool:
    try:
        with database.write() as connection:
            row = {"kind": kind, "site": site, "opened_at": now}
            connection.execute(insert(incidents), row)
    except IntegrityError:
        return False
    return True


def _close(database: Database, kind: str, site: str) -> bool:
    mine = (incidents.c.kind == kind) & (incidents.c.site == site)
    with database.write() as connection:
        return connection.execute(delete(incidents).where(mine)).rowcount == 1


def _send(channels: Sequence[Channel], alert: Alert) -> None:
    level = logging.ERROR if alert.state == "open" else logging.WARNING
    _log.log(level, "%s: %s: %s", alert.place, alert.kind, alert.detail)
    for send in channels:
        try:
            send(alert)
        except Exception as error:  # noqa: BLE001 - a failing channel must not stop the others
            _log.error("an alert could not be sent: %s", type(error).__name__)
