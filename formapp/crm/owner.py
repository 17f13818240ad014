"""What an owner can do with a book, by the database alone; the worker does the rest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from formapp.crm import conflicts as rows
from formapp.crm.brake import waiting_deletions
from formapp.crm.ending import erase_kept
from formapp.crm.model import Conflict, Held, Side, State, Status
from formapp.crm.store import count_links, find_link, read_book, read_cursor, write_book, write_link
from formapp.db.database import Database
from formapp.db.tables import crm_conflicts, crm_links


def status(database: Database, book: str, now: datetime) -> Status:
    """A book's figures; one that was never started is new."""
    c = crm_links.c
    mine = c.book == book
    with database.read() as connection:
        row = read_book(connection, book)
        initial = read_cursor(connection, book, "wix", "initial")
        changes = read_cursor(connection, book, "wix", "changes")
        due = mine & (c.due_at <= now)
        oldest = connection.execute(select(func.min(c.due_at)).where(due)).scalar()
        state: State = "new"
        if row:
            state = "paused" if row.paused else row.state
        return Status(
            book,
            state,
            row.reason if row else None,
            linked=count_links(connection, mine & (c.state == "linked")),
            held=count_links(connection, mine & (c.state == "held")),
            due=count_links(connection, due),
            conflicts=_count_waiting(connection, book),
            checkpoint=changes.started_at if changes else None,
            last_pass_at=row.last_pass_at if row else None,
            lag_seconds=(now - oldest).total_seconds() if oldest else 0.0,
            done=initial.done if initial else 0,
            total=initial.total if initial else 0,
        )


def conflicts(database: Database, book: str) -> Sequence[Conflict]:
    """All kept conflicts of a book, oldest first."""
    c, link = crm_conflicts.c, crm_links.c
    resolved = or_(c.resolved, c.chosen.is_not(None))
    columns = (c.id, link.wix_id, link.crm_id, c.field, c.side, c.value, c.kept, c.at, resolved)
    query = select(*columns).join(crm_links, link.id == c.link_id).where(link.book == book)
    with database.read() as connection:
        return [Conflict(*row) for row in connection.execute(query.order_by(c.id))]


def held(database: Database, book: str) -> Sequence[Held]:
    """The records of a book that are held, in the order in which they were found."""
    c = crm_links.c
    query = select(c.wix_id, c.crm_id, c.reason).where(c.book == book, c.state == "held")
    with database.read() as connection:
        return [Held(*row) for row in connection.execute(query.order_by(c.id))]


def resolve(database: Database, conflict_id: int, keep: Side, now: datetime) -> bool:
    """Have that side's value written to both at the link's next pass; False: no such conflict."""
    c = crm_conflicts.c
    with database.write() as connection:
        row = connection.execute(select(crm_conflicts).where(c.id == conflict_id)).first()
        if row is None:
            return False
        link = connection.execute(select(crm_links).where(crm_links.c.id == row.link_id)).one()
        kept_already = row.resolved and keep != row.side
        if kept_already or row.field == rows.CONTACT or link.state not in ("linked", "held"):
            rows.close_conflicts(connection, [conflict_id])
            return True
        connection.execute(update(crm_conflicts).where(c.id == conflict_id).values(chosen=keep))
        due = update(crm_links).where(crm_links.c.id == row.link_id)
        connection.execute(due.values(due_at=now, hints=crm_links.c.hints + 1))
        return True


def pause(database: Database, book: str, reason: str) -> None:
    """Stop working for a book until `resume`."""
    with database.write() as connection:
        write_book(connection, book, paused=True, reason=reason)


def resume(database: Database, book: str, now: datetime, *, allow_deletes: int = 0) -> bool:
    """Go on; so many deletions pass the brake. False: the book isn't paused."""
    with database.write() as connection:
        row = read_book(connection, book)
        if row is None or not row.paused:
            return False
        waiting = waiting_deletions(book)
        number = count_links(connection, waiting)
        allowed = 0 < number <= allow_deletes
        # Otherwise, what is still gone when all is listed stops the book again.
        values: dict[str, Any] = {"gone_allowed": True} if allowed else {"gone_at": None}
        connection.execute(update(crm_links).where(waiting).values(values))
        asked = {"due_at": now, "sweep_at": now, "blocked_until": None, "failures": 0}
        write_book(connection, book, paused=False, reason=None, **asked)
        return True


def unlink(database: Database, book: str, contact_id: str) -> bool:
    """Forget the link of a Wix contact: both records stay, and neither is matched again.

    False: there is none.
    """
    with database.write() as connection:
        link = find_link(connection, book, "wix", contact_id)
        if link is None or link.state == "unlinked":
            return False
        ended: dict[str, Any] = {"wix_base": None, "crm_base": None, "intent": None}
        ended |= {"due_at": None, "lease_until": None, "fence": link.fence + 1}
        link = write_link(connection, link, state="unlinked", reason=None, gone_at=None, **ended)
        erase_kept(connection, link)
        return True


def _count_waiting(connection: Connection, book: str) -> int:
    c = crm_conflicts.c
    joined = crm_conflicts.join(crm_links, crm_links.c.id == c.link_id)
    waiting = (crm_links.c.book == book) & c.resolved.is_(False) & c.chosen.is_(None)
    query = select(func.count()).select_from(joined).where(waiting)
    return connection.execute(query).scalar_one()
