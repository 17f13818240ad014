"""The plan and the first load: both sides are read whole, matched, and made equal pair by pair."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, select

from formapp.crm.compare import compared
from formapp.crm.copying import copy_next
from formapp.crm.decide import SIDES, View
from formapp.crm.discover import SWEEP_EVERY, start_following
from formapp.crm.holding import hold_book
from formapp.crm.matching import Matches, match
from formapp.crm.model import Plan, Side
from formapp.crm.reconcile import work_off
from formapp.crm.session import Session
from formapp.crm.store import (
    ClaimLostError,
    Link,
    add_links,
    claim_due,
    claim_link,
    id_column,
    read_book,
    read_cursor,
    write_book,
    write_claimed_book,
    write_cursor,
)
from formapp.crm.system import Record, Source, UnavailableError, batches
from formapp.db.tables import crm_links

PLAN_LIFE = timedelta(days=1)
"""A plan older than this no longer shows what a load would do."""

CALLS_PER_MINUTE = 150
"""Three quarters of Wix's 200: leads go first."""

_READ = 100
_LIST = 1000
_LONGEST_SLEEP = timedelta(minutes=5)

Progress = Callable[[int, int], None]
"""Receives how many contacts are done, and how many there are."""


class PlanNeededError(Exception):
    """There is no plan, or it is older than a day."""


class BusyError(Exception):
    """Another process works on the book at this moment."""


