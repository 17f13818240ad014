"""Conflicts: values that were overruled, and those that wait for the owner.

They are the only place where a value of a contact is kept. A row is committed before the write that
overrules its value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from formapp.crm.decide import Overruled
from formapp.crm.model import Side
from formapp.crm.store import Link
from formapp.crm.system import Value
from formapp.db.database import Database
from formapp.db.tables import crm_conflicts, crm_links

CONTACT = "contact"
"""The field of a conflict about the record itself: deleted here, edited there."""


@dataclass(frozen=True, slots=True, repr=False)
class Choice:
    """What the owner chose: a side, or for a decided conflict one of its values."""

    conflict_id: int
    field: str
    side: Side
    decided: bool
    value: Value | None


def add_conflicts(
    connection: Connection,
    link: Link,
    overruled: Iterable[Overruled],
    persons: Sequence[str],
    now: datetime,
) -> list[int]:
    """Store what is overruled, each once; returns the ids of new rows."""
    rows = connection.execute(_of(link))
    held = {tuple(map(str, (row.field, row.side, row.value, row.kept))) for row in rows}
    added = []
    for each in overruled:
        values = {"field": each.field, "side": each.side, "value": _json(each.lost)}
        values["kept"] = _json(each.kept)
        if tuple(map(str, values.values())) in held:
            continue
        row = {**values, "link_id": link.id, "at": now, "resolved": True, "persons": [*persons]}
        statement = insert(crm_conflicts).values(row).returning(crm_conflicts.c.id)
        added.append(connection.execute(statement).scalar_one())
    return added


def withdraw_conflicts(connection: Connection, ids: Sequence[int]) -> None:
    """Delete conflicts whose write was refused: nothing was overruled."""
    connection.execute(delete(crm_conflicts).where(crm_conflicts.c.id.in_(ids)))


def keep_asking(
    connection: Connection,
    link: Link,
    asks: Iterable[Overruled],
    persons: Sequence[str],
    now: datetime,
) -> None:
    """Bring the waiting conflicts of a link up to date; those that are over are resolved."""
    waiting = {
        row.field: row
        for row in connection.execute(_of(link).where(crm_conflicts.c.resolved.is_(False)))
    }
    for each in asks:
        row, values = waiting.pop(each.field, None), {"value": _json(each.lost)}
        values["kept"] = _json(each.kept)
        if row is None:
            new = {"link_id": link.id, "field": each.field, "side": each.side, "at": now}
            new |= {"resolved": False, "persons": [*persons], **values}
            connection.execute(insert(crm_conflicts).values(new))
        elif (row.value, row.kept) != (values["value"], values["kept"]):
            this = crm_conflicts.c.id == row.id
            connection.execute(update(crm_conflicts).where(this).values(values))
    close_conflicts(connection, [row.id for row in waiting.values()])


def close_conflicts(connection: Connection, ids: Sequence[int]) -> None:
    """Resolve conflicts and erase their values."""
    if not ids:
        return
    done: dict[str, Any] = {
        "resolved": True,
        "chosen": None,
        "value": None,
        "kept": None,
        "persons": [],
    }
    connection.execute(update(crm_conflicts).where(crm_conflicts.c.id.in_(ids)).values(done))


def read_choices(connection: Connection, link: Link) -> list[Choice]:
    """The resolutions of the owner that wait to be written."""
    rows = connection.execute(_of(link).where(crm_conflicts.c.chosen.is_not(None)))
    return [
        Choice(
            conflict_id=row.id,
            field=row.field,
            side=row.chosen,
            decided=row.resolved,
            value=from_json(row.value if row.chosen == row.side else row.kept),
        )
        for row in rows
    ]


def expire_conflicts(database: Database, keep_days: int, now: datetime) -> int:
    """Delete conflicts after the days that answers are kept; a waiting one is stored anew."""
    moment = now - timedelta(days=keep_days)
    with database.read() as connection:
        old = select(crm_conflicts.c.id).where(crm_conflicts.c.at <= moment)
        if connection.execute(old.limit(1)).first() is None:
            return 0
    with database.write() as connection:
        return erase_until(connection, moment, now)


def erase_until(connection: Connection, moment: datetime, now: datetime) -> int:
    """Delete the conflicts up to this moment; those that wait are stored anew. Returns how many."""
    old = crm_conflicts.c.at <= moment
    waiting = select(crm_conflicts.c.link_id).where(old, crm_conflicts.c.resolved.is_(False))
    again = (crm_links.c.id.in_(waiting)) & crm_links.c.due_at.is_(None)
    connection.execute(update(crm_links).where(again).values(due_at=now))
    return connection.execute(delete(crm_conflicts).where(old)).rowcount


def find_person(connection: Connection, digests: Iterable[str]) -> list[int]:
    """The ids of the conflicts of a person, by the digests of e-mails and phones."""
    wanted = set(digests)
    rows = connection.execute(select(crm_conflicts.c.id, crm_conflicts.c.persons))
    return [row.id for row in rows if not wanted.isdisjoint(row.persons)]


def erase_person(connection: Connection, digests: Iterable[str]) -> int:
    ids = find_person(connection, digests)
    withdraw_conflicts(connection, ids)
    return len(ids)


def erase_link(connection: Connection, link: Link) -> None:
    connection.execute(delete(crm_conflicts).where(crm_conflicts.c.link_id == link.id))


def _of(link: Link) -> Any:
    return select(crm_conflicts).where(crm_conflicts.c.link_id == link.id)


def _json(value: Value | None) -> str | list[str] | None:
    return [*value] if isinstance(value, tuple) else value


def from_json(stored: Any) -> Value | None:
    return tuple(stored) if isinstance(stored, list) else stored
