"""How often one address may post, and how often one form may be posted to.

The counts are in memory (of this process, or shared by the processes of one `serve`:
`formapp.web.shared_counts`), in the database or in Redis, under keyed hashes of the addresses. If
the counts can't be reached, posts are accepted: a limit must not cost a lead.
"""

import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import RedisStorage
from sqlalchemy.exc import IntegrityError

from formapp.db.counters import count_up
from formapp.db.database import Database, DatabaseUnavailableError
from formapp.waiting import in_thread
from formapp.web.errors import RefusalError

MEMORY = "memory"
DATABASE = "database"

RETRY_SECONDS = 10.0
"""How long unreachable counts are not tried again: visitors should not wait for them."""

REDIS_SECONDS = 1.0
"""How long a visitor waits for Redis."""

SWEEP_SECONDS = 60.0
"""How often ended counts are dropped from memory."""

_IPV6_NETWORK = 64
_log = logging.getLogger(__name__)


class Counts(Protocol):
    """A storage of counts; the storages of `limits` implement it."""

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Return the new count, which ends `expiry` seconds after it began; or StorageError."""


class MemoryCounts:
    """Counts in this process's memory; `clock` gives seconds that only grow.

    The `MemoryStorage` of `limits` starts threads that walk over all counts: the more addresses
    post at once, the longer each request waits.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}
        self._sweep_at = clock() + SWEEP_SECONDS

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with self._lock:
            now = self._clock()
            if now >= self._sweep_at:
                self._sweep_at = now + SWEEP_SECONDS
                self._counts = {k: count for k, count in self._counts.items() if count[1] > now}
            count, until = self._counts.get(key, (0, now))
            if until <= now:
                count, until = 0, now + expiry
            if amount:
                self._counts[key] = count + amount, until
            return count + amount


class DatabaseCounts:
    """Counts in the table `counts`, shared by all processes on the database.

    `sign` makes a keyed hash: the table names neither addresses nor forms.
    """

    def __init__(
        self,
        database: Database,
        sign: Callable[[str], str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._sign = sign
        self._clock = clock

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._clock()
        until = now + timedelta(seconds=expiry)
        try:
            with self._database.write() as connection:
                return count_up(connection, self._sign(key), until, now, amount)
        except (DatabaseUnavailableError, IntegrityError) as error:
            raise StorageError(error) from error


def counts_in(where: str, memory: Counts, database: Database, sign: Callable[[str], str]) -> Counts:
    """Return the counts that a setting names: `memory`, `database` or the address of a Redis."""
    if where == MEMORY:
        return memory
    if where == DATABASE:
        return DatabaseCounts(database, sign)
    return RedisStorage(
        where,
        wrap_exceptions=True,
        key_prefix="formapp",
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
    )


class Limits:
    """Limits written as `30/minute`, several joined by `;`; None is no limit.

    Args:
        per_address: for each address (of IPv6: each network, /64), over all forms.
        per_form: for each form, over all addresses.
        counts: where posts are counted.
        sign: makes a keyed hash of an address.
        clock: seconds that only grow.
        waits: whether the counts are somewhere else: a post may have to wait for them.
    """

    def __init__(  # noqa: PLR0913 - settings, most by name
        self,
        per_address: str | None,
        per_form: str | None,
        counts: Counts,
        *,
        sign: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
        waits: bool = False,
    ) -> None:
        self._per_address = parse_many(per_address) if per_address else []
        self._per_form = parse_many(per_form) if per_form else []
        self._counts = counts
        self._sign = sign
        self._clock = clock
        self._waits = waits
        self._away_since: float | None = None

    def hit(self, address: str, form: str) -> None:
        """Count one post; raise RefusalError if one of the limits is reached."""
        count = partial(self._count, address, form)
        reached = in_thread(count) if self._waits else count()
        if reached:
            raise RefusalError(
                429,
                "TOO_MANY_REQUESTS",
                "Too many messages were sent at once. Please wait a minute and try again.",
                {"Retry-After": str(reached.get_expiry())},
            )

    def _count(self, address: str, form: str) -> RateLimitItem | None:
        """Count one post, and return the limit that it reaches; None if the counts are away."""
        since = self._away_since
        if since is not None and self._clock() - since < RETRY_SECONDS:
            return None
        try:
            reached = self._reached(address, form)
        except StorageError as error:
            if self._away_since is None:
                reason = type(error.storage_error).__name__
                _log.error("posts aren't limited: the counts can't be reached (%s)", reason)
            self._away_since = self._clock()
            return None
        if since is not None:
            _log.warning("posts are limited again")
            self._away_since = None
        return reached

    def _reached(self, address: str, form: str) -> RateLimitItem | None:
        keys = {"address": self._sign(network_of(address)), "form": form}
        for kind, limits in (("address", self._per_address), ("form", self._per_form)):
            for limit in limits:
                key, seconds = limit.key_for(kind, keys[kind]), limit.get_expiry()
                if self._counts.incr(key, seconds) > limit.amount:
                    return limit
        return None


def network_of(address: str) -> str:
    """Return the network of an IP address that limits count; other texts unchanged.

    A /64 network of IPv6 is one visitor, since a single customer can use any address in it.
    An IPv4 address in the form of IPv6 (RFC 4291, 2.5.5.2) is that address.
    """
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    bare = ipaddress.IPv6Address(int(found))  # without the zone, which only this machine knows
    return str(ipaddress.ip_network((bare, _IPV6_NETWORK), strict=False))
