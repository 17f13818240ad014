"""Numbers about leads for the overview: per day, how they ended, how quickly, what waits.

Days are in UTC. Each number reads at most `SAMPLE` rows, the newest, so that a page takes no longer
where there are a million: a day with more counts as that many (`is_cut`).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from formapp.db.database import Database
from formapp.db.tables import attempts, deliveries, pauses, refused_origins, submissions, wix_calls
from formapp.leads.search import LeadFilter, count_leads, newest_ids
from formapp.leads.summary import state_of_row

DAYS = 30
SAMPLE = 2000
"""Rows that are read at most: of the leads of the days, and of the deliveries among them."""

MINUTE = timedelta(minutes=1)
_MEASURED = 200


@dataclass(frozen=True, slots=True)
class Site:
    """A site's deliveries at this moment.

    `calls` to Wix were made in the last minute; `paused_until` is None where it isn't paused.
    """

    name: str
    calls: int
    paused_until: datetime | None = None
    reason: str | None = None


@dataclass(slots=True)
class Overview:
    """The numbers.

    Attributes:
        days: each day, oldest first, with the number of leads of each form.
        outcomes: how many leads had each outcome, and each state while they have none.
        median, p95: time from receipt to contact; None without a delivery.
        calls_per_lead: to Wix; None without a delivery.
        refused: how many posts of each form were refused for their origin in the days.
        since: not all days were read, only leads received since then; None: all were.
    """

    days: dict[date, Counter[str]]
    outcomes: Counter[str] = field(default_factory=Counter)
    median: timedelta | None = None
    p95: timedelta | None = None
    calls_per_lead: float | None = None
    refused: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    quarantined: int = 0
    sites: list[Site] = field(default_factory=list)
    since: datetime | None = None

    @property
    def total(self) -> int:
        """How many leads were counted."""
        return sum(counts.total() for counts in self.days.values())


def overview(database: Database, sites: Sequence[str] | None, now: datetime) -> Overview:
    """Return the numbers of these sites (None: all) for the last days, today included."""
    first = now.date() - timedelta(days=DAYS - 1)
    found = Overview({first + timedelta(days=each): Counter() for each in range(DAYS)})
    begin = datetime.combine(first, datetime.min.time(), now.tzinfo)
    mine = LeadFilter(since=begin).within(None if sites is None else tuple(sites))
    with database.read() as connection:
        rows = connection.execute(_chosen(newest_ids(connection, mine, SAMPLE))).all()
        if len(rows) == SAMPLE:
            found.since = rows[-1].received_at
        for row in rows:
            if row.received_at.date() in found.days:
                found.days[row.received_at.date()][row.form] += 1
            found.outcomes[row.outcome or row.state or row.status] += 1
        _measure(connection, found, rows)
        found.refused = _refused(connection, first)
        found.sites = _sites(connection, sites, now)
    for state in ("failed", "quarantined"):
        only = LeadFilter(states=(state,), sites=mine.sites)
        setattr(found, state, count_leads(database, only))
    # Apart from the others: one night's flood of them would leave no room for a lead.
    if caught := count_leads(database, replace(mine, states=("spam",)), SAMPLE):
        found.outcomes["spam"] = min(caught, SAMPLE)
    return found


def _chosen(ids: Sequence[str]) -> Select[Any]:
    sent, sending = submissions.c, deliveries.c
    return (
        select(
            *(sent.id, sent.form, sent.status, sent.received_at, state_of_row),
            *(sending.outcome, sending.created_at, sending.finished_at),
            sending.id.label("delivery_id"),
        )
        .outerjoin(deliveries, sending.submission_id == sent.id)
        .where(sent.id.in_(ids))
        .order_by(sent.id.desc())
    )


def _measure(connection: Connection, found: Overview, rows: Sequence[Any]) -> None:
    """Add times and calls of the delivered leads."""
    done = [row for row in rows if row.outcome and row.finished_at]
    if not done:
        return
    times = sorted(row.finished_at - row.created_at for row in done)
    found.median, found.p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    some = [row.delivery_id for row in done[:_MEASURED]]
    query = select(attempts.c.delivery_id, attempts.c.calls).where(attempts.c.delivery_id.in_(some))
    calls: defaultdict[int, int] = defaultdict(int)
    for delivery_id, made in connection.execute(query):
        calls[delivery_id] += len(made)
    if calls:
        found.calls_per_lead = sum(calls.values()) / len(calls)


def _refused(connection: Connection, first: date) -> Counter[str]:
    table = refused_origins.c
    query = select(table.form, func.sum(table.count)).where(table.day >= first)
    rows = connection.execute(query.group_by(table.form))
    return Counter({form: int(count) for form, count in rows})


def _sites(connection: Connection, sites: Sequence[str] | None, now: datetime) -> list[Site]:
    recent = (
        select(wix_calls.c.site, func.count())
        .where(wix_calls.c.at > now - MINUTE)
        .group_by(wix_calls.c.site)
    )
    calls = {row[0]: row[1] for row in connection.execute(recent)}
    paused = {
        row.site: (row.paused_until, row.reason)
        for row in connection.execute(select(pauses))
        if row.paused_until and row.paused_until > now
    }
    found = []
    for name in sorted({*calls, *paused}):
        if sites is None or name in sites:
            until, reason = paused.get(name, (None, None))
            found.append(Site(name, calls.get(name, 0), until, reason))
    return found
