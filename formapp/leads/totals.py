"""Totals of the leads of the last days, so that the overview counts no month at each look.

A worker counts from time to time all leads up to a moment, and stores the numbers as one row; what
came since is counted when somebody looks. Each time all days are counted anew: whatever happened to
a lead since, such as an erasure or a retry, is in the next numbers, and a kill costs nothing.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import Connection, case, delete, func, select

from formapp.db.database import Database, upsert
from formapp.db.inbox_tables import form_visits, lead_totals
from formapp.db.tables import attempts, deliveries, submissions
from formapp.decoding import decodable
from formapp.leads.ids import id_at
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.places import list_sources
from formapp.leads.search import newest_ids

DAYS = 30
EVERY = timedelta(minutes=1)
"""How often a worker counts, unless that takes long."""

SHARE = 50
"""Counting takes no more than this part of a worker's time."""

SAMPLE = 1000
"""Leads of a site whose time to contact is measured: the newest ones."""

_CALLS_SAMPLE = 200
_SETTLED = timedelta(seconds=10)
"""A lead of an earlier moment may still be on its way into the database."""

_ROW = 1
_FOREIGN = "foreign"


class Count(msgspec.Struct, array_like=True, frozen=True):
    """How many leads of one day, site and form had one result.

    `result` is the outcome, else the state; `own` says whether they came by a page of ours.
    """

    day: date
    site: str
    form: str
    own: bool
    result: str
    number: int


class Sample(msgspec.Struct, frozen=True):
    """Of a site's newest leads: seconds from receipt to contact, and the calls that some took."""

    seconds: list[float]
    calls: int
    leads: int


@decodable
class Totals(msgspec.Struct, frozen=True):
    """The numbers of all leads that were received before `until`.

    `took` is how many seconds it took to count them.
    """

    until: datetime
    counts: list[Count]
    samples: dict[str, Sample]
    took: float = 0


def first_day(now: datetime) -> datetime:
    """Return the begin (UTC) of the first day that is counted."""
    return _midnight(now) - timedelta(days=DAYS - 1)


def refresh(database: Database, now: datetime) -> None:
    """Count and store, as a worker's periodic task; not if another worker has just done so."""
    stored = read_totals(database)
    if stored:
        age, wait = now - stored.until - _SETTLED, max(EVERY.total_seconds(), SHARE * stored.took)
        # Its own interval may end a little earlier; a clock that was ahead must not stop it.
        if timedelta(0) <= age < timedelta(seconds=wait - 5):
            return
    totals = count_totals(database, now - _SETTLED)
    values = {"counted_at": now, "content": msgspec.json.encode(totals).decode()}
    with database.write() as connection:
        upsert(connection, lead_totals, {"id": _ROW}, values)
        old = form_visits.c.day < first_day(now).date()
        connection.execute(delete(form_visits).where(old))


def read_totals(database: Database) -> Totals | None:
    """Return the stored numbers; None before a worker has counted."""
    with database.read() as connection:
        query = select(lead_totals.c.content).where(lead_totals.c.id == _ROW)
        content = connection.execute(query).scalar()
    return msgspec.json.decode(content, type=Totals) if content else None


def count_totals(database: Database, until: datetime) -> Totals:
    """Count all leads of the days that were received before a moment."""
    begun = time.monotonic()
    since = first_day(until)
    counts: list[Count] = []
    for day in _days(since, until):
        # A transaction a day: a long one would keep the database from cleaning up.
        with database.read() as connection:
            counts += count_between(connection, day, min(day + timedelta(days=1), until))
    samples = {}
    for site in sorted({site for site, _ in list_sources(database)}):
        wanted = LeadFilter(sites=(site,), since=since, until=until)
        with database.read() as connection:
            samples[site] = _sample(connection, newest_ids(connection, wanted, SAMPLE))
    return Totals(until, counts, samples, time.monotonic() - begun)


def count_since(database: Database, since: datetime, now: datetime) -> Iterator[Count]:
    """Count the leads since a moment, those of a clock that is ahead included."""
    days = list(_days(since, now + timedelta(microseconds=1)))
    for number, day in enumerate(days, 1):
        end = day + timedelta(days=1) if number < len(days) else None
        with database.read() as connection:
            yield from count_between(connection, max(day, since), end)


def count_between(connection: Connection, since: datetime, until: datetime | None) -> list[Count]:
    """Count the leads of one day, or of a part of it, in the caller's transaction."""
    sent, sending = submissions.c, deliveries.c
    own = func.coalesce(sent.meta["use"].as_string(), "") != _FOREIGN
    status_or_state = func.coalesce(sending.outcome, sending.state, sent.status)
    result = case((sent.status == "accepted", status_or_state), else_=sent.status)
    # As expressions: SQLite would rather read a whole index that has the groups in order.
    site, form = (sent.site + "").label("of_site"), (sent.form + "").label("of_form")
    columns = (site, form, own.label("own"), result.label("result"))
    query = (
        select(*columns, func.count().label("number"))
        .outerjoin(deliveries, sending.submission_id == sent.id)
        .where(sent.id >= id_at(since))
        .group_by(*(column.name for column in columns))
    )
    if until:
        query = query.where(sent.id < id_at(until))
    day = since.date()
    return [
        Count(day, row.of_site, row.of_form, bool(row.own), row.result, row.number)
        for row in connection.execute(query)
    ]


def _sample(connection: Connection, ids: Sequence[str]) -> Sample:
    sending = deliveries.c
    query = (
        select(sending.id, sending.created_at, sending.finished_at)
        .where(sending.submission_id.in_(ids), sending.outcome.is_not(None))
        .order_by(sending.submission_id.desc())
    )
    done = [row for row in connection.execute(query) if row.finished_at]
    some = [row.id for row in done[:_CALLS_SAMPLE]]
    made = select(attempts.c.delivery_id, attempts.c.calls).where(attempts.c.delivery_id.in_(some))
    rows = connection.execute(made).all()
    return Sample(
        [round((row.finished_at - row.created_at).total_seconds(), 1) for row in done],
        calls=sum(len(row.calls) for row in rows),
        leads=len({row.delivery_id for row in rows}),
    )


def _days(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the begins of the days between, the one of `since` included."""
    day = _midnight(since)
    while day < until:
        yield day
        day += timedelta(days=1)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
