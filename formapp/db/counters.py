"""Counts that all processes share: of limits, quotas and solutions that are valid once.

A count is stored under a keyed hash, never under an address, until its end; the next use starts it
again.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, select

from formapp.db.database import Database, is_over, upsert
from formapp.db.tables import counts

EVERY = timedelta(hours=1)
"""How often a worker deletes ended counts."""

SKEW = timedelta(minutes=5)
"""How far apart the clocks of processes on one database may be for a count to be one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UsageLimit:
    """A limit on how often something may be used, by the keyed hash that identifies it.

    The count ends at `until`, if it begins with this use. A submission beyond the limit is
    quarantined for this `reason`; without a `name` that is not logged.
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
    over = is_over(counts.c.expires_at, now, until - now + SKEW)
    changed = {
        "count": case((over, amount), else_=counts.c.count + amount),
        "expires_at": case((over, until), else_=counts.c.expires_at),
    }
    values = {"count": amount, "expires_at": until}
    upsert(connection, counts, {"hash": hash_}, values, changes=changed)
    # The row is this transaction's until it ends.
    current = (counts.c.hash == hash_) & (counts.c.expires_at > now)
    return connection.scalar(select(counts.c.count).where(current)) or 0


def sweep(database: Database, now: datetime) -> None:
    with database.write() as connection:
        swept = connection.execute(delete(counts).where(counts.c.expires_at <= now)).rowcount
    if swept:
        _log.debug("%d counts had ended", swept)
