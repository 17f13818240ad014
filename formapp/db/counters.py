"""Counts that all processes share: of limits, quotas and solutions that are valid once.

A count is stored under a keyed hash, never under an address, until its end; the next use starts it
again.

A clock that was ahead may have stored ends far in the future. A count that ends later than one that
begins now is over, too.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, select

from formapp.db.database import Database, upsert
from formapp.db.tables import counts

EVERY = timedelta(hours=1)
"""How often a worker deletes ended counts."""

SKEW = timedelta(minutes=5)
"""How far apart the clocks of processes on one database may be for a count to be one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UsageLimit:
    """A limit on how often something may be used.

    Attributes:
        hash: identifies it: 64 hex digits, keyed.
        amount: how often it may be used.
        until: when the count ends, if it begins with this use.
        reason: why a submission beyond the limit is quarantined.
        name: its name in the log; None: it is not logged.
    """

    hash: str
    amount: int
    until: datetime
    reason: str
    name: str | None = None


def count_up(
    connection: Connection, hash_: str, until: datetime, now: datetime, amount: int = 1
) -> int:
    """Count in the caller's transaction; returns the count with this.

    Two that count at once wait for each other, so that neither misses the other.
    """
    over = (counts.c.expires_at <= now) | (counts.c.expires_at > until + SKEW)
    changed = {
        "count": case((over, amount), else_=counts.c.count + amount),
        "expires_at": case((over, until), else_=counts.c.expires_at),
    }
    values = {"count": amount, "expires_at": until}
    upsert(connection, counts, {"hash": hash_}, values, changes=changed)
    # The row is this transaction's until it ends.
    return read_count(connection, hash_, now)[0]


def read_count(connection: Connection, hash_: str, now: datetime) -> tuple[int, datetime]:
    """Return the count and when it ends; 0 and the time where there is none."""
    row = connection.execute(
        select(counts.c.count.label("taken"), counts.c.expires_at).where(
            counts.c.hash == hash_, counts.c.expires_at > now
        )
    ).first()
    return (row.taken, row.expires_at) if row else (0, now)


def forget_count(connection: Connection, hash_: str) -> None:
    """Let the count begin again."""
    connection.execute(delete(counts).where(counts.c.hash == hash_))


def sweep(database: Database, now: datetime) -> int:
    """Delete ended counts; returns how many.

    Raises:
        DatabaseUnavailableError: nothing was deleted.
    """
    with database.write() as connection:
        return connection.execute(delete(counts).where(counts.c.expires_at <= now)).rowcount


class Sweep:
    """A worker's periodic task: deletes ended counts every hour."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._next = clock()

    def run(self) -> None:
        """Sweep if it is time to.

        Raises:
            DatabaseUnavailableError: it is tried again in an hour.
        """
        now = self._clock()
        # A clock that was put back must not stop it for longer than planned.
        if self._next - EVERY <= now < self._next:
            return
        self._next = now + EVERY
        if swept := sweep(self._database, now):
            _log.debug("%d counts had ended", swept)
