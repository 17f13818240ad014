"""Where the counts of limits are kept: memory, the database, or Redis."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from limits.storage import MemoryStorage, RedisStorage, Storage
from sqlalchemy.exc import IntegrityError

from formapp.submissions.counts import count_up, forget_count, read_count, sweep
from formapp.submissions.database import Database, DatabaseUnavailable

REDIS_SECONDS = 1.0
"""How long a visitor waits for Redis."""

MEMORY = "memory"
DATABASE = "database"


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
        return (DatabaseUnavailable, IntegrityError)

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
        except DatabaseUnavailable:
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
        return MemoryStorage()
    if where == DATABASE:
        return DatabaseStorage(database, sign)
    return RedisStorage(
        where,
        wrap_exceptions=True,
        key_prefix="formapp",
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
    )
