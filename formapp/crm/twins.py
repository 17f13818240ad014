"""A record without a twin: find the one that is there, or create one, and never two.

The foreign key comes first, then e-mails, and phones only where there is no e-mail. More than one
candidate, or one that has a twin already, is for a person to decide.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from formapp.crm.decide import View
from formapp.crm.model import Side, other
from formapp.crm.session import NAMES, HeldError, Session, identities
from formapp.crm.store import (
    ENDED,
    UNSURE,
    Intent,
    Link,
    absorb,
    add_hints,
    delete_link,
    find_link,
    finish_link,
    postpone_link,
    write_link,
)
from formapp.crm.system import AlreadyExistsError, Record
from formapp.crm.writing import intend, predict, send
from formapp.db.tables import crm_tombstones
from formapp.jobs.backoff import FIRST, doubled

_MOST_IDENTITIES = 5
_MOST_ATTEMPTS = 8

Found = tuple[Link, dict[Side, Record]] | None
"""The link of two records, as far as they are read; None: it is finished or postponed."""


def find_or_create(session: Session, link: Link, known: dict[Side, Record]) -> Found:
    """Give the link's record its twin. Raises HeldError."""
    side: Side = "wix" if link.wix_id else "crm"
    record_id, twin_side = link.id_at(side) or "", other(side)
    if link.intent:
        lag = session.system(twin_side).capabilities.index_lag
        until = link.intent.at + max(session.grace, lag)
        if session.clock() < until:
            postpone_link(session.database, link, until, UNSURE)
            return None
    if link.intent and (twin := find_by_key(session, twin_side, record_id)):
        link = _adopt(session, link, twin, link.intent)
        return link, {twin_side: twin}
    record = known.get(side) or session.system(side).get(record_id)
    if record is None or record.id != record_id:
        # The record that it was merged into has its own link.
        _forget(session, link, side, record)
        return None
    if side == "crm" and _was_erased(session, record):
        with session.database.write() as connection:
            finish_link(connection, link, session.clock(), state="erased")
        return None
    twin = _find(session, link, side, record)
    if twin:
        return _adopt(session, link, twin), {side: record, twin_side: twin}
    return _create(session, link, side, record)


def _forget(session: Session, link: Link, side: Side, survivor: Record | None) -> None:
    with session.database.write() as connection:
        delete_link(connection, link)
        if survivor:
            add_hints(connection, link.book, side, {survivor.id: ""}, session.clock())


def _was_erased(session: Session, record: Record) -> bool:
    c = crm_tombstones.c
    digests = session.digests.all_persons(identities(record))
    theirs = select(c.digest).where(c.book == session.book.name, c.digest.in_(digests)).limit(1)
    with session.database.read() as connection:
        return connection.execute(theirs).first() is not None


# Finding


def find_by_key(session: Session, side: Side, record_id: str) -> Record | None:
    """The record of that side that names this one as its twin."""
    if session.is_blind(side):
        return None
    found = session.system(side).find(key=record_id)
    if len(found) > 1:
        raise HeldError(f"several records in {NAMES[side]} name it as their twin")
    return found[0] if found else None


def _find(session: Session, link: Link, side: Side, record: Record) -> Record | None:
    to, copies = other(side), session.book.mode == "copy"
    names_twin = record.key and not copies and not has_old_key(session, side, record)
    if session.is_blind(to):
        if names_twin and record.key != record.id:  # its id there is its own, if it is ours
            raise HeldError(f"it names a record in {NAMES[to]}, which can't be read, as its twin")
        return None
    if record.key and names_twin:
        return _named_twin(session, link, to, record.key)
    by_key = find_by_key(session, to, record.id)
    if by_key:
        return by_key
    found = _candidates(session, to, record)
    candidates = [each for each in found if not _is_linked(session, link, to, each)]
    if not candidates:
        return None
    if len(candidates) > 1:
        raise HeldError(f"several records in {NAMES[to]} may be the same person")
    if not _is_free(session, link, to, candidates[0]):
        raise HeldError(f"the same person's record in {NAMES[to]} has another twin")
    rivals = [] if copies else _candidates(session, side, candidates[0])
    if any(each.id != record.id and not _is_linked(session, link, side, each) for each in rivals):
        raise HeldError(f"several records in {NAMES[side]} may be the same person")
    return candidates[0]


