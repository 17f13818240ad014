"""Incidents: those that the database shows now, and alerts when one begins or ends.

The table holds those that the owner knows. A conditional write opens and closes each, so that only
one of many workers sends the alert.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.exc import IntegrityError

from formapp.db.database import Database
from formapp.db.state_counts import list_places
from formapp.db.tables import attempts, deliveries, files, incidents, jobs, pauses, submissions
from formapp.monitoring.alerts import ALL_SITES, Alert, Channel
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
    "infected",
]

MIN_FAILURES = 3
"""One pause is an everyday rate limit of Wix; this many in a row are an incident."""

WRONG_DATA_TYPE = "WRONG_DATA_TYPE"
"""The code of an attempt that the form file has to be corrected for."""

_MOST = 1000
"""So many leads of a form are counted; of more, "1,000+" is said."""

_LOOKED_THROUGH = 10 * _MOST
"""So many of a form's newest failed leads are looked through for some that aren't erased: what is
erased is mostly older."""

Place = tuple[ColumnElement[bool], ...]
"""Conditions: deliveries of one state, to one site, by one form."""

_LEAST_ERROR = 400
_log = logging.getLogger(__name__)
_FAILED_NOTIFICATION = "notify.failed"
_KEPT_FAILURES = timedelta(days=7)
"""How long a notification that was given up is an incident."""

_PERIODS = {"notify.hour": timedelta(hours=1), "notify.day": timedelta(days=1)}
"""How long a digest waits anyway."""

_MAIL_SERVER = "see the mail server, FORMAPP_SMTP_URL and FORMAPP_MAIL_FROM"
_JOBS = {
    "notify": ("leads to notify of", "see whether a worker has their form files, FORMAPP_FORMS"),
    "notify.mail": ("mails about leads", _MAIL_SERVER),
    "notify.hour": ("leads for an hourly mail", _MAIL_SERVER),
    "notify.day": ("leads for a daily mail", _MAIL_SERVER),
    "notify.reply": ("replies to visitors", "see the mail server and the limits of mails"),
    "notify.webhook": (
        "webhooks",
        "see whether their receivers answer, and FORMAPP_WEBHOOK_SECRET",
    ),
    "notify.chat": ("chat messages", "see FORMAPP_NOTIFY_CHAT and `formapp notify test FORM`"),
    "confirm": ("mails", _MAIL_SERVER),
    "file_scan": ("files to scan", "see FORMAPP_CLAMD and whether clamd answers"),
    "challenge": (
        "challenges",
        "see FORMAPP_CHALLENGE_SECRET and whether the challenge's service answers",
    ),
}
"""Kind of job to what it is called, and what may hold it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that the owner should know. It has numbers and Wix's codes, never an answer.

    Kinds: deliveries have `failed`; a site is `paused`, as Wix refuses its calls; a `backlog` of
    deliveries, or of mails, challenges and notifications (`errands`), waits beyond the limit;
    notifications were given up (`notify`); files are `infected`, until their leads are erased.

    Those of CRM books have the book's name as `site`: it is `crm_paused`, by its brake or refused
    credentials; a side keeps `crm_failing`; `crm_conflicts` and held contacts wait for the owner;
    changes wait beyond the limit (`crm_lag`).

    Attributes:
        detail: what is wrong, and why as far as that is known.
        forms: whose leads they are.
        lead: the id of one of them, to look at.
    """

    kind: Kind
    site: str
    detail: str
    advice: str
    forms: tuple[str, ...] = ()
    lead: str | None = None


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
            *_infected(connection),
        ]


def _failed(connection: Connection) -> Iterator[Incident]:
    is_sqlite = connection.dialect.name == "sqlite"
    for group in _by_site(connection, "failed", partial(_newest_to_retry, is_sqlite=is_sqlite)):
        were = "was" if group.number == 1 else "were"
        cause = _cause(connection, group.newest)
        yield Incident(
            kind="failed",
            site=group.site,
            detail=f"{group.leads} {were} not delivered: {cause}. Nothing is lost",
            advice="correct the cause, then `formapp leads retry --failed`",
            forms=group.forms,
            lead=_lead_of(connection, group.newest),
        )


def _newest_to_retry(here: Place, *, is_sqlite: bool) -> Select[int]:
    """Select the failed deliveries that can be retried: those of erased leads can't."""
    lead = deliveries.c.submission_id
    # SQLite reads a partial index only where its condition is written out; PostgreSQL doesn't need
    # it, and would expect fewer rows with it.
    is_undelivered = deliveries.c.state != literal("delivered", literal_execute=True)
    newest = (
        select(deliveries.c.id, lead)
        .where(*here, *([is_undelivered] if is_sqlite else []))
        .order_by(lead.desc().nulls_last())
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    this = submissions.c.id == newest.c.submission_id
    return select(newest.c.id).where(exists().where(this, submissions.c.erased_at.is_(None)))


def _paused(connection: Connection) -> Iterator[Incident]:
    paused = connection.execute(select(pauses).where(pauses.c.failures >= MIN_FAILURES)).all()
    if not paused:
        return
    waiting = {group.site: group for group in _by_site(connection, "pending", _oldest)}
    for row in paused:
        group = waiting.get(row.site)
        waits = f"waiting: {group.leads}" if group else "no lead waits"
        yield Incident(
            kind="paused",
            site=row.site,
            detail=f"Wix refuses all calls: {row.reason}; {waits}",
            advice="see `formapp doctor`; once it is corrected, leads go on by themselves",
            forms=group.forms if group else (),
            lead=_lead_of(connection, group.oldest) if group else None,
        )


def _oldest(here: Place) -> Select[int]:
    return select(deliveries.c.id).where(*here).order_by(deliveries.c.id)


def _backlog(connection: Connection, now: datetime, limit: timedelta) -> Iterator[Incident]:
    def late(here: Place) -> Select[int]:
        # Those that were just tried again may come first, since they keep their ids.
        return _oldest(here).where(deliveries.c.created_at < now - limit)

    for group in _by_site(connection, "pending", late):
        waited = f"{group.leads} waited {_longer_than(limit)}"
        yield Incident(
            kind="backlog",
            site=group.site,
            detail=f"{waited}; of the oldest: {_cause(connection, group.oldest)}",
            advice="see `formapp doctor`, and that `formapp serve` or `formapp worker` runs",
            forms=group.forms,
            lead=_lead_of(connection, group.oldest),
        )


def _late_jobs(connection: Connection, now: datetime, limit: timedelta) -> Iterator[Incident]:
    # By age, not by due time: each failed try postpones a job.
    is_late = jobs.c.created_at < now - limit
    for kind, period in _PERIODS.items():
        is_late &= (jobs.c.kind != kind) | (jobs.c.created_at < now - limit - period)
    query = (
        select(jobs.c.kind, submissions.c.form, func.count(), func.min(submissions.c.id))
        .outerjoin(submissions, submissions.c.id == jobs.c.submission_id)
        .where(is_late, jobs.c.kind != _FAILED_NOTIFICATION)
        .group_by(jobs.c.kind, submissions.c.form)
    )
    late: Counter[str] = Counter()
    forms, oldest = set(), []
    for kind, form, number, lead in connection.execute(query):
        late[kind] += number
        forms.add(form)
        oldest.append(lead)
    if not late:
        return
    kinds = sorted(late)
    waiting = ", ".join(f"{late[kind]} {_JOBS.get(kind, (kind, ''))[0]}" for kind in kinds)
    causes = [_JOBS[kind][1] for kind in kinds if kind in _JOBS]
    yield Incident(
        kind="errands",
        site=ALL_SITES,
        detail=f"waiting {_longer_than(limit)}: {waiting}",
        advice="; ".join(["a worker that has their settings must run", *dict.fromkeys(causes)]),
        forms=tuple(sorted(form for form in forms if form)),
        lead=min(filter(None, oldest), default=None),
    )


def _crm_books(connection: Connection, now: datetime, limit: timedelta) -> Iterator[Incident]:
    status = "see `formapp crm status`"
    for each in read_books(connection, now):
        if each.paused:
            yield Incident(
                kind="crm_paused",
                site=each.book,
                detail=f"paused: {each.reason}",
                advice=f"correct the cause; `formapp crm resume {each.book}` ends the pause",
            )
            continue
        if each.failures >= CRM_FAILURES:
            detail = f"tried again and again: {each.reason}"
            yield Incident(kind="crm_failing", site=each.book, detail=detail, advice=status)
        if each.lag > limit:
            detail = f"{each.due} contacts are due, the oldest {_longer_than(limit)}"
            yield Incident(kind="crm_lag", site=each.book, detail=detail, advice=status)
        if each.waiting or each.held:
            yield Incident(
                kind="crm_conflicts",
                site=each.book,
                detail=f"{each.waiting} conflicts and {each.held} held contacts wait for you",
                advice=f"see `formapp crm conflicts {each.book}`, `formapp crm held {each.book}`",
            )


def _infected(connection: Connection) -> Iterator[Incident]:
    query = select(files.c.form, func.count(), func.max(files.c.submission_id)).where(
        files.c.state == "quarantined", files.c.submission_id.is_not(None)
    )
    yield from _of_forms(
        connection,
        query.group_by(files.c.form),
        kind="infected",
        what="files in quarantine, which can't be opened",
        advice="see which and why with `formapp leads show ID`; erase the lead to delete it",
    )


def _failed_notifications(connection: Connection, now: datetime) -> Iterator[Incident]:
    query = (
        select(submissions.c.form, func.count(), func.max(submissions.c.id))
        .join(submissions, submissions.c.id == jobs.c.submission_id)
        .where(jobs.c.kind == _FAILED_NOTIFICATION, jobs.c.created_at > now - _KEPT_FAILURES)
    )
    yield from _of_forms(
        connection,
        query.group_by(submissions.c.form),
        kind="notify",
        what="notifications failed",
        advice="see why with `formapp leads show ID`, then `formapp notify resend --failed`",
    )


def _of_forms(
    connection: Connection, query: Select[str, int, str], kind: Kind, what: str, advice: str
) -> Iterator[Incident]:
    """Yield one incident for all rows of a form, a number and the newest lead; none without."""
    if rows := sorted(connection.execute(query)):
        numbers = ", ".join(f"{form} {number}" for form, number, _ in rows)
        yield Incident(
            kind=kind,
            site=ALL_SITES,
            detail=f"{what}: {numbers}",
            advice=advice,
            forms=tuple(form for form, _, _ in rows),
            lead=max(lead for _, _, lead in rows),
        )


@dataclass(frozen=True, slots=True)
class _Group:
    """Deliveries to one site: how many, or more than that, and the ids of two of those counted."""

    site: str
    number: int
    has_more: bool
    forms: tuple[str, ...]
    oldest: int
    newest: int

    @property
    def leads(self) -> str:
        """Such as `3 leads of contact, quote`, or `1,000+ leads of contact`."""
        number = f"{self.number:,}{'+' if self.has_more else ''}"
        of_forms = f" of {', '.join(self.forms)}" if self.forms else ""
        return f"{number} {'lead' if self.number == 1 else 'leads'}{of_forms}"


def _by_site(
    connection: Connection, state: str, select_ids: Callable[[Place], Select[int]]
) -> list[_Group]:
    """Return what a query selects of each form that has deliveries in this state."""
    groups: dict[str, _Group] = {}
    for site, form in list_places(connection, state):
        # A delivery of an early version has no form.
        is_form = deliveries.c.form == form if form else deliveries.c.form.is_(None)
        is_state = deliveries.c.state == literal(state, literal_execute=True)
        ids = select_ids((is_state, deliveries.c.site == site, is_form)).limit(_MOST + 1)
        found = ids.subquery().c.id
        query = select(func.count(), func.min(found), func.max(found))
        number, oldest, newest = connection.execute(query).one()
        if not number:
            continue
        none = _Group(site, number=0, has_more=False, forms=(), oldest=oldest, newest=newest)
        other = groups.get(site, none)
        groups[site] = _Group(
            site,
            number=other.number + min(number, _MOST),
            has_more=other.has_more or number > _MOST,
            forms=(*other.forms, *filter(None, [form])),
            oldest=min(other.oldest, oldest),
            newest=max(other.newest, newest),
        )
    return list(groups.values())


def _lead_of(connection: Connection, delivery: int) -> str | None:
    query = select(deliveries.c.submission_id).where(deliveries.c.id == delivery)
    return connection.execute(query).scalar()


def _cause(connection: Connection, delivery: int) -> str:
    """Return what the last attempt says; the reason stored beside it may quote an answer."""
    query = (
        select(attempts.c.operation, attempts.c.status, attempts.c.code)
        .where(attempts.c.delivery_id == delivery)
        .order_by(attempts.c.id.desc())
        .limit(1)
    )
    last = connection.execute(query).first()
    if last is None:
        return "no call was made"
    if last.code == WRONG_DATA_TYPE:
        return "an extended field has another data type at Wix than in the form file"
    code = f" ({last.code})" if last.code else ""
    if last.status and last.status >= _LEAST_ERROR:
        return f"Wix answered {last.operation} with {last.status}{code}"
    # Neither an answer nor a code of ours.
    return f"a defect of formapp{code}" if code else "Wix did not answer"


def _longer_than(limit: timedelta) -> str:
    return f"for more than {round(limit.total_seconds() / 60)} minutes"


def report_incidents(
    database: Database,
    channels: Sequence[Channel],
    backlog: timedelta,
    now: datetime,
    *,
    inbox: Callable[[], str | None] = lambda: None,
) -> None:
    """Log and send an alert for each incident that has begun or ended since the owner knows.

    `inbox` returns the prefix of a lead's page; None while there is no user of it.
    """
    found = find_incidents(database, now, backlog=backlog)
    present = {(each.kind, each.site): each for each in found}
    with database.read() as connection:
        known = {(row.kind, row.site) for row in connection.execute(select(incidents))}
    for key, incident in present.items():
        if key not in known and _open(database, *key, now):
            _send(channels, _alert_of(incident, inbox(), now))
    for key in known:
        if key not in present and _close(database, *key):
            _send(channels, Alert(*key, "over", "all is well again", now))


def _alert_of(incident: Incident, inbox: str | None, now: datetime) -> Alert:
    return Alert(
        *(incident.kind, incident.site, "open", incident.detail, now),
        advice=incident.advice,
        forms=incident.forms,
        link=f"{inbox}{incident.lead}" if inbox and incident.lead else None,
    )


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
    what_to_do = f"; {alert.advice}" if alert.advice else ""
    _log.log(level, "%s: %s: %s%s", alert.place, alert.kind, alert.detail, what_to_do)
    for send in channels:
        try:
            send(alert)
        except Exception as error:  # noqa: BLE001 - a failing channel must not stop the others
            _log.error("an alert could not be sent: %s", type(error).__name__)