def plan(session: Session, progress: Progress = lambda _done, _total: None) -> Plan:
    """Read both sides and say what `load` would do; writes nothing but that a plan was made."""
    wix, crm = _read_all(session, progress)
    found = match(wix, crm)
    decider = session.decider()
    update = conflicts = writes = 0
    for wix_id, crm_id in found.pairs:
        decision = decider.decide({"wix": View(wix[wix_id]), "crm": View(crm[crm_id])})
        conflicts += len(decision.overruled) + len(decision.asks)
        update += bool(decision.values["wix"] or decision.values["crm"] or decision.asks)
        writes += bool(decision.values["wix"]) or wix[wix_id].key is None
    create_in_crm, create_in_wix = len(found.only_wix), len(found.only_crm)
    if session.book.mode == "copy":
        calls, update, conflicts, create_in_wix = -(-len(wix) // _LIST), 0, 0, 0
    else:
        reads = -(-len(wix) // _LIST) + -(-len(wix) // _READ)
        # A create at Wix is preceded by two searches; one elsewhere is followed by a key at Wix.
        calls = reads + writes + create_in_crm + 3 * create_in_wix
    with session.database.write() as connection:
        write_book(connection, session.book.name, planned_at=session.clock())
    return Plan(
        session.book.name,
        link=len(found.pairs),
        create_in_crm=create_in_crm,
        create_in_wix=create_in_wix,
        update=update,
        conflicts=conflicts,
        held=len(found.held_wix) + len(found.held_crm),
        wix_calls=calls,
        seconds=calls * 60 / CALLS_PER_MINUTE,
    )


def load(
    session: Session, record: Side = "wix", progress: Progress = lambda _done, _total: None
) -> None:
    """Do the first load, or go on with it; then the book is running.

    `record` is the system of record: its values stay where both sides hold one; a load that goes on
    keeps that of its beginning, and copy mode has none. Raises PlanNeededError, BusyError, and
    UnavailableError or UnauthorizedError where a side fails: call it again.
    """
    book = session.book.name
    with session.database.read() as connection:
        row = read_book(connection, book)
    if row is not None and row.state == "running":
        return
    if row is None or row.state != "loading":
        check_plan(session)
        with session.database.write() as connection:
            write_book(connection, book, state="loading", record=record, run_at=session.clock())
    else:
        record = row.record
    session.record = record
    with hold_book(session.database, book, session.clock) as fence:
        if fence is None:
            raise BusyError("another process works on this book")
        try:
            _load(session, fence, progress)
        except ClaimLostError:
            raise BusyError("another process went on with this book") from None


def _load(session: Session, fence: int, progress: Progress) -> None:
    step = _Load(session, progress)
    if session.book.mode == "copy":
        step.copy()
    else:
        start_following(session)
        step.run()
    now = session.clock()
    values = {"state": "running", "due_at": now, "sweep_at": now + SWEEP_EVERY, "reason": None}
    with session.database.write() as connection:
        write_claimed_book(connection, session.book.name, fence, last_pass_at=now, **values)
        compared(connection, session, now)


def check_plan(session: Session) -> None:
    """Raise PlanNeededError unless the owner has seen what a load does; copy mode needs no plan."""
    with session.database.read() as connection:
        row = read_book(connection, session.book.name)
    planned: datetime | None = row.planned_at if row else None
    is_fresh = planned is not None and planned >= session.clock() - PLAN_LIFE
    if session.book.mode != "copy" and not is_fresh:
        raise PlanNeededError("a plan of the last day is needed first")


def _read_all(session: Session, progress: Progress) -> tuple[dict[str, Record], dict[str, Record]]:
    found: dict[Side, dict[str, Record]] = {"wix": {}, "crm": {}}
    done = 0
    for side in SIDES:
        system = session.system(side)
        # Page by page: a system may still hold the records of the page that it has just listed.
        for page in system.sweep() if system.capabilities.lists else ():
            for batch in batches(list(page), _READ):
                found[side] |= system.get_many(batch)
                done += len(batch)
                progress(done, done)
    return found["wix"], found["crm"]


class _Load:
    """A load under way; every pair's link is stored before the pair is touched."""

    def __init__(self, session: Session, progress: Progress) -> None:
        self.session, self.progress = session, progress
        self.book = session.book.name
        self.done = self.total = 0

    def run(self) -> None:
        """Work off what an earlier run left, then all others."""
        while link := claim_due(self.session.database, self.book, self.session.clock()):
            self._work_off(link, {})
        wix, crm = _read_all(self.session, lambda _done, _total: None)
        with self.session.database.read() as connection:
            known = {side: _known(connection, self.book, side) for side in SIDES}
        found = match(
            {each: record for each, record in wix.items() if each not in known["wix"]},
            {each: record for each, record in crm.items() if each not in known["crm"]},
        )
        self.done = len(known["wix"] | known["crm"])
        new = len(found.pairs) + len(found.only_wix) + len(found.only_crm)
        self.total = self.done + new + len(found.held_wix) + len(found.held_crm)
        self._hold(found)
        self._store_progress()
        for batch in batches(list(_rows(found)), _READ):
            for link_id, row in self._insert(batch):
                records: dict[Side, Record] = {}
                if row["wix_id"]:
                    records["wix"] = wix[row["wix_id"]]
                if row["crm_id"]:
                    records["crm"] = crm[row["crm_id"]]
                link = claim_link(self.session.database, self.book, link_id, self.session.clock())
                if link:
                    self._work_off(link, records)
                self.done += 1
            self._store_progress()

    def copy(self) -> None:
        more = True
        while more:
            with self._waiting():
                more = copy_next(self.session, cast("Source", self.session.wix))
            with self.session.database.read() as connection:
                cursor = read_cursor(connection, self.book, "wix", "initial")
            if cursor:
                self.progress(cursor.done, cursor.total)

    def _work_off(self, link: Link, records: Mapping[Side, Record]) -> None:
        with self._waiting():
            work_off(self.session, link, records)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Wait for room in the rate budget: a link that needed it is due again by then."""
        try:
            yield
        except UnavailableError as error:
            if error.wait is None or error.wait > _LONGEST_SLEEP:
                raise
            self.session.sleep(error.wait.total_seconds())

    def _store_progress(self) -> None:
        with self.session.database.write() as connection:
            values = {"done": self.done, "total": self.total}
            write_cursor(connection, self.book, "wix", "initial", **values)
        self.progress(self.done, self.total)

    def _hold(self, found: Matches) -> None:
        rows = [
            {"book": self.book, "state": "held", f"{side}_id": each, "reason": reason}
            for side, held in (("wix", found.held_wix), ("crm", found.held_crm))
            for each, reason in held.items()
        ]
        with self.session.database.write() as connection:
            add_links(connection, rows)
        self.done += len(rows)

    def _insert(self, batch: Sequence[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
        now = self.session.clock()
        more = {"book": self.book, "due_at": now}
        rows = [
            {**row, **more, "linked_at": now if row["state"] == "linked" else None} for row in batch
        ]
        with self.session.database.write() as connection:
            ids = add_links(connection, rows)
        return zip(ids, batch, strict=True)


def _rows(found: Matches) -> Iterator[dict[str, Any]]:
    for wix_id, crm_id in found.pairs:
        yield {"wix_id": wix_id, "crm_id": crm_id, "state": "linked"}
    for wix_id in found.only_wix:
        yield {"wix_id": wix_id, "crm_id": None, "state": "new"}
    for crm_id in found.only_crm:
        yield {"wix_id": None, "crm_id": crm_id, "state": "new"}


def _known(connection: Connection, book: str, side: Side) -> set[str]:
    column = id_column(side)
    query = select(column).where(crm_links.c.book == book, column.is_not(None))
    return set(connection.scalars(query))
