"""The database: one engine, `read` and `write` transactions, one kind of failure.

SQLite is opened for durability (WAL, `synchronous=FULL`, foreign keys); PostgreSQL through psycopg
with a small pool. Either waits for another connection's lock for some seconds and then refuses:
an error is better than a request that hangs. SQLAlchemy's messages never show
parameters, since they are a visitor's answers.

Everything that uses a `Database` may raise `DatabaseUnavailableError`; nothing was written then.
"""

import fcntl
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Integer,
    Select,
    String,
    Table,
    TypeDecorator,
    bindparam,
    create_engine,
    event,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from formapp.db import postgresql
from formapp.db.postgresql import Statements

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

BUSY_SECONDS = 5.0
PRIVATE = 0o600
TURN_FILES = ("-next", "-turn")
"""Ends of the names of the files beside SQLite's that processes lock in turn; they stay empty."""

_PAUSES = (0.0005, 0.0001)
"""Seconds between two attempts to lock each of them. One process at a time waits for the turn
itself, so it may try often; until it succeeds, all of them wait."""

_READ_ONLY = "formapp_read_only"


Execute = Callable[[str, tuple[Any, ...]], object]
"""Executes a statement with its parameters, as the driver has both."""


class DatabaseUnavailableError(Exception):
    """The database can't be reached or written, or is locked; nothing was written."""


class DatabaseMissingError(DatabaseUnavailableError):
    """There is no such file."""


class ContentRefusedError(DatabaseUnavailableError):
    """The database refuses this content; another transaction may succeed."""