def has_old_key(session: Session, side: Side, record: Record) -> bool:
    """Whether a record names the twin of another one, whose link has ended.

    It got the key when that one was merged into it.
    """
    with session.database.read() as connection:
        named = find_link(connection, session.book.name, other(side), record.key or "")
    return named is not None and named.state in ENDED and named.id_at(side) != record.id


def _named_twin(session: Session, link: Link, to: Side, key: str) -> Record:
    twin = session.system(to).get(key)
    if twin is None or twin.id != key:
        raise HeldError(f"it names a record as its twin that isn't in {NAMES[to]}")
    if not _is_free(session, link, to, twin):
        raise HeldError(f"it names a record in {NAMES[to]} that has another twin")
    return twin


def _candidates(session: Session, side: Side, record: Record) -> list[Record]:
    found: dict[str, Record] = {}
    if record.emails:
        for email in record.emails[:_MOST_IDENTITIES]:
            found |= {each.id: each for each in session.system(side).find(email=email)}
    else:
        for phone in record.phones[:_MOST_IDENTITIES]:
            found |= {each.id: each for each in session.system(side).find(phone=phone)}
    return list(found.values())


def _is_linked(session: Session, link: Link, side: Side, record: Record) -> bool:
    """Whether it is the twin of another record: the same person is there twice, on both sides."""
    with session.database.read() as connection:
        found = find_link(connection, link.book, side, record.id)
    return found is not None and found.state == "linked"


def _is_free(session: Session, link: Link, side: Side, record: Record) -> bool:
    """Whether a record has no twin, and had none."""
    if record.key not in (None, link.id_at(other(side))):
        return False
    with session.database.read() as connection:
        found = find_link(connection, link.book, side, record.id)
    return found is None or found.id_at(other(side)) is None


def _adopt(session: Session, link: Link, twin: Record, intent: Intent | None = None) -> Link:
    """Link the two. Of a create of ours that was found again, the bases are known."""
    side: Side = "crm" if link.wix_id else "wix"
    values = {"wix_base": intent.wix_base, "crm_base": intent.crm_base} if intent else {}
    return _take(session, link, side, twin, **values)


def _take(session: Session, link: Link, side: Side, twin: Record, **values: Any) -> Link:
    values |= {f"{side}_id": twin.id, "state": "linked", "linked_at": session.clock()}
    with session.database.write() as connection:
        if not absorb(connection, link, side, twin.id):
            raise HeldError(f"the same person's record in {NAMES[side]} has another twin")
        return write_link(connection, link, intent=None, **values)


# Creating


def _create(session: Session, link: Link, side: Side, record: Record) -> Found:
    to, now, decider = other(side), session.clock(), session.decider()
    views = {side: View(record), to: View(Record(""))}
    decision = decider.decide(views)
    write = replace(decision.write(to), key=record.id)
    if not write.values:
        # Nothing of it is mapped yet; the next change will be looked at.
        with session.database.write() as connection:
            finish_link(connection, link, now)
        return None
    bases = decider.advance(decision, to, views, predict(session, to, views[to].record, write))
    intent = Intent("create", to, now, wix_base=bases["wix"], crm_base=bases["crm"])
    link = intend(session, link, intent)
    try:
        said = send(session, link, lambda: session.system(to).create(write))
    except AlreadyExistsError as error:
        return _take_existing(session, link, to, record, error)
    bases = decider.advance(decision, to, views, said)
    values: dict[str, Any] = {f"{each}_base": base for each, base in bases.items()}
    values[f"{to}_revision"] = said.revision
    return _take(session, link, to, said, **values), {side: record, to: said}


def _take_existing(
    session: Session, link: Link, side: Side, record: Record, error: AlreadyExistsError
) -> Found:
    """The system has the person, though no search finds them: it says who, or a search lags."""
    twin = session.system(side).get(error.record_id) if error.record_id else None
    if twin:
        if not _is_free(session, link, side, twin):
            raise HeldError(f"the same person's record in {NAMES[side]} has another twin") from None
        return _adopt(session, link, twin), {other(side): record, side: twin}
    if link.attempts >= _MOST_ATTEMPTS:
        raise HeldError(f"{NAMES[side]} refuses a second record of the person") from None
    wait = max(session.system(side).capabilities.index_lag, doubled(FIRST, link.attempts))
    until, attempts = session.clock() + wait, link.attempts + 1
    postpone_link(session.database, link, until, str(error), attempts=attempts)
    return None
