"""Keeping a book's two sides equal: what the worker and `crm sync` call."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, case, null

from formapp.crm.copying import copy_next
from formapp.crm.discover import SWEEP_EVERY, has_webhooks, look, read_webhooks
from formapp.crm.holding import hold_book
from formapp.crm.reconcile import work_off
from formapp.crm.session import Session
from formapp.crm.store import (
    LONGEST_WAIT,
    ClaimLostError,
    claim_due,
    is_due_soon,
    read_book,
    retry_held,
    write_book,
    write_claimed_book,
)
from formapp.crm.system import CrmError, Source, UnauthorizedError, UnavailableError
from formapp.db.tables import crm_books
from formapp.jobs.backoff import doubled

_FIRST_BLOCK = timedelta(seconds=30)
_LONGEST_LOOK = timedelta(minutes=5)

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
        while _look_now(session):
            pass
        while _works(_read(session)):
            done = _work_off_next(session)
            if done is not None:
                failures += not done
            elif is_due_soon(session.database, session.book.name, session.clock()):
                session.sleep(1.0)
            else:
                break
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
    with hold_book(session.database, book.name, session.clock) as fence:
        if fence is None:
            return None
        more = False
        with session.database.write() as connection:
            write_claimed_book(connection, book.name, fence, run_at=now)
        if book.mode == "copy":
            more = copy_next(session, cast("Source", session.wix))
        else:
            look(session, sweep=sweep)
        done: dict[str, Any] = {"failures": 0, "blocked_until": None}
        # What the brake or the owner says of a pause stays.
        c = crm_books.c
        done["reason"] = case((c.paused, c.reason), else_=null())
        done |= {"due_at": now if more else now + book.every, "last_pass_at": session.clock()}
        if sweep:
            done["sweep_at"] = now + SWEEP_EVERY
        with session.database.write() as connection:
            write_claimed_book(connection, book.name, fence, **done)
    return more


def _look_now(session: Session) -> bool:
    """As `_look` with a sweep, after another process that looks, or was killed while it did."""
    until = session.clock() + _LONGEST_LOOK
    while (more := _look(session, sweep=True)) is None:
        if session.clock() >= until:
            raise UnavailableError("another process works on this book")
        session.sleep(1.0)
    return more


def _work_off_next(session: Session) -> bool | None:
    """Work off the next due link; False if it failed, None if there is none."""
    link = claim_due(session.database, session.book.name, session.clock())
    if link is None:
        return None
    try:
        with session.measured("contact"):
            return work_off(session, link)
    except ClaimLostError:
        # Another worker goes on with it.
        return True


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
    except CrmError as error:
        _block(session, error)
    return not report


def _block(session: Session, error: CrmError) -> None:
    """Leave the book alone for a while; a wait that the system names is no failure."""
    with session.database.write() as connection:
        row = read_book(connection, session.book.name)
        failures = (row.failures if row else 0) + (error.wait is None)
        until = session.clock() + (error.wait or doubled(_FIRST_BLOCK, failures - 1))
        values = {"failures": failures, "blocked_until": until, "reason": str(error)}
        write_book(connection, session.book.name, **values)
    if error.wait is None:
        _log.warning("book %s waits: %s", session.book.name, error)
