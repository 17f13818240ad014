"""A Wix site as deliveries see it: its credentials, its rate budget and its pause.

The `site` of a form file names it. Each worker thread delivers to one site, so that a slow one
holds up no other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from formapp.db.database import (
    Database,
    UtcDateTime,
    is_outside,
    is_over,
    lock_for_transaction,
    upsert,
)
from formapp.db.tables import pauses, wix_calls
from formapp.delivery.claims import is_paused
from formapp.http import DeadlineAdapter
from formapp.jobs.backoff import LONGEST_WAIT
from formapp.monitoring.metrics import Metrics
from formapp.wix import BASE_URL, Auth, Call, Timeouts, WixContacts

Clock = Callable[[], datetime]
"""The present time, aware, in UTC."""

CALLS_PER_LEAD = 2
"""What a lead costs once its keys are known: a search, and a write where one is needed."""

MINUTE = timedelta(seconds=60)
"""Wix's."""

SLACK = timedelta(seconds=1)
"""A call that takes no longer counts from its beginning."""

WINDOW = MINUTE + SLACK
"""Wix's minute, and a second: calls that leave in time may take longer than others to arrive."""

MAX_RESPONSE = 16 * 1024 * 1024
"""Bytes; a page of 100 contacts has a few hundred KiB."""

_TIMEOUTS = Timeouts()
_LOCK = 0x62756467  # "budg"


@dataclass(frozen=True, slots=True)
class Site:
    """One Wix site; `rate_limit` counts calls in 60 s, of all workers of all hosts together."""

    name: str
    auth: Auth
    rate_limit: int
    base_url: str = BASE_URL
    timeouts: Timeouts = _TIMEOUTS

    def connect(
        self, before_call: Callable[[str], None], on_call: Callable[[Call], None]
    ) -> WixContacts:
        """Make a client; this sends no call."""
        return WixContacts(
            self.auth,
            base_url=self.base_url,
            timeouts=self.timeouts,
            adapter=DeadlineAdapter(max_bytes=MAX_RESPONSE),
            before_call=before_call,
            on_call=on_call,
        )


class BudgetSpentError(Exception):
    """The site's rate budget has no room before `free_at`; nothing was sent."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__("the rate budget is spent")
        self.free_at = free_at


class StoppedError(Exception):
    """The worker is to end; nothing was sent."""


class RateLimitedClient:
    """The client of one site in one worker thread: every call takes from the site's budget.

    Attributes:
        started: when `begin` was last called.
        calls: the HTTP calls since then: operation, status, code, request_id, ms.
    """

    def __init__(self, site: Site, database: Database, clock: Clock, metrics: Metrics) -> None:
        self.site = site.name
        self.database = database
        self.clock = clock
        self.wix = site.connect(self._spend, self._record)
        self._budget = Budget(database, site.rate_limit)
        self._metrics = metrics
        self._closing = False
        self.started = self._taken = clock()
        self.calls: list[dict[str, Any]] = []

    def close(self) -> None:
        """Send no further call; the one in flight continues. From any thread."""
        self._closing = True

    def begin(self) -> None:
        """Begin an attempt, or raise BudgetSpentError: without room for a write, don't search."""
        self.start()
        if free_at := self.room_at(CALLS_PER_LEAD):
            raise BudgetSpentError(free_at)

    def start(self) -> None:
        self.started, self.calls = self.clock(), []

    def room_at(self, calls: int) -> datetime | None:
        """When the rate budget has room for so many calls; None: it has now."""
        return self._budget.room_at(self.site, self.clock(), calls)

    def room_within(self, time: timedelta) -> int:
        """How many calls the rate budget has room for within this time."""
        return self._budget.room(self.site, self.clock() + time)

    def _spend(self, _operation: str) -> None:
        if self._closing:
            raise StoppedError
        self._taken = self.clock()
        if self._budget.take(self.site, self._taken) is None:
            return
        # A lead that needs more calls than most must not be begun again and again for nothing:
        # each time, it waits for room for more.
        wanted = len(self.calls) + CALLS_PER_LEAD
        free_at = self._budget.room_at(self.site, self.clock(), wanted)
        raise BudgetSpentError(free_at or self.clock())

    def _record(self, call: Call) -> None:
        self._metrics.call(self.site, call.operation, call.status, call.seconds)
        seen = {name: getattr(call, name) for name in ("operation", "status", "code", "request_id")}
        self.calls.append({**seen, "ms": round(call.seconds * 1000)})
        self._budget.ended(self.site, self._taken, self.clock())


# Queries of a site's calls, built once: building one takes longer than its answer.


def _window(site: str, now: datetime) -> dict[str, Any]:
    """The parameters of the queries: which calls count, by any host's clock."""
    return {"site": site, "before": now - WINDOW, "beyond": now + WINDOW}


