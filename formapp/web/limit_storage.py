"""Where the counts of limits are kept: memory, the database, or Redis."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from limits.storage import RedisStorage, Storage
from sqlalchemy.exc import IntegrityError

from formapp.db.counters import count_up, forget_count, read_count, sweep
from formapp.db.database import Database, DatabaseUnavailableError

REDIS_SECONDS = 1.0
"""How long a visitor waits for Redis."""

SWEEP_SECONDS = 60.0
"""How often counts in memory that have ended are taken out."""

MEMORY = "memory"
DATABASE = "database"


class ProcessStorage(Storage):
    """Counts in this process's memory.

    In place of the library's `MemoryStorage`, which starts a thread for many a post that goes over
    all counts: the more addresses post at once, the longer each would wait.

    Args:
        clock: seconds that only grow.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._sweep_at = clock() + SWEEP_SECONDS

    @property
    def base_exceptions(self) -> type[Exception]:
        """What goes wrong with memory: nothing that is called so."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; returns the count with this. It ends `expiry` seconds after its beginning."""
        with self._lock:
            now = self._clock()
            if now >= self._sweep_at:
                self._sweep(now)
            count, until = self._counts.get(key, (0, now))
            if until <= now:
                count, until = 0, now + expiry
            self._counts[key] = count + amount, until
            return count + amount

    def get(self, key: str) -> int:
        """The count."""
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        """When the count ends, in seconds since 1970."""
        now = self._clock()
        _, until = self._counts.get(key, (0, now))
        return time.time() + max(until - now, 0)

    def check(self) -> bool:
        """Whether memory is there."""
        return True

    def reset(self) -> int | None:
        """Let all counts begin again; returns how many there were."""
        with self._lock:
            number = len(self._counts)
            self._counts.clear()
            return number

    def clear(self, key: str) -> None:
        """Let a count begin again."""
        self._counts.pop(key, None)

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + SWEEP_SECONDS
        self._counts = {key: kept for key, kept in self._counts.items() if kept[1] > now}


class DatabaseStorage(Storage):
    """Counts in the table `counts`, which all processes on this database share.

    Args:
        database: the one of the submissions.
        sign: makes a keyed hash: the table names neither addresses nor forms.
        clock: the time, aware.
    """

    STORAGE_SCHEME = None

    def __init__(
        self,
        database: Database,
        sign: Callable[[str], str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(wrap_exceptions=True)
        self._database = database
        self._sign = sign
        self._clock = clock

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What goes wrong with a database."""
        return (DatabaseUnavailableError, IntegrityError)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; returns the count with this. It ends `expiry` seconds after its beginning."""
        now = self._clock()
        until = now + timedelta(seconds=expiry)
        with self._database.write() as connection:
            return count_up(connection, self._sign(key), until, now, amount)

    def get(self, key: str) -> int:
        """The count."""
        return self._read(key)[0]

    def get_expiry(self, key: str) -> float:
        """When the count ends, in seconds since 1970."""
        return self._read(key)[1].timestamp()

    def check(self) -> bool:
        """Whether the database answers."""
        try:
            self._read("check")
        except DatabaseUnavailableError:
            return False
        return True

    def reset(self) -> int | None:
        """Take out what has ended; what still counts isn't known by its limit any more."""
        return sweep(self._database, self._clock())

    def clear(self, key: str) -> None:
        """Let a count begin again."""
        with self._database.write() as connection:
            forget_count(connection, self._sign(key))

    def _read(self, key: str) -> tuple[int, datetime]:
        with self._database.read() as connection:
            return read_count(connection, self._sign(key), self._clock())


def limit_storage(where: str, database: Database, sign: Callable[[str], str]) -> Storage:
    """Return the storage that a setting names: `memory`, `database` or the address of a Redis."""
    if where == MEMORY:
        return ProcessStorage()
    if where == DATABASE:
        return DatabaseStorage(database, sign)
    return RedisStorage(
        where,
        wrap_exceptions=True,
        key_prefix="formapp",
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
    )
