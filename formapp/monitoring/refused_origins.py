"""Origins that forms refused: logged once an hour, and counted by form and day for the doctor.

They show an owner which of their sites isn't on a form's list. Nothing of a visitor is kept, and
both the log and the rows are bounded: anyone can make up origins.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import delete, func, select, update

from formapp.db.database import Database, DatabaseUnavailableError, upsert
from formapp.db.tables import refused_origins
from formapp.waiting import in_thread

ABSENT = "none"
"""In place of an origin: the request had none, as programs' have."""

HIDDEN = "null"
"""In place of an origin: the browser named none, or none of http(s)."""

OTHERS = "others"
"""In place of all origins beyond `MAX_ORIGINS`."""

MAX_ORIGINS = 20
"""How many origins are counted of a form on a day."""

KEEP = timedelta(days=14)
LOG_EVERY = 3600
"""Seconds after which a pair is logged again."""

MAX_LOGGED = 200
"""How many pairs of form and origin are logged in an hour."""

_SHOWN = {
    ABSENT: "requests without an origin",
    HIDDEN: "pages that hide their origin",
    OTHERS: "further origins",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """How often a form refused an origin, in some days."""

    form: str
    origin: str
    count: int

    @property
    def is_unknown(self) -> bool:
        """Whether the request named no origin."""
        return self.origin in {ABSENT, HIDDEN}

    @property
    def shown(self) -> str:
        return _SHOWN.get(self.origin, self.origin)

    @property
    def advice(self) -> str:
        """What an owner does if that is a site or a program of theirs."""
        if self.origin == ABSENT:
            return 'programs send "Authorization: Bearer" with a token of FORMAPP_API_TOKEN'
        if self.origin == HIDDEN:
            return (
                "such pages have Referrer-Policy: no-referrer, or are in a sandbox: embed the form "
                f'instead, or take their posts by unknown_origin = "quarantine" in {self.form}.toml'
            )
        if self.origin == OTHERS:
            return "formapp's log has more of them"
        return f'if that is your site, add "{self.origin}" to origins in {self.form}.toml'


class Counts(Protocol):
    """Counts in memory, as those of limits are."""

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Return the new count, which ends `expiry` seconds after it began."""


class RefusedOrigins:
    """Logs and counts; threads may share it. `logged` remembers what was logged."""

    def __init__(
        self,
        database: Database,
        logged: Counts,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._logged = logged
        self._clock = clock

    def note(self, form: str, origin: str) -> None:
        """Log and count one; `origin` is normalised, or one of the words above."""
        if self._is_news(form, origin):
            refused = Refused(form, origin, 1)
            _log.warning("the form %s refused %s: %s", form, refused.shown, refused.advice)
        try:
            in_thread(partial(_count, self._database, form, origin, self._clock().date()))
        except DatabaseUnavailableError as error:
            _log.debug("a refused origin was not counted (%s)", type(error).__name__)

    def _is_news(self, form: str, origin: str) -> bool:
        count = self._logged.incr
        if count("refused", LOG_EVERY, 0) >= MAX_LOGGED:
            return False
        is_first = count(f"refused/{form}/{origin}", LOG_EVERY) == 1
        return is_first and count("refused", LOG_EVERY) <= MAX_LOGGED


def _count(database: Database, form: str, origin: str, day: date) -> None:
    """Count one in its row, or in the row of all others once there are many."""
    table = refused_origins
    this_day = (table.c.form == form) & (table.c.day == day)
    with database.write() as connection:
        one_more = {"count": table.c.count + 1}
        mine = update(table).where(this_day, table.c.origin == origin).values(one_more)
        if connection.execute(mine).rowcount:
            return
        connection.execute(delete(table).where(table.c.form == form, table.c.day <= day - KEEP))
        held = connection.scalar(select(func.count()).select_from(table).where(this_day)) or 0
        key = {"form": form, "day": day, "origin": origin if held < MAX_ORIGINS else OTHERS}
        upsert(connection, table, key, {"count": 1}, changes=one_more)


def find_refused(database: Database, since: date) -> list[Refused]:
    """Return what was refused on that day and later, the most frequent first."""
    table = refused_origins
    total = func.sum(table.c.count)
    query = (
        select(table.c.form, table.c.origin, total)
        .where(table.c.day >= since)
        .group_by(table.c.form, table.c.origin)
        .order_by(total.desc(), table.c.form, table.c.origin)
    )
    with database.read() as connection:
        return [
            Refused(form, origin, int(count)) for form, origin, count in connection.execute(query)
        ]
