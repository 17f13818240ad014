"""Being woken by other processes: PostgreSQL's LISTEN, on a connection of a worker's own.

Loads psycopg, which nobody needs on SQLite.
"""

import logging
import threading
from collections.abc import Callable

import psycopg
from sqlalchemy.engine import URL

from formapp.db.notify import CHANNEL

RETRY_SECONDS = 5.0
_LOOK_UP_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Listener:
    """Calls `wake` at every notification, in a thread of its own, until it is closed.

    Args:
        url: of a PostgreSQL database.
        wake: called from that thread; also after each new connection, since notifications may have
            been missed before it.
    """

    def __init__(self, url: URL, wake: Callable[[], None]) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._wake = wake
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                _log.warning("not woken by the database for now: %s", type(error).__name__)
                self._closing.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._address, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._wake()
            while not self._closing.is_set():
                for _ in connection.notifies(timeout=_LOOK_UP_SECONDS):
                    self._wake()
