"""Holding a book for a load or a look at both sides, which may take hours.

The lease is short and renewed meanwhile, so that another process can go on soon after one was
killed. Its fence keeps a process that was only slow from writing afterwards.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from formapp.crm.store import ClaimLostError, claim_book, write_claimed_book
from formapp.db.database import Database, DatabaseUnavailableError

LEASE = timedelta(seconds=20)
BEAT = 5.0
"""Seconds between two renewals."""


@contextmanager
def hold_book(database: Database, book: str, clock: Callable[[], datetime]) -> Iterator[int | None]:
    """Hold the book within the block; the fence, or None: another process holds it."""
    fence = claim_book(database, book, clock(), LEASE)
    if fence is None:
        yield None
        return
    released = threading.Event()

    def renew() -> None:
        while not released.wait(BEAT):
            try:
                with database.write() as connection:
                    write_claimed_book(connection, book, fence, lease_until=clock() + LEASE)
            except ClaimLostError:
                return
            except DatabaseUnavailableError:
                continue

    thread = threading.Thread(target=renew, name=f"holds {book}", daemon=True)
    thread.start()
    try:
        yield fence
    finally:
        released.set()
        thread.join()
        with suppress(ClaimLostError), database.write() as connection:
            write_claimed_book(connection, book, fence, lease_until=None)
