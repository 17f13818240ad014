"""Webhooks that were received, stored before they are answered: ids alone, and each once.

An event is a hint: what it is about is read before anything is done. Only an erasure can't be seen
by reading.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from formapp.db.database import Database, lock_for_transaction
from formapp.db.tables import crm_events
from formapp.forms.reading.contact import read_email, read_phone

KEEP = timedelta(days=7)
"""How long an event is recognized if it is sent again; Wix gives up after two days."""

Kind = Literal["created", "updated", "deleted", "merged", "erased"]

_LOCK = 0x63726D65  # "crme"


def wix_source(site: str) -> str:
    """The source of events of a Wix site: for every book of that site."""
    return f"wix:{site}"


def crm_source(book: str) -> str:
    """The source of events of a book's other system."""
    return f"crm:{book}"


class NoMessageError(Exception):
    """The body is no message about a contact; the text says why, without anybody's data."""


class MessageRefusedError(Exception):
    """The message has a wrong signature, is too old, or is about another site."""


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One webhook.

    Attributes:
        source: `wix_source` or `crm_source`.
        event_id: unique within the source.
        kind: "erased" is a deletion for privacy's sake.
        entity: the record's id; of a merge, of the record that is gone.
        target: of a merge, the record that it was merged into.
        revision: the record's, where the webhook has it.
        content: the fields that a system sent that can't be read.
        id: counts up as events are stored; 0 before that.
    """

    source: str
    event_id: str
    kind: Kind
    entity: str
    received_at: datetime
    target: str | None = None
    revision: str | None = None
    sequence: str | None = None
    content: Any = None
    id: int = 0


def store_event(connection: Connection, event: Event) -> bool:
    """Store an event in the caller's transaction; False if it is known.

    Events of one transaction after the other: a reader up to an id has missed none.
    """
    lock_for_transaction(connection, _LOCK)
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    names = [column.name for column in crm_events.c if column.name != "id"]
    statement = build(crm_events).values({name: getattr(event, name) for name in names})
    statement = statement.on_conflict_do_nothing(index_elements=["source", "event_id"])
    return connection.execute(statement.returning(crm_events.c.id)).first() is not None


def read_events(connection: Connection, source: str, after: int, limit: int = 500) -> list[Event]:
    """The events of a source that were stored after the one of this id."""
    query = select(crm_events).where(crm_events.c.source == source, crm_events.c.id > after)
    rows = connection.execute(query.order_by(crm_events.c.id).limit(limit)).mappings()
    return [Event(**row) for row in rows]


def last_event(connection: Connection, source: str) -> int:
    """The id of the newest event of a source; 0 if there is none."""
    query = select(func.max(crm_events.c.id)).where(crm_events.c.source == source)
    return connection.execute(query).scalar() or 0


def read_contents(database: Database, source: str, entity: str) -> Sequence[Event]:
    """The events about a record whose fields wait to be worked off, oldest first."""
    query = select(crm_events).where(
        crm_events.c.source == source,
        crm_events.c.entity == entity,
        crm_events.c.content.is_not(None),
    )
    with database.read() as connection:
        rows = connection.execute(query.order_by(crm_events.c.id)).mappings().all()
    return [Event(**row) for row in rows]


def erase_contents(connection: Connection, source: str, entity: str, up_to: int) -> None:
    """Erase the fields of a record's events up to the one of this id: they are worked off."""
    theirs = (crm_events.c.source == source) & (crm_events.c.entity == entity)
    done = update(crm_events).where(theirs, crm_events.c.id <= up_to)
    connection.execute(done.values(content=None))


def erase_person(connection: Connection, identities: Collection[str]) -> int:
    """Erase the fields of events with an e-mail or phone of these, normalized; returns how many."""
    return erase_matching(connection, lambda identity, _received_at: identity in identities)


def erase_matching(connection: Connection, matches: Callable[[str, datetime], bool]) -> int:
    """Erase the fields of events with an e-mail or phone that matches; returns how many.

    `matches` takes it normalized, and when the event was received. Few events have fields at a
    time: those that wait to be worked off.
    """
    c = crm_events.c
    rows = connection.execute(select(c.id, c.content, c.received_at).where(c.content.is_not(None)))
    theirs = [
        row.id
        for row in rows
        if any(matches(each, row.received_at) for each in _identities(row.content))
    ]
    done = update(crm_events).where(crm_events.c.id.in_(theirs))
    connection.execute(done.values(content=None))
    return len(theirs)


def _identities(content: Any) -> set[str]:
    if isinstance(content, dict | list):
        parts = content.values() if isinstance(content, dict) else content
        return set().union(*map(_identities, parts))
    text = str(content)
    phone = read_phone(text, None)
    found = (read_email(text), phone.identity if phone else None)
    return {each for each in found if each}


def expire_events(database: Database, now: datetime) -> None:
    """Delete old events; the newest stays, so that ids go on counting up."""
    newest = select(func.max(crm_events.c.id)).scalar_subquery()
    old = (crm_events.c.received_at <= now - KEEP) & (crm_events.c.id < newest)
    with database.read() as connection:
        if connection.execute(select(crm_events.c.id).where(old).limit(1)).first() is None:
            return
    with database.write() as connection:
        connection.execute(delete(crm_events).where(old))


def last_of(database: Database, source: str, entity: str) -> Event | None:
    theirs = (crm_events.c.source == source) & (crm_events.c.entity == entity)
    query = select(crm_events).where(theirs).order_by(crm_events.c.id.desc()).limit(1)
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    return Event(**row) if row else None
