"""Waking workers of other processes: PostgreSQL's NOTIFY and LISTEN.

The code that stores work notifies in the same transaction, so the commit sends the wake-up; where
many commit, a `Notifier` does so after them. Workers poll as well: a lost wake-up costs a second,
never a lead.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, text

from formapp.db.database import Database, DatabaseUnavailableError

CHANNEL = "formapp_due"
RETRY_SECONDS = 5.0
_POLL_SECONDS = 1.0
_SECONDS_BETWEEN = 0.02
_NOTIFY = text(f"NOTIFY {CHANNEL}")
_NOTIFY_SOON = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{CHANNEL}', '')"

_log = logging.getLogger(__name__)


def notify(connection: Connection) -> None:
    """Wake all listeners when the transaction at hand is committed; SQLite has none."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY)


class Notifier:
    """Wakes all listeners after commits, from a thread of its own: once for all of a few ms.

    PostgreSQL lets one transaction that notifies commit at a time, of all processes together, and
    it keeps the others out until the disk has confirmed it. This one doesn't wait for the disk.
    """

    def __init__(self, database: Database) -> None:
        """It ends with the database, and begins anew if that is used again."""
        self._database = database
        self._due = threading.Event()
        self._mutex = threading.Lock()
        self._thread: threading.Thread | None = None
        database.before_close(self._end)

    def notify(self) -> None:
        """Wake the listeners soon; returns at once."""
        self._due.set()
        if self._thread is None:
            # Not before: a process that is forked has none of its parent's threads.
            with self._mutex:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, daemon=True, name="notifier")
                    self._thread = thread
                    try:
                        thread.start()
                    except RuntimeError:
                        # No more threads: workers look by themselves; what is stored is stored.
                        self._thread = None

    def _run(self) -> None:
        while self._due.wait():
            # Cleared before the check below: else this could clear what `_end` sets after it.
            self._due.clear()
            if self._thread is not threading.current_thread():
                return
            # Without a database there is nothing to deliver either; afterwards workers look.
            with suppress(DatabaseUnavailableError), self._database.write_by_driver() as execute:
                execute(_NOTIFY_SOON, ())
            time.sleep(_SECONDS_BETWEEN)

    def _end(self) -> None:
        with self._mutex:
            thread, self._thread = self._thread, None
        if thread:
            self._due.set()
            thread.join()


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
