"""Comparing both sides' values now and then, whatever their revisions and cursors say.

Some systems change a value and say nothing: no new revision, no entry among the changes. And a base
that is wrong would hide that both sides differ. A day's first sweep of Wix, which lists contacts in
full, compares each linked contact with its twin: without any further call to Wix.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from formapp.crm.decide import SIDES, Views
from formapp.crm.model import FieldPair
from formapp.crm.session import Session
from formapp.crm.store import (
    LONGEST_WAIT,
    Link,
    add_hints,
    claim_link,
    read_cursor,
    read_link,
    write_cursor,
    write_link,
)
from formapp.crm.system import Record, batches
from formapp.db.tables import crm_links

COMPARE_EVERY = timedelta(days=1)

_BATCH = 100


def is_due(session: Session) -> bool:
    """Whether both sides' values are to be compared with the next sweep."""
    if session.book.mode == "copy" or session.is_blind("crm"):
        return False
    with session.database.read() as connection:
        row = read_cursor(connection, session.book.name, "wix", "compare")
    age = session.clock() - row.started_at if row else COMPARE_EVERY
    # A time further ahead was stored by a wrong clock.
    return age >= COMPARE_EVERY or age < -LONGEST_WAIT


def compared(connection: Connection, session: Session, started: datetime) -> None:
    write_cursor(connection, session.book.name, "wix", "compare", started_at=started)


def compare(session: Session, wix_ids: Sequence[str]) -> None:
    """Make due what differs though nothing said so; `wix_ids` were just listed."""
    links = _linked(session, wix_ids)
    wix = session.wix.get_many([link.wix_id or "" for link in links])
    for batch in batches(links, _BATCH):
        crm = session.crm.get_many([link.crm_id or "" for link in batch])
        for link in batch:
            one, two = wix.get(link.wix_id or ""), crm.get(link.crm_id or "")
            if one and two:
                _compare(session, link, one, two)


def _linked(session: Session, wix_ids: Sequence[str]) -> list[Link]:
    """The links with nothing to do; what is due is read anyway."""
    c = crm_links.c
    mine = (c.book == session.book.name) & (c.state == "linked") & c.due_at.is_(None)
    found = []
    with session.database.read() as connection:
        for batch in batches(wix_ids, _BATCH):
            theirs = select(crm_links).where(mine, c.wix_id.in_(batch))
            found += [read_link(row) for row in connection.execute(theirs)]
    return found


def _compare(session: Session, link: Link, wix: Record, crm: Record) -> None:
    views: Views = {"wix": session.view(link, "wix", wix), "crm": session.view(link, "crm", crm)}
    decision = session.decider().decide(views)
    if any(decision.values.values()):
        with session.database.write() as connection:
            seen = {link.wix_id or "": ""}
            add_hints(connection, link.book, "wix", seen, session.clock())
    elif drifted := session.decider().drifted(views):
        _compare_anew(session, link, drifted)


def _compare_anew(session: Session, link: Link, fields: Sequence[FieldPair]) -> None:
    """Forget what both sides last said of these fields: the next pass compares them first."""
    claimed = claim_link(session.database, link.book, link.id, session.clock())
    if claimed is None:
        return
    values: dict[str, Any] = {"lease_until": None}
    if (claimed.wix_base, claimed.crm_base) == (link.wix_base, link.crm_base):
        values["due_at"] = session.clock()
        for side in SIDES:
            gone = {pair.name(side) for pair in fields}
            kept = {name: each for name, each in link.base(side).items() if name not in gone}
            values[f"{side}_base"] = kept
    with session.database.write() as connection:
        write_link(connection, claimed, **values)
