"""Keeping a book's two sides equal: what the worker and `crm sync` call."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row

from formapp.crm.copying import copy_next
from formapp.crm.discover import SWEEP_EVERY, has_webhooks, look, read_webhooks
from formapp.crm.initial import BusyError, PlanNeededError, Progress, load, plan
from formapp.crm.reconcile import work_off
from formapp.crm.session import Session
from formapp.crm.store import (
    LEASE,
    LONGEST_WAIT,
    ClaimLostError,
    claim_book,
    claim_due,
    read_book,
    retry_held,
    write_book,
    write_claimed_book,
)
from formapp.crm.system import CrmError, Source, UnauthorizedError, UnavailableError
from formapp.jobs.backoff import doubled

__all__ = [
    "BusyError",
    "PlanNeededError",
    "Progress",
    "Session",
    "load",
    "pass_once",
    "plan",
    "sync_once",
]

_FIRST_BLOCK = timedelta(seconds=30)

_log = logging.getLogger(__name__)


def pass_once(session: Session) -> bool:
    """Do the next thing that is due in a running book; False if there is none. For the worker.

    Asks both sides for changes every `book.every`, reads webhooks as they come, works off one due
    link at a time. Where a side fails, the book waits; refused credentials pause it.
    """
    row = _read(session)
    now = session.clock()
    if not _works(row) or (row.blocked_until and now < row.blocked_until <= now + LONGEST_WAIT):
        return False
    return _guarded(session, lambda: _next(session, row, now))


def sync_once(session: Session) -> int:
    """Look at both sides now, sweep included, and do all that is due; returns the failures."""
    row = _read(session)
    if not _works(row):
        return 1
    failures = 0

    def work() -> bool:
        nonlocal failures
        read_webhooks(session.database, session.book, session.clock())
        with session.database.write() as connection:
            retry_held(connection, session.book.name, session.clock())
        while _look(session, sweep=True):
            pass
        while _works(_read(session)):
            done = _work_off_next(session)
            if done is None:
                break
            failures += not done
        return True

    succeeded = _guarded(session, work, report=True)
    return failures + (not succeeded or not _works(_read(session)))


def _read(session: Session) -> Any:
    with session.database.read() as connection:
        row = read_book(connection, session.book.name)
    session.record = row.record if row else None
    return row


def _works(row: Row[Any] | None) -> bool:
    return row is not None and row.state == "running" and not row.paused


def _next(session: Session, row: Any, now: datetime) -> bool:
    with session.database.read() as connection:
        waiting = has_webhooks(connection, session.book)
    if waiting:
        return read_webhooks(session.database, session.book, now)
    if row.due_at is None or row.due_at <= now or row.due_at > now + LONGEST_WAIT:
        sweep = row.sweep_at is None or row.sweep_at <= now
        if _look(session, sweep=sweep) is not None:
            return True
    return _work_off_next(session) is not None


def _look(session: Session, *, sweep: bool) -> bool | None:
    """Look at both sides; whether there is more to see at once. None: another worker does."""
    book, now = session.book, session.clock()
    fence = claim_book(session.database, book.name, now)
    if fence is None:
        return None
    more = False
    done: dict[str, Any] = {}
    try:
        with session.database.write() as connection:
            write_claimed_book(connection, book.name, fence, run_at=now)
        if book.mode == "copy":
            more = copy_next(session, cast("Source", session.wix))
        else:
            look(session, sweep=sweep, on_page=lambda: _renew(session, fence))
        done = {"due_at": now if more else now + book.every, "last_pass_at": session.clock()}
        done |= {"failures": 0, "blocked_until": None}
        if sweep:
            done["sweep_at"] = now + SWEEP_EVERY
    finally:
        with session.database.write() as connection:
            write_claimed_book(connection, book.name, fence, lease_until=None, **done)
    return more


def _renew(session: Session, fence: int) -> None:
    with session.database.write() as connection:
        until = session.clock() + LEASE
        write_claimed_book(connection, session.book.name, fence, lease_until=until)


def _work_off_next(session: Session) -> bool | None:
    """Work off the next due link; False if it failed, None if there is none."""
    link = claim_due(session.database, session.book.name, session.clock())
    return None if link is None else work_off(session, link)


def _guarded(session: Session, work: Callable[[], bool], *, report: bool = False) -> bool:
    """Do it; where a side fails, have the book wait or pause. `report`: False then."""
    try:
        return work()
    except ClaimLostError:
        return True
    except UnauthorizedError as error:
        with session.database.write() as connection:
            write_book(connection, session.book.name, paused=True, reason=str(error))
        _log.error("book %s is paused: %s", session.book.name, error)
    except UnavailableError as error:
        _block(session, error, error.wait)
    except CrmError as error:
        _block(session, error, None)
    return not report


def _block(session: Session, error: CrmError, wait: timedelta | None) -> None:
    """Leave the book alone for a while; a wait that the system names is no failure."""
    with session.database.write() as connection:
        row = read_book(connection, session.book.name)
        failures = (row.failures if row else 0) + (wait is None)
        until = session.clock() + (wait or doubled(_FIRST_BLOCK, failures - 1))
        values = {"failures": failures, "blocked_until": until, "reason": str(error)}
        write_book(connection, session.book.name, **values)
    if wait is None:
        _log.warning("book %s waits: %s", session.book.name, error)
