"""PostgreSQL's connections: how they are opened, tested, and waited for.

psycopg does its work in generators that say for which event of the socket they wait. So while a
request waits for a statement, the others of its thread continue.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection

from formapp.waiting import in_own_thread, shares_thread, wait_for_socket

IDLE_SECONDS = 0.1
"""A connection that was used within this time needs no test, which takes as long as a statement."""

_USED_AT = "formapp_used_at"


def prepare(engine: Engine, busy_seconds: float) -> None:
    """Set up the engine, and limit how long a connection waits for a lock (0 would be no limit)."""

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
    So a connection stays here once another thread has opened it. It has one user at a time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mutex = threading.Lock()
        self._idle: list[PoolProxiedConnection] = []

    @contextmanager
    def statement(self) -> Iterator[Callable[..., object]]:
        """The driver's `execute`, for exactly one statement."""
        pool = self._engine.pool
        pooled = self._checkout()
        connection: Any = pooled.driver_connection
        try:
            yield pooled.cursor().execute
        finally:
            if connection.info.transaction_status:  # not idle: the connection is lost
                pooled.invalidate()
                self.close()  # and so are the others
            else:
                self._keep(pooled, pool)

    def close(self) -> None:
        """Close these connections and the pool's; the next use opens others."""
        with self._mutex:
            self._engine.dispose()
            lost, self._idle = self._idle, []
        for each in lost:
            each.invalidate()

    def _checkout(self) -> PoolProxiedConnection:
        with self._mutex:
            pooled = self._idle.pop() if self._idle else None
        if pooled is None:
            return in_own_thread(self._open)
        try:
            if not _is_lost(self._engine, pooled.driver_connection, pooled.info):
                return pooled
        except BaseException:
            pooled.invalidate()
            raise
        pooled.invalidate()
        return in_own_thread(self._open)

    def _open(self) -> PoolProxiedConnection:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        connection.autocommit = True
        connection.prepare_threshold = 5  # executions: here they are of the same few statements
        return pooled

    def _keep(self, pooled: PoolProxiedConnection, pool: Pool) -> None:
        pooled.info[_USED_AT] = time.monotonic()
        with self._mutex:
            if is_current := self._engine.pool is pool:
                self._idle.append(pooled)
        if not is_current:
            pooled.invalidate()  # the database was closed meanwhile


def _connect(dialect: Dialect, _record: object, arguments: list[Any], options: Any) -> Any:
    driver: Any = dialect.loaded_dbapi
    return _connection_class(driver).connect(*arguments, **options)


@cache
def _connection_class(driver: Any) -> Any:
    """Return the driver's class with another way to wait; SQLite's users don't load the driver."""

    class Connection(driver.Connection):  # type: ignore[misc] # not known before
        def wait(self, gen: Generator[int, int, Any], *args: Any, **options: Any) -> Any:
            if not shares_thread():
                return super().wait(gen, *args, **options)
            try:
                events = next(gen)
                while True:
                    events = gen.send(wait_for_socket(self.pgconn.socket, events))
            except StopIteration as end:
                return end.value
            except OSError as error:
                raise driver.OperationalError(f"can't be waited for ({error.strerror})") from error

    return Connection


def _settings(busy_seconds: float) -> Callable[[Any, object], None]:
    """Return a listener that sets up a new connection."""

    def set_up(connection: Any, _record: object) -> None:
        # No statement is worth compiling: all read little, even where the planner expects much.
        connection.execute("SET jit = off")
        # Nor worth preparing: a plan for all values of a state could use no index of one state.
        connection.prepare_threshold = None
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