class Database:
    """One database for one process; threads may share it."""

    def __init__(
        self, url: str, *, busy_seconds: float = BUSY_SECONDS, must_exist: bool = False
    ) -> None:
        """`must_exist`: a missing file of SQLite isn't made, but unavailable."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": busy_seconds}}
        if not self.is_sqlite:
            options = {
                "connect_args": {"connect_timeout": 5},
                # After an advisory lock, a statement must see the earlier owner's commits.
                "isolation_level": "READ COMMITTED",
                "pool_timeout": 5,
                # A connection that was used a moment ago needs no test (`postgresql.IDLE_SECONDS`).
                "pool_use_lifo": True,
            }
        self._turn = _Turn(Path(self.place), busy_seconds) if self.is_sqlite else nullcontext()
        self.engine = create_engine(self.url, hide_parameters=True, **options)
        self._users: list[Callable[[], None]] = []
        self._statements = Statements(self.engine)
        self._writers: list[PoolProxiedConnection] = []
        """SQLite's connection for `write_by_driver`, while no thread uses it."""
        if must_exist and self.is_sqlite:
            event.listen(self.engine, "do_connect", self._refuse_missing)
        if self.is_sqlite:
            event.listen(self.engine, "do_connect", _create_private)
            event.listen(self.engine, "connect", _open_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            postgresql.prepare(self.engine, busy_seconds)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block; may raise IntegrityError.

        SQLite takes its write lock at once, so that waiting happens here and never half-way.
        """
        with self._turn, self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write_by_driver(self) -> Iterator[Execute]:
        """A transaction whose statements go to the driver as they are; may raise IntegrityError.

        SQLAlchemy takes as long for a statement as SQLite does for ten rows. On PostgreSQL the
        transaction is exactly one statement, in one round trip, for which a request that shares its
        thread may wait.
        """
        transaction = self._sqlite_transaction() if self.is_sqlite else self._statements.statement()
        with self._turn, self._translated(), transaction as execute:
            yield execute

    @contextmanager
    def _sqlite_transaction(self) -> Iterator[Execute]:
        pool = self.engine.pool
        try:
            writer = self._writers.pop()
        except IndexError:
            writer = self.engine.raw_connection()
        try:
            cursor = writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor.execute
            cursor.execute("COMMIT")
        except BaseException:
            writer.close()  # which rolls back
            raise
        if self.engine.pool is pool:
            self._writers.append(writer)
        else:
            writer.invalidate()  # the database was closed meanwhile

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; on SQLite nothing can be written through it."""
        with self._translated(), self.engine.connect() as connection:
            yield connection.execution_options(**{_READ_ONLY: True})

    @contextmanager
    def look_up(self) -> Iterator[Connection]:
        """For statements that read and need no common view.

        On PostgreSQL without BEGIN and ROLLBACK, each of which would be one more round trip.
        """
        if self.is_sqlite:
            with self.read() as connection:
                yield connection
            return
        with self._translated(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate what SQLAlchemy raises, or the driver itself in `write_by_driver`."""
        driver = self.engine.dialect.loaded_dbapi
        try:
            yield
        except IntegrityError:
            raise
        except driver.IntegrityError as error:
            raise IntegrityError(None, None, error) from error
        except (DBAPIError, driver.Error) as error:
            is_content = isinstance(error, (DataError, driver.DataError))
            kind = ContentRefusedError if is_content else DatabaseUnavailableError
            is_other = isinstance(error, (ProgrammingError, driver.ProgrammingError))
            what = "has another schema" if is_other else "refused"
            raise kind(f"{what} ({_first_line(error)})") from error
        except PoolTimeout as error:
            raise DatabaseUnavailableError("has no free connection") from error

    @property
    def place(self) -> str:
        """Where it is, without any password: the path of a file, or the server's address."""
        if self.is_sqlite:
            return str(Path(self.url.database or "").absolute())
        # The query may hold a password as well.
        return self.url.set(query={}).render_as_string()

    def _refuse_missing(self, *_: object) -> None:
        if not Path(self.place).is_file():
            raise DatabaseMissingError(f"isn't there: {self.place}")

    def before_close(self, end: Callable[[], None]) -> None:
        """Call `end` before each close: it ends a thread that uses a connection."""
        self._users.append(end)

    def close(self) -> None:
        """Close all pooled connections; the next use opens others, as after a fork."""
        for end in self._users:
            end()
        with suppress(IndexError):
            self._writers.pop().invalidate()
        self._statements.close()
        if isinstance(self._turn, _Turn):
            self._turn.close()


class _Turn:
    """Lets one thread of one process at a time write a file of SQLite, in a fair order.

    SQLite polls for its lock: under load a thread or a process would sleep for a second, and never
    get it while others do. Threads wait for a lock of threads, which wakes them at once, and their
    processes for `flock`, which ends with a process however that ends. The process that waits for
    the turn holds `-next`, so the one that has just had it can't take it again before. One process
    alone finds both free. A database that isn't there yet has no such files.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        # Who has the turn may close the database, hence the R.
        self._threads = threading.RLock()
        self._files: list[int] = []

    def __enter__(self) -> None:
        until = time.monotonic() + self._patience
        if not self._threads.acquire(timeout=self._patience):
            raise DatabaseUnavailableError("refused (database is locked)")
        try:
            if not self._files and self._path.exists():
                self._open()
            for file, pause in zip(self._files, _PAUSES, strict=False):
                while True:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        _wait(until, pause)
            for file in self._files[:1]:
                fcntl.flock(file, fcntl.LOCK_UN)
        except BaseException as error:
            self._release()
            if isinstance(error, OSError):
                raise DatabaseUnavailableError(f"can't be locked ({error.strerror})") from error
            raise

    def __exit__(self, *_: object) -> None:
        for file in self._files[1:]:
            fcntl.flock(file, fcntl.LOCK_UN)
        self._threads.release()

    def _open(self) -> None:
        owner = self._path.stat()
        for end in TURN_FILES:
            file = os.open(f"{self._path}{end}", os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            self._files.append(file)
            with suppress(OSError):  # it is another user's
                os.fchmod(file, PRIVATE)  # whatever the umask says
                # Made by root, it must let in the user of the database, as SQLite's own files do.
                os.fchown(file, owner.st_uid, owner.st_gid)

    def _release(self) -> None:
        self._close_files()
        self._threads.release()

    def close(self) -> None:
        """Close the files, which ends this process's locks on them.

        Once no thread has the turn: it would unlock by the number of a file, which may be another's
        by then. After a fork a thread may seem to have it that isn't there.
        """
        is_mine = self._threads.acquire(timeout=self._patience)
        self._close_files()
        if is_mine:
            self._threads.release()

    def _close_files(self) -> None:
        files, self._files = self._files, []
        for file in files:
            os.close(file)


def _wait(until: float, pause: float) -> None:
    """Wait for a moment; raises DatabaseUnavailableError if the time is over.

    `flock` can wait by itself, but without an end if the process that has the lock is stopped.
    """
    if time.monotonic() >= until:
        raise DatabaseUnavailableError("refused (database is locked)")
    time.sleep(pause)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; naive ones are refused. SQLite stores sortable text, no offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite's driver takes times only without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Restore the offset."""
        if value is None or dialect.name == "sqlite":
            return value and value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


def is_over(column: Any, now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """Whether a stored time has passed.

    One further ahead than `longest`, which no writer exceeds, was stored by a clock that was ahead:
    it counts as passed, too.
    """
    return is_outside(column, now, now + longest)


def is_outside(column: Any, now: Any, far: Any) -> ColumnElement[bool]:
    """Do as `is_over`, in a query that is built once; `far` is `now + longest`."""
    return or_(column <= now, column > far)


def upsert(
    connection: Connection,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Insert or update one row in one statement, so that two processes at once never collide.

    `key` are the primary key's columns, `values` the others of a new row; an existing row gets
    `changes`, if given.
    """
    build = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    statement = build(table).values(**key, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_=dict(values if changes is None else changes),
        ),
    )


def lock_for_transaction(connection: Connection, key: int, name: str | None = None) -> None:
    """Let one transaction at a time pass this point; SQLite has a single writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_lock(has_name=bool(name)), {"key": key, "name": name})


@cache
def _lock(*, has_name: bool) -> Select[Any]:
    names = [func.hashtext(bindparam("name", type_=String))] if has_name else []
    return select(func.pg_advisory_xact_lock(bindparam("key", type_=Integer), *names))


def _first_line(error: Exception) -> str:
    # PostgreSQL's further lines may quote the row.
    original = error.orig if isinstance(error, DBAPIError) else error
    return (str(original).splitlines() or [type(error).__name__])[0]


def _create_private(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Create a missing file so that only this user reads it, whatever the umask says."""
    with suppress(OSError):  # it exists, or SQLite reports what is wrong with it
        Path(arguments[0]).touch(PRIVATE, exist_ok=False)


def _open_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction control begins too late (before the first write only).
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        # What was erased is overwritten in the file, too.
        "secure_delete = ON",
        # An insert of several rows journals the pages that it changes: not in a file as well.
        "temp_store = MEMORY",
        # A checkpoint writes each page once, however often commits have changed it: with 16 MiB
        # between two of them, not 4, a page of an index is written a third as often.
        "wal_autocheckpoint = 4000",
    ):
        connection.execute(f"PRAGMA {pragma}")
    _make_private(Path(connection.execute("PRAGMA database_list").fetchone()[2]))


def _make_private(file: Path) -> None:
    """Let only this user read the file, its -wal and -shm.

    Only once SQLite has read it as a database: a mistyped setting may name any file of the system.
    It isn't opened here, since closing it would end SQLite's locks on it ("How To Corrupt An SQLite
    Database File", 2.2).
    """
    for path in (file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))):
        with suppress(OSError):  # there is none, or it is another user's
            if stat.S_IMODE(path.stat().st_mode) != PRIVATE:
                path.chmod(PRIVATE)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN" if options.get(_READ_ONLY) else "BEGIN IMMEDIATE")
