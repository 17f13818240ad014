"""What has changed: webhooks, each side's changes since the last look, and now and then all of it.

Whatever is found is a hint that makes a link due. Polling alone is enough, but for erasures.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from formapp.crm import compare
from formapp.crm.brake import brake, brake_empty
from formapp.crm.decide import SIDES
from formapp.crm.ending import start_erasing
from formapp.crm.events import Event, crm_source, last_event, read_events, wix_source
from formapp.crm.model import Book, Side
from formapp.crm.session import Session
from formapp.crm.store import (
    add_absences,
    add_hints,
    find_link,
    id_column,
    read_cursor,
    write_cursor,
)
from formapp.crm.system import CursorRefusedError
from formapp.db.database import Database
from formapp.db.tables import crm_links

SWEEP_EVERY = timedelta(hours=1)


def start_following(session: Session) -> None:
    """Before a first load: whatever changes from now on is found afterwards."""
    for side in SIDES:
        with session.database.read() as connection:
            known = read_cursor(connection, session.book.name, side, "changes")
        if known is None and not session.is_blind(side):
            _follow(session, side)
        with session.database.write() as connection:
            last = last_event(connection, _source(session.book, side))
            if read_cursor(connection, session.book.name, side, "events") is None:
                position = str(last)
                write_cursor(connection, session.book.name, side, "events", position=position)


def look(session: Session, *, sweep: bool) -> None:
    """Ask both sides for changes; list them whole if asked to, or where a cursor was refused."""
    for side in SIDES:
        if not session.is_blind(side):
            with session.measured(f"look at {side}"):
                followed = _follow(session, side)
            if sweep or not followed:
                with session.measured(f"sweep of {side}"):
                    _sweep(session, side)


def _follow(session: Session, side: Side) -> bool:
    """Read the changes since the cursor; False if there was none, or it was refused."""
    book, started = session.book.name, session.clock()
    with session.database.read() as connection:
        cursor = read_cursor(connection, book, side, "changes")
    position = cursor.position if cursor else None
    try:
        _read_changes(session, side, position, started)
    except CursorRefusedError:
        position = None
        _read_changes(session, side, None, started)
    return position is not None


def _read_changes(session: Session, side: Side, position: str | None, started: datetime) -> None:
    book = session.book.name
    for page in session.system(side).changes(position):
        with session.database.write() as connection:
            now = session.clock()
            add_hints(connection, book, side, page.changed, now)
            add_absences(connection, book, side, page.gone, now)
            values = {"position": page.cursor, "started_at": started}
            write_cursor(connection, book, side, "changes", **values)
            if page.gone:
                brake(connection, book)


def _sweep(session: Session, side: Side) -> None:
    """List a side whole: finds what was created, updated and deleted without any clock."""
    book, started = session.book.name, session.clock()
    lag = session.system(side).capabilities.index_lag
    comparing = side == "wix" and compare.is_due(session)
    seen: set[str] = set()
    for page in session.system(side).sweep():
        seen |= page.keys()
        with session.database.write() as connection:
            revisions = {each: revision or None for each, revision in page.items()}
            add_hints(connection, book, side, revisions, session.clock())
            values = {"started_at": started, "done": len(seen)}
            write_cursor(connection, book, side, "sweep", **values)
        if comparing:
            compare.compare(session, list(page))
    with session.database.write() as connection:
        absent = _linked_before(connection, book, side, started - lag) - seen
        add_absences(connection, book, side, absent, session.clock())
        if absent and (seen or not brake_empty(connection, book, side)):
            brake(connection, book)
        if comparing:
            compare.compared(connection, session, started)


def _linked_before(connection: Connection, book: str, side: Side, moment: datetime) -> set[str]:
    c = crm_links.c
    settled = or_(c.linked_at.is_(None), c.linked_at < moment)
    query = select(id_column(side)).where(
        c.book == book, c.state.in_(("linked", "held")), settled, id_column(side).is_not(None)
    )
    return set(connection.scalars(query))


# Webhooks


def read_webhooks(database: Database, book: Book, now: datetime) -> bool:
    """Turn the webhooks that were received since into hints; False if there were none."""
    found = False
    with database.write() as connection:
        for side in SIDES:
            if events := _new_events(connection, book, side):
                found = True
                _take(connection, book.name, side, events, now)
                position = str(events[-1].id)
                write_cursor(connection, book.name, side, "events", position=position)
        if found:
            brake(connection, book.name)
    return found


def has_webhooks(connection: Connection, book: Book) -> bool:
    """Whether webhooks wait for `read_webhooks`."""
    return any(_new_events(connection, book, side, limit=1) for side in SIDES)


def _new_events(connection: Connection, book: Book, side: Side, limit: int = 500) -> list[Event]:
    cursor = read_cursor(connection, book.name, side, "events")
    after = int(cursor.position or 0) if cursor else 0
    return read_events(connection, _source(book, side), after, limit)


def _take(
    connection: Connection, book: str, side: Side, events: list[Event], now: datetime
) -> None:
    changed = {e.entity: e.revision or "" for e in events if e.kind in ("created", "updated")}
    changed |= {e.target: "" for e in events if e.kind == "merged" and e.target}
    add_hints(connection, book, side, changed, now)
    merged = {e.entity: "" for e in events if e.kind == "merged"}
    known = {each for each in merged if find_link(connection, book, side, each)}
    add_hints(connection, book, side, dict.fromkeys(known, ""), now)
    add_absences(connection, book, side, [e.entity for e in events if e.kind == "deleted"], now)
    for event in events:
        if event.kind == "erased" and side == "wix":
            start_erasing(connection, book, event.entity, now)


def _source(book: Book, side: Side) -> str:
    return wix_source(book.site) if side == "wix" else crm_source(book.name)
