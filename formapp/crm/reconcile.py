"""One pass over a link: read both sides in full, decide, write, store what the answers said.

A process may end between any two calls and commits: what was intended is recognized by the next
pass, whose decision starts from the same bases.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from formapp.crm import conflicts, ending, twins
from formapp.crm.decide import KEY, SIDES, Base, Decision, Overruled, Views
from formapp.crm.events import crm_source, erase_contents, last_event
from formapp.crm.model import Side, other
from formapp.crm.session import NAMES, HeldError, Session
from formapp.crm.store import Intent, Link, finish_link, postpone_link, read_again
from formapp.crm.system import (
    AlreadyExistsError,
    CrmError,
    GoneError,
    Record,
    RefusedError,
    StaleError,
    UnauthorizedError,
    UnavailableError,
    Value,
    Write,
)
from formapp.crm.writing import commit_answer, intend, keep_overwritten, predict, send
from formapp.forms.reading.contact import read_phone
from formapp.jobs.backoff import doubled

ROUNDS = 3
"""How often a link is read again after a stale write, within one pass."""

_WRITES = 4
"""Writes within a round: one to each side, and one more that follows from each answer."""

_FIRST_WAIT = timedelta(seconds=30)


def work_off(
    session: Session,
    link: Link,
    known: Mapping[Side, Record] | None = None,
) -> bool:
    """Work off a claimed link; False if it failed and is tried again later.

    `known` are records that were just read. Raises UnavailableError and UnauthorizedError once the
    link is given back, since other links would fail as well, and ClaimLostError.
    """
    try:
        _work_off(session, link, dict(known or {}))
    except (HeldError, RefusedError, AlreadyExistsError) as error:
        if isinstance(error, CrmError) and error.maybe_applied:
            # The intent stays, so that the next pass recognizes what is in place.
            _give_back(session, link, str(error), None)
            return False
        now = session.clock()
        with session.database.write() as connection:
            finish_link(connection, link, now, state="held", reason=str(error))
    except (UnavailableError, UnauthorizedError) as error:
        _give_back(session, link, str(error), error.wait)
        raise
    except (CrmError, IntegrityError) as error:
        changing = isinstance(error, StaleError | GoneError | IntegrityError)
        reason = "its records change all the time" if changing else str(error)
        _give_back(session, link, reason, None)
        return False
    return True


def _give_back(session: Session, link: Link, reason: str, wait: timedelta | None) -> None:
    """Schedule another try; a wait that the system names is no failed attempt."""
    until = session.clock() + (wait or doubled(_FIRST_WAIT, link.attempts))
    attempts = link.attempts + (wait is None)
    postpone_link(session.database, link, until, reason, attempts=attempts)


def _work_off(session: Session, link: Link, records: dict[Side, Record]) -> None:
    if link.state == "erasing":
        ending.erase_twin(session, link)
        return
    seen = _last_post(session)
    if link.wix_id is None or link.crm_id is None:
        found = twins.find_or_create(session, link, records)
        if found is None:
            return
        link, records = found
    if session.book.mode == "copy":
        # Both are there, maybe since before a process ended; nothing is written at Wix.
        with session.database.write() as connection:
            finish_link(connection, link, session.clock())
        return
    for _ in range(ROUNDS):
        read = {
            side: records.get(side) or session.system(side).get(link.id_at(side) or "")
            for side in SIDES
        }
        here = {side: record for side, record in read.items() if record}
        try:
            if len(here) < len(SIDES):
                ending.end_gone(session, link, here)
            elif any(record.id != link.id_at(side) for side, record in here.items()):
                ending.end_merged(session, link, here)
            else:
                _make_equal(session, link, here, seen)
        except (StaleError, GoneError):
            records, link = {}, read_again(session.database, link)
        else:
            return
    raise StaleError("it changes all the time")


def _last_post(session: Session) -> int:
    """The newest event whose fields the pass has seen, for a system that can't be read."""
    if not session.is_blind("crm"):
        return 0
    with session.database.read() as connection:
        return last_event(connection, crm_source(session.book.name))


# Two records that are both there


def _make_equal(session: Session, link: Link, records: dict[Side, Record], seen: int) -> None:
    _check_keys(session, link, records)
    link = recognize(session, link, records)
    with session.database.read() as connection:
        choices = conflicts.read_choices(connection, link)
    for _ in range(_WRITES):
        views = {side: session.view(link, side, record) for side, record in records.items()}
        chosen = {
            each.field: each.value if each.decided else views[each.side].text(_name(session, each))
            for each in choices
        }
        decision = session.decider().decide(views, chosen)
        asked = {each.field for each in choices if not each.decided}
        decision.overruled = [each for each in decision.overruled if each.field not in asked]
        side = next((each for each in SIDES if _is_due(session, link, decision, views, each)), None)
        if side is None:
            _finish(session, link, records, decision, choices, seen)
            return
        link, records[side] = _update(session, link, decision, views, side)
    raise StaleError("it changes all the time")