_MINE = wix_calls.c.site == bindparam("site")
_RECENT = ~is_outside(
    wix_calls.c.at,
    bindparam("before", type_=UtcDateTime),
    bindparam("beyond", type_=UtcDateTime),
)
_COUNT = select(func.count()).where(_MINE, _RECENT)
_TIME_OF_CALL = (
    select(wix_calls.c.at)
    .where(_MINE, _RECENT)
    .order_by(wix_calls.c.at)
    .offset(bindparam("number", type_=Integer))
    .limit(1)
)
_DELETE_EARLIER = delete(wix_calls).where(_MINE, ~_RECENT)


class Budget:
    """At most `limit` calls to a site in any 60 seconds, as Wix sees them.

    Wix allows 200 requests in a minute for each instance and doesn't say whether the window slides
    (CONTRACT.md section 4); this one does, which keeps within either kind. All workers of all hosts
    share it through the database.
    """

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self.limit = limit

    def take(self, site: str, now: datetime) -> datetime | None:
        """Count one call; returns None if it may be sent, else when there is room again."""
        with self._database.write() as connection:
            lock_for_transaction(connection, _LOCK, site)
            connection.execute(_DELETE_EARLIER, _window(site, now))
            free_at = self._free_at(connection, site, now, 1)
            if free_at is None:
                connection.execute(insert(wix_calls), {"site": site, "at": now})
            return free_at

    def ended(self, site: str, taken: datetime, now: datetime) -> None:
        """Count a slow call from its end: between being counted and reaching Wix, it waited.

        `taken` is the `now` of its `take`. Wix saw it before its end, so its room is free a minute
        after that.
        """
        if now - taken <= SLACK:
            return
        counted = (wix_calls.c.site == site) & (wix_calls.c.at == taken)
        one = select(func.min(wix_calls.c.id)).where(counted).scalar_subquery()
        with self._database.write() as connection:
            connection.execute(
                update(wix_calls).where(wix_calls.c.id == one).values(at=now - SLACK)
            )

    def room(self, site: str, at: datetime) -> int:
        """How many calls there is room for at this time, if none is sent until then."""
        with self._database.look_up() as connection:
            return max(0, self.limit - _used(connection, site, at))

    def room_at(self, site: str, now: datetime, calls: int) -> datetime | None:
        """When there is room for this many calls, or for `limit`; None: there is now."""
        with self._database.look_up() as connection:
            return self._free_at(connection, site, now, min(calls, self.limit))

    def _free_at(
        self, connection: Connection, site: str, now: datetime, calls: int
    ) -> datetime | None:
        used = _used(connection, site, now)
        if used + calls <= self.limit:
            return None
        number = {"number": used + calls - self.limit - 1}
        taken: datetime = connection.execute(
            _TIME_OF_CALL, _window(site, now) | number
        ).scalar_one()
        return taken + WINDOW


def _used(connection: Connection, site: str, now: datetime) -> int:
    used: int = connection.execute(_COUNT, _window(site, now)).scalar_one()
    return used


class Pauses:
    """The circuit breaker: while Wix refuses all calls, a site's deliveries are not claimed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def failures(self, site: str) -> int:
        """How many pauses in a row ended without a success."""
        with self._database.look_up() as connection:
            query = select(pauses.c.failures).where(pauses.c.site == site)
            return connection.execute(query).scalar() or 0

    def pause(self, site: str, until: datetime, reason: str, *, failure: bool = True) -> None:
        """Pause the site until then; a longer pause stays."""
        values = {"paused_until": until, "reason": reason}
        held = pauses.c.paused_until
        shorter = or_(held.is_(None), is_over(held, until, LONGEST_WAIT))
        changes = {
            name: case((shorter, literal(value, pauses.c[name].type)), else_=pauses.c[name])
            for name, value in values.items()
        }
        with self._database.write() as connection:
            upsert(
                connection,
                pauses,
                {"site": site},
                {**values, "failures": int(failure)},
                changes={**changes, "failures": pauses.c.failures + int(failure)},
            )

    def succeeded(self, site: str, now: datetime) -> bool:
        """Forget the site's failures; returns whether there were any.

        Not during a pause: a call that succeeds then was under way before.
        """
        over = or_(pauses.c.paused_until.is_(None), pauses.c.paused_until <= now)
        failed = (pauses.c.site == site) & (pauses.c.failures > 0) & over
        with self._database.look_up() as connection:
            if connection.execute(select(pauses.c.site).where(failed)).first() is None:
                return False
        forgotten = {"paused_until": None, "reason": None, "failures": 0}
        with self._database.write() as connection:
            connection.execute(update(pauses).where(failed).values(forgotten))
        return True

    def paused(self, now: datetime) -> dict[str, tuple[datetime, str]]:
        """The paused sites, until when and why."""
        with self._database.look_up() as connection:
            rows = connection.execute(select(pauses).where(is_paused(now))).all()
        return {row.site: (row.paused_until, row.reason) for row in rows}
