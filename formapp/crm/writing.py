"""Sending a write: the intent and its conflicts are committed before, bases and revisions after."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from formapp.crm import conflicts
from formapp.crm.decide import Base, Overruled
from formapp.crm.model import Side
from formapp.crm.session import Session
from formapp.crm.store import ClaimLostError, Intent, Link, lock_link, write_link
from formapp.crm.system import CrmError, Record, Write


def intend(
    session: Session,
    link: Link,
    intent: Intent,
    overruled: Sequence[Overruled] = (),
    persons: Sequence[str] = (),
) -> Link:
    """Commit what is about to be sent, and the values that it overrules.

    With the bases of an earlier intent that was recognized, since this one takes its place.
    """
    if intent.side == "wix":
        session.make_room()
    with session.database.write() as connection:
        ids = conflicts.add_conflicts(connection, link, overruled, persons, intent.at)
        stored = msgspec.structs.replace(intent, conflicts=ids)
        bases = {"wix_base": link.wix_base, "crm_base": link.crm_base}
        return write_link(connection, link, intent=stored, **bases)


def send(session: Session, link: Link, call: Callable[[], Record]) -> Record:
    """Send an intended write; if it certainly changed nothing, the intent is taken back."""
    try:
        return call()
    except CrmError as error:
        if not error.maybe_applied:
            with session.database.write() as connection:
                if link.intent:
                    conflicts.withdraw_conflicts(connection, link.intent.conflicts)
                write_link(connection, link, intent=None)
        raise


def keep_overwritten(
    session: Session, link: Link, lost: Sequence[Overruled], persons: Sequence[str]
) -> None:
    """Store what a write replaced unread, unless the person was erased meanwhile.

    Also where another worker has the link by now, as after slow calls. Then ClaimLostError.
    """
    with session.database.write() as connection:
        stored = lock_link(connection, link)
        if stored is None or stored.state in ("erasing", "erased"):
            raise ClaimLostError
        conflicts.add_conflicts(connection, link, lost, persons, session.clock())
    if stored.fence != link.fence:
        raise ClaimLostError


def commit_answer(
    session: Session, link: Link, side: Side, said: Record, bases: dict[Side, Base]
) -> Link:
    values: dict[str, Any] = {f"{each}_base": base for each, base in bases.items()}
    values[f"{side}_revision"] = said.revision
    with session.database.write() as connection:
        return write_link(connection, link, intent=None, **values)


def predict(session: Session, side: Side, record: Record, write: Write) -> Record:
    """What the system probably makes of a write."""
    values = dict(record.values)
    for name, value in write.values.items():
        made = value if value is None else session.system(side).normalise(name, value)
        values.pop(name, None)
        if made is not None:
            values[name] = made
    labels = (record.labels | write.add_labels) - write.remove_labels
    return Record(record.id, values=values, labels=labels, key=write.key or record.key)
