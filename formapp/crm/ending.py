"""How a link ends: a record was deleted, merged into another, or erased for privacy.

Deleting, marking and merging are safe to repeat, so that no intent is needed: a pass that was
interrupted reads both sides again.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from formapp.crm import conflicts
from formapp.crm.brake import brake
from formapp.crm.decide import KEY, Overruled
from formapp.crm.events import crm_source, erase_contents, last_event
from formapp.crm.model import Side, other
from formapp.crm.session import NAMES, Session
from formapp.crm.store import (
    Link,
    absorb,
    add_hints,
    find_link,
    finish_link,
    postpone_link,
    write_link,
)
from formapp.crm.system import Record, RefusedError, Write
from formapp.db.database import upsert
from formapp.db.tables import crm_tombstones

ERASE = "Erase this contact"
"""The label of a record whose twin was erased for privacy."""

_ENDED: dict[str, Any] = {"wix_base": None, "crm_base": None}

_log = logging.getLogger(__name__)


def end_gone(session: Session, link: Link, here: Mapping[Side, Record]) -> None:
    """A record is gone: let its twin know by the book's policy. StaleError, GoneError."""
    gone: Side = "crm" if "wix" in here else "wix"
    now = session.clock()
    survivor = here.get(other(gone))
    if survivor and survivor.id != link.id_at(other(gone)):
        # Its twin was merged into another record, which has nothing to do with that.
        with session.database.write() as connection:
            finish_link(connection, link, now, state="merged_into", gone_at=None, **_ENDED)
            add_hints(connection, link.book, other(gone), {survivor.id: ""}, now)
        return
    with session.database.write() as connection:
        link = write_link(connection, link, gone_at=link.gone_at or now)
        stopped = not link.gone_allowed and brake(connection, link.book)
    if stopped:
        postpone_link(session.database, link, now, None)
        return
    lost: Sequence[Overruled] = ()
    if survivor:
        view = session.view(link, other(gone), survivor)
        if session.decider().is_edited(other(gone), view):
            lost = (Overruled(conflicts.CONTACT, gone, None, None),)
        else:
            _carry_out(
                session, session.book.deletes, other(gone), survivor, f"Deleted in {NAMES[gone]}"
            )
    with session.database.write() as connection:
        persons = session.persons(here.values())
        conflicts.add_conflicts(connection, link, lost, persons, now)
        finish_link(connection, link, now, state=f"{gone}_gone", **_ENDED)


def _carry_out(session: Session, policy: str, side: Side, record: Record, label: str) -> None:
    """Delete, archive or mark a record, or keep it as it is; marked where the system can't."""
    system = session.system(side)
    can = system.capabilities
    try:
        if policy == "delete" and can.delete:
            system.delete(record)
            return
        if policy == "archive" and can.archive:
            system.archive(record)
            return
    except RefusedError:
        _log.warning("%s refuses to %s a record: it is marked", NAMES[side], policy)
    if policy != "keep" and can.labels and label not in record.labels:
        labels = record.labels | {label}
        system.update(record, Write(add_labels=frozenset({label}), all_labels=labels))


def end_merged(session: Session, link: Link, here: Mapping[Side, Record]) -> None:
    """A record was merged into another: so are their links. StaleError, GoneError."""
    side: Side = "wix" if here["wix"].id != link.wix_id else "crm"
    survivor, twin = here[side], here[other(side)]
    with session.database.write() as connection:
        kept = _link_of(connection, link, side, survivor)
        if kept is None and absorb(connection, link, side, survivor.id):
            _follow(connection, session, link, side, survivor)
            return
        kept = kept or find_link(connection, link.book, side, survivor.id)
    if kept and kept.intent and kept.id_at(other(side)) is None:
        # The survivor may be about to get a twin of its own: that decides what becomes of this one.
        until = session.clock() + session.grace
        postpone_link(session.database, link, until, "what it was merged into has no twin yet")
        return
    target = kept.id_at(other(side)) if kept and kept.state in ("linked", "held") else None
    _end_twin(session, other(side), target, twin, f"Merged in {NAMES[side]}")
    now = session.clock()
    with session.database.write() as connection:
        finish_link(connection, link, now, state="merged_into", gone_at=None, **_ENDED)
        if target:
            add_hints(connection, link.book, other(side), {target: ""}, now)


def _link_of(connection: Connection, link: Link, side: Side, survivor: Record) -> Link | None:
    """Another link whose twin the survivor names: the survivor may have a new id itself."""
    if survivor.key is None:
        return None
    named = find_link(connection, link.book, other(side), survivor.key)
    is_other = named and named.id != link.id and named.state in ("linked", "held")
    return named if is_other else None


def _follow(
    connection: Connection, session: Session, link: Link, side: Side, survivor: Record
) -> None:
    """The survivor had no twin: it gets this one, which may go on naming the other id."""
    twin = other(side)
    base = {**link.base(twin), KEY: link.id_at(side)}
    values = {f"{side}_id": survivor.id, f"{twin}_base": base}
    given = {"lease_until": None, "due_at": session.clock(), "gone_at": None, **values}
    write_link(connection, link, **given)


def _end_twin(session: Session, side: Side, target: str | None, record: Record, label: str) -> None:
    system = session.system(side)
    if target and session.book.merges == "merge" and system.capabilities.merge:
        survivor = system.get(target)
        if survivor and survivor.id == record.id:
            return
        if survivor:
            system.merge(survivor, record)
            return
    _carry_out(session, "mark", side, record, label)


def start_erasing(connection: Connection, book: str, wix_id: str, now: Any) -> None:
    """A contact was erased at Wix for privacy: erase what is kept of it, then its twin."""
    link = find_link(connection, book, "wix", wix_id)
    if link is None or link.state in ("erasing", "erased"):
        return
    values = {"state": "erasing", "due_at": now, "intent": None, "reason": None, **_ENDED}
    # The fence counts up: a worker that has the link must stop. Before what is kept is erased, so
    # that it waits for a worker's transaction, and then sees what that has stored.
    link = write_link(connection, link, fence=link.fence + 1, lease_until=None, **values)
    erase_kept(connection, link)


def erase_kept(connection: Connection, link: Link) -> None:
    """Erase what is kept of a link's persons: conflicts, and fields that wait while it is held.

    Once the link's fence has counted up, or a worker may go on to store more.
    """
    conflicts.erase_link(connection, link)
    source = crm_source(link.book)
    erase_contents(connection, source, link.crm_id or "", last_event(connection, source))


def erase_twin(session: Session, link: Link) -> None:
    """Delete or mark the twin, and remember by keyed digests never to create the person again."""
    now = session.clock()
    twin = session.crm.get(link.crm_id) if link.crm_id else None
    if twin:
        # First: once the twin is deleted, nothing says whom not to create.
        with session.database.write() as connection:
            for digest in session.persons([twin]):
                key = {"book": link.book, "digest": digest}
                upsert(connection, crm_tombstones, key, {"at": now})
        _carry_out(session, session.book.erasures, "crm", twin, ERASE)
    deleted = session.book.erasures == "delete"
    done = "its twin was deleted" if deleted else f'its twin is labelled "{ERASE}"'
    _log.warning("book %s: contact %s was erased at Wix: %s", link.book, link.wix_id, done)
    with session.database.write() as connection:
        reason = done if twin else None
        finish_link(connection, link, now, state="erased", reason=reason, **_ENDED)
