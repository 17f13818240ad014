"""The rate budget of a site, shared by all workers of all hosts through the database.

Wix allows 200 requests in a minute for each instance and doesn't say whether the window slides
(contract section 4); this one does, which keeps within either kind.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, text, update

from formapp.db.database import Database
from formapp.db.tables import wix_calls

MINUTE = timedelta(seconds=60)
"""Wix's."""

SLACK = timedelta(seconds=1)
"""How long a call may take from being counted to its answer, and count from the former."""

WINDOW = MINUTE + SLACK
"""Wix's minute, and a second: calls that leave in time may be slower on their way than others."""

_LOCK = 0x62756467  # "budg"


class Budget:
    """At most `limit` calls to a site in any 60 seconds, as Wix sees them."""

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self.limit = limit

    def take(self, site: str, now: datetime) -> datetime | None:
        """Count one call; returns None if it may be sent, else when there is room again."""
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock, hashtext(:site))"),
                    {"lock": _LOCK, "site": site},
                )
            connection.execute(delete(wix_calls).where(wix_calls.c.site == site, ~_recent(now)))
            free_at = self._free_at(connection, site, now, 1)
            if free_at is None:
                connection.execute(insert(wix_calls), {"site": site, "at": now})
            return free_at

    def ended(self, site: str, taken: datetime, now: datetime) -> None:
        """Count a call that took long from a later time: Wix may have seen it at its end only.

        Between being counted and reaching Wix a call waits for the database and the network. Wix
        sees it before its end, so its room is free a minute after that.

        Args:
            site: whose call it was.
            taken: the `now` of its `take`.
            now: when it ended, with an answer or without.
        """
        if now - taken <= SLACK:
            return
        counted = (wix_calls.c.site == site) & (wix_calls.c.at == taken)
        one = select(func.min(wix_calls.c.id)).where(counted).scalar_subquery()
        with self._database.write() as connection:
            connection.execute(
                update(wix_calls).where(wix_calls.c.id == one).values(at=now - SLACK)
            )

    def room_at(self, site: str, now: datetime, calls: int) -> datetime | None:
        """When there is room for this many calls; None if there is now. Takes nothing.

        More than the limit is never asked for: that room would never come.
        """
        with self._database.read() as connection:
            return self._free_at(connection, site, now, min(calls, self.limit))

    def _free_at(
        self,
        connection: Connection,
        site: str,
        now: datetime,
        calls: int,
    ) -> datetime | None:
        recent = (wix_calls.c.site == site) & _recent(now)
        used = connection.execute(select(func.count()).where(recent)).scalar_one()
        if used + calls <= self.limit:
            return None
        oldest = (
            select(wix_calls.c.at)
            .where(recent)
            .order_by(wix_calls.c.at)
            .offset(used + calls - self.limit - 1)
            .limit(1)
        )
        taken: datetime = connection.execute(oldest).scalar_one()
        return taken + WINDOW


def _recent(now: datetime) -> ColumnElement[bool]:
    """In the window. What lies further ahead than hosts' clocks differ is of a wrong clock."""
    return and_(wix_calls.c.at > now - WINDOW, wix_calls.c.at <= now + WINDOW)
