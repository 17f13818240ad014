"""Waking workers of other processes: PostgreSQL's NOTIFY and LISTEN.

The code that stores work notifies in the same transaction, so the commit sends the wake-up.
Workers poll as well: a lost wake-up costs a second, never a lead.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, text

from formapp.db.database import Database

CHANNEL = "formapp_due"
RETRY_SECONDS = 5.0
_POLL_SECONDS = 1.0
_NOTIFY = text(f"NOTIFY {CHANNEL}")

_log = logging.getLogger(__name__)


def notify(connection: Connection) -> None:
    """Wake all listeners when the transaction at hand is committed; SQLite has none."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY)


class Listener:
    """Calls `wake` at every notification of PostgreSQL, from a thread of its own, until closed.

    Also after each new connection: notifications may have been missed before it.
    """

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._engine: Engine = database.engine
        self._wake = wake
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        driver: Any = self._engine.dialect.dbapi
        while not self._closing.is_set():
            try:
                self._listen()
            except driver.Error as error:
                _log.warning("not woken by the database for now: %s", type(error).__name__)
                self._closing.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        # Out of the pool: LISTEN lasts as long as the connection.
        pooled.detach()
        try:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self._wake()
            while not self._closing.is_set():
                for _ in connection.notifies(timeout=_POLL_SECONDS):
                    self._wake()
        finally:
            connection.close()