def _check_keys(session: Session, link: Link, records: Mapping[Side, Record]) -> None:
    """Each record names the other one, or none: another id is never overwritten."""
    for side, record in records.items():
        known = (None, link.id_at(other(side)), link.base(side).get(KEY))
        if record.key not in known and not twins.has_old_key(session, side, record):
            raise HeldError(f"the record in {NAMES[side]} names another record as its twin")


def _key_to_write(session: Session, link: Link, views: Views, side: Side) -> str | None:
    """The twin's id, where it has never been written."""
    if session.is_blind(side) or views[side].record.key or KEY in link.base(side):
        return None
    return link.id_at(other(side))


def _is_due(session: Session, link: Link, decision: Decision, views: Views, side: Side) -> bool:
    return decision.write(side) != Write() or bool(_key_to_write(session, link, views, side))


def _update(
    session: Session, link: Link, decision: Decision, views: Views, side: Side
) -> tuple[Link, Record]:
    key = _key_to_write(session, link, views, side)
    write, record = replace(decision.write(side), key=key), views[side].record
    decider = session.decider()

    def bases_after(said: Record) -> dict[Side, Base]:
        bases = decider.advance(decision, side, views, said)
        if key:
            bases[side][KEY] = key
        return bases

    planned = bases_after(predict(session, side, record, write))
    overruled = [each for each in decision.overruled if each.side == side]
    intent = Intent(
        "update",
        side,
        session.clock(),
        wix_base=planned["wix"],
        crm_base=planned["crm"],
        fields=[*decision.values[side]],
    )
    persons = session.persons(view.record for view in views.values()) if overruled else []
    link = intend(session, link, intent, overruled, persons)
    try:
        said = send(session, link, lambda: session.system(side).update(record, write))
    except CrmError as error:
        if lost := _overwritten(session, side, write, error):
            records = [view.record for view in views.values()]
            person = _person(session, side, error.overwritten)
            keep_overwritten(session, link, lost, session.persons([*records, person]))
        raise
    return commit_answer(session, link, side, said, bases_after(said)), said


def _overwritten(session: Session, side: Side, write: Write, error: CrmError) -> list[Overruled]:
    """What a person wrote just before a write that failed, and that it replaced all the same."""
    return [
        Overruled(pair.wix, side, error.overwritten[name], write.values.get(name))
        for pair in session.book.fields
        if (name := pair.name(side)) in error.overwritten
    ]


def _person(session: Session, side: Side, overwritten: Mapping[str, Value]) -> Record:
    """The person of values that were never read: their e-mails and phones, whatever the fields."""
    texts = [
        (name, text)
        for name, value in overwritten.items()
        for text in ([value] if isinstance(value, str) else value)
    ]
    made = [session.system(side).normalise(name, text) or text for name, text in texts]
    found = [each for each in made if isinstance(each, str)]
    emails = tuple(each for each in found if "@" in each)
    phones = tuple(each for each in found if "@" not in each and read_phone(each, None))
    return Record("", emails=emails, phones=phones)


def recognize(session: Session, link: Link, records: Mapping[Side, Record]) -> Link:
    """Take over from an update of unknown outcome what is there now: it is ours, and no edit."""
    intent = link.intent
    if intent is None:
        return link
    bases = {side: dict(link.base(side)) for side in SIDES}
    planned = {"wix": intent.wix_base, "crm": intent.crm_base}
    view, decider = session.view(link, intent.side, records[intent.side]), session.decider()
    for pair in decider.pairs:
        name = pair.name(intent.side)
        written = name in intent.fields
        if written and decider.is_applied(pair, intent.side, view, planned[intent.side]):
            for side in SIDES:
                if pair.name(side) in planned[side]:
                    bases[side][pair.name(side)] = planned[side][pair.name(side)]
    return replace(link, intent=None, wix_base=bases["wix"], crm_base=bases["crm"])


def _name(session: Session, choice: conflicts.Choice) -> str:
    pairs = session.book.fields
    return next((pair.name(choice.side) for pair in pairs if pair.wix == choice.field), "")


def _finish(  # noqa: PLR0913, PLR0917 - all of what a pass has found
    session: Session,
    link: Link,
    records: Mapping[Side, Record],
    decision: Decision,
    choices: list[conflicts.Choice],
    seen: int,
) -> None:
    now = session.clock()
    persons = session.persons(records.values()) if decision.asks else []
    values: dict[str, Any] = {}
    for side, record in records.items():
        values[f"{side}_base"] = decision.bases[side]
        values[f"{side}_revision"] = record.revision
    with session.database.write() as connection:
        conflicts.close_conflicts(connection, [each.conflict_id for each in choices])
        conflicts.keep_asking(connection, link, decision.asks, persons, now)
        finish_link(
            connection, link, now, state="linked", gone_at=None, gone_allowed=False, **values
        )
        if seen:
            source = crm_source(session.book.name)
            erase_contents(connection, source, link.crm_id or "", seen)
