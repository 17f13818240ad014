"""The watch: tells the owner what is wrong, once for each incident, and once when it is over."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from formapp.db.database import Database
from formapp.monitoring.alerts import Alert, Tell
from formapp.monitoring.incidents import (
    Incident,
    close_incident,
    find_incidents,
    open_incident,
    open_incidents,
)

EVERY = timedelta(seconds=10)
"""How often a worker looks."""

STRIKES = 3
"""A single pause is Wix's everyday rate limit; several in a row are trouble."""

_log = logging.getLogger(__name__)


class Monitor:
    """Compares what is wrong with what was told, and tells the difference.

    Args:
        database: the ledger.
        tell: the channels besides the log; what they raise is logged and dropped.
        clock: the time.
        backlog: how long a due delivery may wait.
    """

    def __init__(
        self,
        database: Database,
        tell: Sequence[Tell],
        *,
        clock: Callable[[], datetime],
        backlog: timedelta,
    ) -> None:
        self._database = database
        self._tell = tell
        self._clock = clock
        self._backlog = backlog
        self._next = clock()

    def look_if_due(self) -> None:
        """Look, unless that was done a moment ago.

        Raises:
            DatabaseUnavailableError: the ledger can't be read or written.
        """
        # A clock that was put back must not silence the watch.
        if self._next - EVERY <= self._clock() < self._next:
            return
        self._next = self._clock() + EVERY
        self.look()

    def look(self) -> None:
        """Compare and tell.

        Raises:
            DatabaseUnavailableError: the ledger can't be read or written.
        """
        now = self._clock()
        present = find_incidents(self._database, now, backlog=self._backlog, strikes=STRIKES)
        told = open_incidents(self._database)
        for trouble in present:
            if (trouble.kind, trouble.site) not in told:
                self._begin(trouble, now)
        for kind, site in told - {(trouble.kind, trouble.site) for trouble in present}:
            if close_incident(self._database, kind, site):
                self._send(Alert(kind, site, "over", "all is well again", now))

    def _begin(self, trouble: Incident, now: datetime) -> None:
        if open_incident(self._database, trouble.kind, trouble.site, now):
            self._send(Alert(trouble.kind, trouble.site, "open", trouble.detail, now))

    def _send(self, alert: Alert) -> None:
        level = logging.ERROR if alert.state == "open" else logging.WARNING
        _log.log(level, "%s", alert.text)
        for tell in self._tell:
            try:
                tell(alert)
            except Exception as error:  # noqa: BLE001 - a channel that fails must not stop leads
                _log.error("an alert could not be sent: %s", type(error).__name__)
