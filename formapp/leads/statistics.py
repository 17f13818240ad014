"""Numbers about leads for the overview: per day, how they ended, how quickly, what waits.

Days are in UTC. What a worker has counted is read as one row, and only the leads since are counted
here (`formapp.leads.totals`), so that a page takes no longer where there are a million.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from formapp.db.database import Database
from formapp.db.inbox_tables import form_visits
from formapp.db.state_counts import count_states
from formapp.db.tables import pauses, refused_origins, wix_calls
from formapp.leads.totals import (
    DAYS,
    Count,
    Sample,
    count_since,
    count_totals,
    first_day,
    read_totals,
)

MINUTE = timedelta(minutes=1)
SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Site:
    """A site's deliveries at this moment.

    Attributes:
        calls: to Wix, in the last minute.
        limit: how many Wix allows in a minute.
        paused_until: None where it isn't paused.
    """

    name: str
    calls: int
    limit: int
    paused_until: datetime | None = None
    reason: str | None = None

    @property
    def room(self) -> int:
        return 0 if self.paused_until else max(self.limit - self.calls, 0)


@dataclass(slots=True)
class Conversion:
    """How often a form was shown on our pages, begun there and sent from there."""

    shown: int = 0
    started: int = 0
    sent: int = 0

    @property
    def share(self) -> float | None:
        """How many of those who saw it have sent it; None while it wasn't shown."""
        return min(self.sent / self.shown, 1) if self.shown else None


@dataclass(slots=True)
class Overview:
    """The numbers.

    Attributes:
        days: leads by form; catches of the honeypot are no leads.
        outcomes: by outcome, or by state while they have none; catches as `spam`.
        median, p95: time from receipt to contact; None without a delivery.
        calls_per_lead: to Wix; None without a delivery.
        refused: how many posts of each form were refused for their origin in the days.
        conversions: by form.
        failed, quarantined: all that are now, however old; of quarantine, those not erased.
        counted_at: when a worker counted the leads; those since are counted as well.
    """

    days: dict[date, Counter[str]]
    outcomes: Counter[str] = field(default_factory=Counter)
    median: timedelta | None = None
    p95: timedelta | None = None
    calls_per_lead: float | None = None
    refused: Counter[str] = field(default_factory=Counter)
    conversions: dict[str, Conversion] = field(default_factory=dict)
    failed: int = 0
    quarantined: int = 0
    sites: list[Site] = field(default_factory=list)
    counted_at: datetime | None = None

    @property
    def total(self) -> int:
        return sum(counts.total() for counts in self.days.values())


def overview(
    database: Database,
    sites: Sequence[str] | None,
    now: datetime,
    limits: Mapping[str, int] | None = None,
) -> Overview:
    """Return the numbers of these sites (None: all) for the last days, today included.

    `limits` are the calls that each Wix site allows in a minute.
    """
    first = first_day(now)
    day = first.date()
    found = Overview({day + timedelta(days=each): Counter() for each in range(DAYS)})
    totals = read_totals(database) or count_totals(database, now)
    found.counted_at = totals.until
    since = max(totals.until, first)
    _add(found, (each for each in totals.counts if each.day >= day), sites)
    _add(found, count_since(database, since, now), sites)
    _measure(found, [each for name, each in totals.samples.items() if _is_mine(name, sites)])
    with database.read() as connection:
        found.refused = _refused(connection, day)
        found.sites = _sites(connection, sites, now, limits or {})
        _add_visits(connection, found.conversions, day)
        found.failed = count_states(connection, ("failed",), sites=sites)
        found.quarantined = count_states(connection, ("quarantined",), sites=sites)
    return found


def _add(found: Overview, counts: Iterable[Count], sites: Sequence[str] | None) -> None:
    conversions = defaultdict(Conversion, found.conversions)
    if sites is not None:
        counts = [each for each in counts if each.site in sites]
    for each in counts:
        found.outcomes[each.result] += each.number
        if each.result != SPAM:
            day = found.days.get(each.day)
            if day is None:  # of a clock that is ahead
                day = found.days[each.day] = Counter()
            day[each.form] += each.number
            if each.own:
                conversions[each.form].sent += each.number
    found.conversions = dict(conversions)


def _is_mine(site: str, sites: Sequence[str] | None) -> bool:
    return sites is None or site in sites


def _measure(found: Overview, samples: Sequence[Sample]) -> None:
    times = sorted(seconds for each in samples for seconds in each.seconds)
    if times:
        found.median = timedelta(seconds=times[len(times) // 2])
        found.p95 = timedelta(seconds=times[int(len(times) * 0.95)])
    if leads := sum(each.leads for each in samples):
        found.calls_per_lead = sum(each.calls for each in samples) / leads


def _refused(connection: Connection, first: date) -> Counter[str]:
    table = refused_origins.c
    query = select(table.form, func.sum(table.count)).where(table.day >= first)
    rows = connection.execute(query.group_by(table.form))
    return Counter({form: int(count) for form, count in rows})


def _add_visits(connection: Connection, conversions: dict[str, Conversion], first: date) -> None:
    table = form_visits.c
    sums = (func.sum(table.shown), func.sum(table.started))
    query = select(table.form, *sums).where(table.day >= first).group_by(table.form)
    for form, shown, started in connection.execute(query):
        one = conversions.setdefault(form, Conversion())
        one.shown, one.started = int(shown), int(started)


def _sites(
    connection: Connection, sites: Sequence[str] | None, now: datetime, limits: Mapping[str, int]
) -> list[Site]:
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
    return [
        Site(name, calls.get(name, 0), limits.get(name, 0), *paused.get(name, (None, None)))
        for name in sorted({*limits, *calls, *paused})
        if _is_mine(name, sites)
    ]
