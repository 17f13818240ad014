"""PostgreSQL's connections: how they are opened, tested, and waited for.

psycopg does its work in generators that say for which event of the socket they wait. So a request
that shares its thread waits for a statement as for all else, and the others go on meanwhile.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from formapp.waiting import in_thread, shares_thread, wait_for_socket

IDLE_SECONDS = 0.1
"""A connection that was used within this time needs no test, which takes as long as a statement."""

_USED_AT = "formapp_used_at"


def prepare(engine: Engine, busy_seconds: float) -> None:
    """Set up the engine; each connection waits so long for a lock (0 would be no limit)."""

    def refuse_lost(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if _is_lost(engine, connection, record.info):
            raise InvalidatePoolError

    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _settings(busy_seconds))
    event.listen(engine, "connect", _note_use)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", refuse_lost)


class Statements:
    """Executes statements by the driver alone, each a transaction of its own.

    A request that shares its thread can wait for these, but not for the pool or a new connection.
    So a connection stays here once it is open; a thread opens it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[PoolProxiedConnection] = []

    @contextmanager
    def one(self) -> Iterator[Callable[..., object]]:
        """The driver's `execute`, for exactly one statement."""
        pool = self._engine.pool
        given = self._take()
        connection: Any = given.driver_connection
        try:
            yield given.cursor().execute
        finally:
            if connection.info.transaction_status:  # not idle: the connection is lost
                given.invalidate()
                self.close()  # and so are the others
                self._engine.dispose()
            elif self._engine.pool is pool:
                given.info[_USED_AT] = time.monotonic()
                self._idle.append(given)
            else:
                given.invalidate()  # the database was closed meanwhile

    def close(self) -> None:
        """Close the connections; the next use opens others."""
        with suppress(IndexError):
            while True:
                self._idle.pop().invalidate()

    def _take(self) -> PoolProxiedConnection:
        with suppress(IndexError):
            given = self._idle.pop()
            if not _is_lost(self._engine, given.driver_connection, given.info):
                return given
            given.invalidate()
        return in_thread(self._open)

    def _open(self) -> PoolProxiedConnection:
        given = self._engine.raw_connection()
        connection: Any = given.driver_connection
        connection.autocommit = True
        return given


def _connect(dialect: Dialect, _record: object, arguments: list[Any], options: Any) -> Any:
    driver: Any = dialect.loaded_dbapi
    return _class(driver.Connection).connect(*arguments, **options)


@cache
def _class(connection_class: Any) -> Any:
    """Return the driver's class with another way to wait; SQLite's users don't load the driver."""

    class Connection(connection_class):  # type: ignore[misc] # not known before
        def wait(self, gen: Generator[int, int, Any], *args: Any, **options: Any) -> Any:
            if not shares_thread():
                return super().wait(gen, *args, **options)
            try:
                events = next(gen)
                while True:
                    events = gen.send(wait_for_socket(self.pgconn.socket, events))
            except StopIteration as end:
                return end.value

    return Connection


def _settings(busy_seconds: float) -> Callable[[Any, object], None]:
    """No statement is worth compiling: all read little, even where the planner expects much."""

    def set_up(connection: Any, _record: object) -> None:
        connection.execute("SET jit = off")
        connection.execute(f"SET lock_timeout = {max(1, round(busy_seconds * 1000))}")
        connection.commit()

    return set_up


def _is_lost(engine: Engine, connection: Any, info: dict[Any, Any]) -> bool:
    """Return whether a connection was lost while it was idle."""
    if time.monotonic() - info.get(_USED_AT, 0) < IDLE_SECONDS:
        return False
    driver: Any = engine.dialect.loaded_dbapi
    try:
        engine.dialect.do_ping(connection)
    except driver.Error:
        return True
    return False


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()
