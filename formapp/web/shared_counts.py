"""Counts that several processes of one server share, in memory that they inherit.

Each process writes a part of its own, so that none waits for another one's lock; a count is the sum
over all parts. The windows of a limit begin at the same moments in all processes, by the clock of
the machine. A process that takes over the number of one that died goes on with its counts.
"""

import struct
import threading
import time
from collections.abc import Callable
from hashlib import blake2b

_WAYS = 8
_BUCKETS = 8192
_BUCKET = 2 * _WAYS
"""Words of a bucket: for each of its counts a name and a value."""

PART = _BUCKETS * _BUCKET
"""Words of 64 bits that each process needs: room for 65,536 counts."""

_END = 32
"""A value is when its window ends, in seconds, and in its lower bits the count."""

_COUNT = (1 << _END) - 1


class SharedCounts:
    """Counts as `formapp.web.rate_limit.Counts` describes them.

    When a bucket is full, the window that has ended makes room, else the lowest count: many
    addresses that post once can't push out one that posts often.

    Args:
        words: `PART` unsigned numbers of 64 bits for each process, 0 at first.
        mine: the number of this process.
        key: scatters the names, so that no visitor can choose two that fall together.
        clock: seconds that only grow, the same for all processes.
    """

    def __init__(
        self,
        words: memoryview,
        mine: int,
        key: bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        starts = range(0, len(words), PART)
        self._own = words[starts[mine] : starts[mine] + PART]
        self._others = [words[at : at + PART] for at in starts if at != starts[mine]]
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and return the count of all processes together in this window."""
        now = int(self._clock())
        window = now // expiry
        given = f"{expiry} {window} {key}".encode()
        name, place = struct.unpack("QQ", blake2b(given, key=self._key, digest_size=16).digest())
        name |= 1  # 0 marks a free place
        at = place % _BUCKETS * _BUCKET
        with self._lock:
            own = self._own[at : at + _BUCKET].tolist()
            slot = _find(own, name, now)
            count = own[slot + 1] & _COUNT if own[slot] == name else 0
            if amount:
                count += amount
                if own[slot] != name:
                    # Another process may read meanwhile: never this name with another one's count.
                    self._own[at + slot + 1] = 0
                    self._own[at + slot] = name
                self._own[at + slot + 1] = (window + 1) * expiry << _END | count
        # Written before the others are read: of two at once, at least one sees the other.
        for part in self._others:
            other = part[at : at + _BUCKET].tolist()
            if name in other[::2]:
                count += other[2 * other[::2].index(name) + 1] & _COUNT
        return int(count)


def _find(bucket: list[int], name: int, now: int) -> int:
    """Return where the name is in the bucket, or else what makes room for it."""
    names = bucket[::2]
    if name in names:
        return 2 * names.index(name)
    values = bucket[1::2]
    worth = [value & _COUNT if value >> _END > now else 0 for value in values]
    return 2 * worth.index(min(worth))
