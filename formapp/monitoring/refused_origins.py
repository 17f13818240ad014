"""Origins that forms refused: logged once an hour, and counted by form and day for the doctor.

They show an owner which of their sites isn't on a form's list. Nothing of a visitor is kept, and
both the memory and the rows are bounded: anyone can make up origins.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, func, select, update

from formapp.db.database import Database, DatabaseUnavailableError, upsert
from formapp.db.tables import refused_origins

ABSENT = "none"
"""In place of an origin: the request had none, as programs' have."""

HIDDEN = "null"
"""In place of an origin: the browser named none, or none of http(s)."""

OTHERS = "others"
"""In place of all origins beyond `MAX_ORIGINS`."""

MAX_ORIGINS = 20
"""How many origins are counted of a form on a day."""

KEEP = timedelta(days=14)
LOG_EVERY = timedelta(hours=1)
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
        """The origin in words."""
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


class RefusedOrigins:
    """Logs and counts; threads may share it."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: dict[tuple[str, str], datetime] = {}

    def note(self, form: str, origin: str) -> None:
        """Log and count one; `origin` is normalised, or one of the words above."""
        now = self._clock()
        if self._is_news((form, origin), now):
            refused = Refused(form, origin, 1)
            _log.warning("the form %s refused %s: %s", form, refused.shown, refused.advice)
        try:
            _count(self._database, form, origin, now.date())
        except DatabaseUnavailableError as error:
            _log.debug("a refused origin was not counted (%s)", type(error).__name__)

    def _is_news(self, pair: tuple[str, str], now: datetime) -> bool:
        with self._lock:
            since = now - LOG_EVERY
            if pair not in self._logged and len(self._logged) >= MAX_LOGGED:
                self._logged = {one: at for one, at in self._logged.items() if at > since}
            if self._logged.get(pair, since) > since or len(self._logged) >= MAX_LOGGED:
                return False
            self._logged[pair] = now
            return True


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
