"""The monitor: alerts the owner when an incident begins and when it ends."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from formapp.db.database import Database
from formapp.monitoring.alerts import Alert, Channel
from formapp.monitoring.incidents import (
    close_incident,
    find_incidents,
    open_incident,
    open_incidents,
)

EVERY = timedelta(seconds=10)
"""How often a worker checks."""

_log = logging.getLogger(__name__)


class Monitor:
    """Compares the incidents of this moment with those that the owner knows of.

    Args:
        database: holds leads, jobs and known incidents.
        channels: where alerts go besides the log; their errors are logged.
        clock: the time, aware.
        backlog: how long a delivery or a job may wait.
    """

    def __init__(
        self,
        database: Database,
        channels: Sequence[Channel],
        *,
        clock: Callable[[], datetime],
        backlog: timedelta,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._backlog = backlog
        self._next = clock()

    def check_if_due(self) -> None:
        """Check, unless the last check was a moment ago."""
        # A clock that is set back must not silence the monitor.
        if self._next - EVERY <= self._clock() < self._next:
            return
        self._next = self._clock() + EVERY
        self.check()

    def check(self) -> None:
        """Send an alert for each incident that has begun or ended."""
        now = self._clock()
        present = find_incidents(self._database, now, backlog=self._backlog)
        known = open_incidents(self._database)
        for each in present:
            key = each.kind, each.site
            if key not in known and open_incident(self._database, *key, now):
                self._send(Alert(*key, "open", each.detail, now))
        for kind, site in known - {(each.kind, each.site) for each in present}:
            if close_incident(self._database, kind, site):
                self._send(Alert(kind, site, "over", "all is well again", now))

    def _send(self, alert: Alert) -> None:
        level = logging.ERROR if alert.state == "open" else logging.WARNING
        _log.log(level, "site %s: %s: %s", alert.site, alert.kind, alert.detail)
        for send in self._channels:
            try:
                send(alert)
            except Exception as error:  # noqa: BLE001 - a failing channel must not stop deliveries
                _log.error("an alert could not be sent: %s", type(error).__name__)
