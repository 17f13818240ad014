"""The rows of books and links: claims, hints, intents, cursors.

A link's row is the queue: it is due while `due_at` is set. A claim is a conditional update with a
lease and a fencing number, as with deliveries: once another worker has claimed a link, writes of
the earlier one raise `ClaimLostError`, and it must stop.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from formapp.crm.model import Side
from formapp.crm.system import batches
from formapp.db.database import Database, is_over, lock_for_transaction, upsert
from formapp.db.tables import crm_books, crm_cursors, crm_links
from formapp.decoding import decodable

LEASE = timedelta(seconds=45)
"""Longer than the calls between two commits may take; renewed with each intent."""

LONGEST_WAIT = timedelta(days=1)
"""A time further ahead was stored by a wrong clock, and counts as over."""

UNSURE = "whether it was created is not known yet"
"""The reason of a link that waits after a create of unknown outcome, a minute or so."""

_LOCK = 0x63726D6C  # "crml"

Base = Mapping[str, Any]
"""A side's fields as it last said them: `formapp.crm.decide` reads it."""


class ClaimLostError(Exception):
    """Another worker has the link or the book: stop."""


@decodable
class Intent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A write that is about to be sent, stored before it is.

    Attributes:
        wix_base, crm_base: both sides' bases once it has succeeded.
        fields: the names (of `side`) that it writes.
        conflicts: ids of the conflicts that it decides; withdrawn if it is refused.
    """

    operation: Literal["create", "update"]
    side: Side
    at: datetime
    wix_base: dict[str, Any] = msgspec.field(default_factory=dict)
    crm_base: dict[str, Any] = msgspec.field(default_factory=dict)
    fields: list[str] = msgspec.field(default_factory=list)
    conflicts: list[int] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True, repr=False)
class Link:
    """A row of `crm_links` as it was claimed or last written.

    Attributes:
        hints: how many it had when it was claimed; a further one keeps it due.
    """

    id: int
    book: str
    wix_id: str | None
    crm_id: str | None
    state: str
    reason: str | None = None
    wix_revision: str | None = None
    crm_revision: str | None = None
    wix_base: Base = field(default_factory=dict)
    crm_base: Base = field(default_factory=dict)
    gone_at: datetime | None = None
    gone_allowed: bool = False
    hints: int = 0
    attempts: int = 0
    fence: int = 0
    intent: Intent | None = None

    def id_at(self, side: Side) -> str | None:
        return self.wix_id if side == "wix" else self.crm_id

    def base(self, side: Side) -> Base:
        return self.wix_base if side == "wix" else self.crm_base


_COLUMNS = [each.name for each in fields(Link)]


def id_column(side: Side) -> Any:
    return crm_links.c[f"{side}_id"]


def read_link(row: Row[Any]) -> Link:
    stored = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    values = {name: stored[name] for name in _COLUMNS}
    values["wix_base"] = values["wix_base"] or {}
    values["crm_base"] = values["crm_base"] or {}
    values["intent"] = values["intent"] and msgspec.convert(values["intent"], Intent)
    return Link(**values)


# Claims


def claim_due(database: Database, book: str, now: datetime) -> Link | None:
    """Claim the link of the book that has been due longest."""
    due = (
        select(crm_links)
        .where(crm_links.c.book == book, is_over(crm_links.c.due_at, now, LONGEST_WAIT))
        .order_by(crm_links.c.due_at, crm_links.c.id)
    )
    return _claim(database, book, due, now)


def is_due_soon(database: Database, book: str, now: datetime) -> bool:
    """Whether a due link is claimed, by another process or one that was killed, or is unsure."""
    c = crm_links.c
    claimed = is_over(c.due_at, now, LONGEST_WAIT) & ~_is_free(crm_links, now)
    unsure = c.due_at.is_not(None) & (c.reason == UNSURE)
    soon = select(c.id).where(c.book == book, claimed | unsure).limit(1)
    with database.read() as connection:
        return connection.execute(soon).first() is not None


def claim_link(database: Database, book: str, link_id: int, now: datetime) -> Link | None:
    """Claim this one, due or not; None: another worker has it, or it is gone."""
    this = select(crm_links).where(crm_links.c.book == book, crm_links.c.id == link_id)
    return _claim(database, book, this, now)


def _claim(database: Database, book: str, query: Any, now: datetime) -> Link | None:
    with database.write() as connection:
        # Two claims at once would each look before the other.
        lock_for_transaction(connection, _LOCK, book)
        other = crm_links.alias("other")
        matching_elsewhere = exists().where(
            other.c.book == book, is_matching(other), ~_is_free(other, now)
        )
        # Records that have no twin yet are matched one at a time: two workers that each look for
        # the same person's twin would make two.
        may = and_(_is_free(crm_links, now), or_(~is_matching(crm_links), ~matching_elsewhere))
        row = connection.execute(query.where(may).limit(1)).first()
        if row is None:
            return None
        this = update(crm_links).where(crm_links.c.id == row.id)
        values = {"fence": row.fence + 1, "lease_until": now + LEASE}
        claimed = this.values(values).returning(crm_links)
        return read_link(connection.execute(claimed).one())


def _is_free(links: Any, now: datetime) -> ColumnElement[bool]:
    return or_(links.c.lease_until.is_(None), is_over(links.c.lease_until, now, 2 * LEASE))


def is_matching(links: Any) -> ColumnElement[bool]:
    """Whether a link's record still has no twin."""
    return or_(links.c.wix_id.is_(None), links.c.crm_id.is_(None))


def read_again(database: Database, link: Link) -> Link:
    """A claimed link as it is stored now; raises ClaimLostError."""
    held = (crm_links.c.id == link.id) & (crm_links.c.fence == link.fence)
    with database.read() as connection:
        row = connection.execute(select(crm_links).where(held)).first()
    if row is None:
        raise ClaimLostError
    return replace(read_link(row), hints=link.hints)


def lock_link(connection: Connection, link: Link) -> Link | None:
    """Lock a link, whichever worker has it; return it as it is stored, or None if it is gone."""
    query = select(crm_links).where(crm_links.c.id == link.id).with_for_update()
    row = connection.execute(query).first()
    return read_link(row) if row else None


def write_link(connection: Connection, link: Link, **values: Any) -> Link:
    """Write to a claimed link; raises ClaimLostError, and IntegrityError for another's id."""
    intent = values.get("intent")
    if isinstance(intent, Intent):
        values["intent"] = msgspec.to_builtins(intent)
        values["lease_until"] = intent.at + LEASE
    held = (crm_links.c.id == link.id) & (crm_links.c.fence == link.fence)
    written = update(crm_links).where(held).values(values).returning(crm_links)
    row = connection.execute(written).first()
    if row is None:
        raise ClaimLostError
    # The count at the claim: a hint that came since must keep the link due.
    return replace(read_link(row), hints=link.hints)


def finish_link(connection: Connection, link: Link, now: datetime, **values: Any) -> Link:
    """Write to a claimed link and give it back; it stays due if there was a hint meanwhile."""
    due_at = case((crm_links.c.hints == link.hints, None), else_=now)
    done = {"due_at": due_at, "lease_until": None, "intent": None, "attempts": 0, "reason": None}
    return write_link(connection, link, **{**done, **values})


def postpone_link(
    database: Database, link: Link, until: datetime, reason: str | None, **values: Any
) -> None:
    """Give a claimed link back, to be tried again later; its intent stays."""
    given = {"due_at": until, "lease_until": None, "reason": reason, **values}
    with database.write() as connection:
        write_link(connection, link, **given)


def delete_link(connection: Connection, link: Link) -> None:
    """Delete a claimed link, and its conflicts; raises ClaimLostError."""
    held = (crm_links.c.id == link.id) & (crm_links.c.fence == link.fence)
    if connection.execute(delete(crm_links).where(held)).rowcount != 1:
        raise ClaimLostError


def find_link(connection: Connection, book: str, side: Side, record_id: str) -> Link | None:
    """The link of a record, in any state."""
    query = select(crm_links).where(crm_links.c.book == book, id_column(side) == record_id)
    row = connection.execute(query).first()
    return read_link(row) if row else None


def add_links(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Insert links; returns their ids in the rows' order."""
    statement = insert(crm_links).returning(crm_links.c.id)
    return [connection.execute(statement, row).scalar_one() for row in rows]


def count_links(connection: Connection, condition: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(crm_links).where(condition)
    return connection.execute(query).scalar_one()


def absorb(connection: Connection, link: Link, side: Side, record_id: str) -> bool:
    """Make way for `link` to get this record: drop a link of the record alone, without a twin.

    False: the record has a twin, or had one. The claimed link is the only one that is matched now.
    """
    found = find_link(connection, link.book, side, record_id)
    if found is None or found.id == link.id:
        return True
    if found.state not in ("new", "held") or (found.wix_id and found.crm_id) or found.intent:
        return False
    connection.execute(delete(crm_links).where(crm_links.c.id == found.id))
    return True


# Hints

_OPEN = ("new", "linked", "held")
"""States of links that a hint makes due. Those of the others have ended."""

ENDED = ("merged_into", "wix_gone", "crm_gone")
"""States of links of which a record was deleted or merged away."""

_BATCH = 500


def add_hints(
    connection: Connection,
    book: str,
    side: Side,
    seen: Mapping[str, str | None],
    now: datetime,
) -> None:
    """Make the links of these records due; a record without a link gets a new one.

    `seen` has the revisions: a link that has the same is not due. Empty: it has changed to one that
    isn't known. None: it is there, and nothing says whether it has changed.
    """
    column = id_column(side)
    revision = crm_links.c[f"{side}_revision"]
    for batch in batches(list(seen), _BATCH):
        known = select(
            column.label("record_id"),
            crm_links.c.id,
            crm_links.c.state,
            revision.label("revision"),
            crm_links.c.gone_at,
        ).where(crm_links.c.book == book, column.in_(batch))
        found = {row.record_id: row for row in connection.execute(known)}
        new = [each for each in batch if each not in found]
        due = [row.id for each, row in found.items() if _is_news(row, seen[each])]
        if new:
            fresh = {"book": book, "state": "new", "due_at": now}
            rows = [{**fresh, f"{side}_id": each, f"{side}_revision": seen[each]} for each in new]
            # Another worker may have seen them at the same moment.
            build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            connection.execute(build(crm_links).on_conflict_do_nothing(), rows)
        for each, row in found.items():
            if row.state == "held":
                # It is looked at again only once its record has changed.
                this = update(crm_links).where(crm_links.c.id == row.id)
                connection.execute(this.values({revision: seen[each]}))
        _make_due(connection, crm_links.c.id.in_(due), now)


def _is_news(row: Any, revision: str | None) -> bool:
    if row.state not in _OPEN:
        return False
    known = revision is None or (revision != "" and revision == row.revision)
    return row.state == "new" or row.gone_at is not None or not known


def add_absences(
    connection: Connection, book: str, side: Side, ids: Collection[str], now: datetime
) -> None:
    """Note that these records seem to be gone: a read will say."""
    for batch in batches(list(ids), _BATCH):
        theirs = id_column(side).in_(batch)
        _make_due(connection, theirs & (crm_links.c.book == book), now, absent=True)


def retry_held(connection: Connection, book: str, now: datetime) -> None:
    """Make the held links of a book due: what held them may be mended."""
    c = crm_links.c
    _make_due(connection, (c.book == book) & (c.state == "held"), now)


def _make_due(
    connection: Connection, which: ColumnElement[bool], now: datetime, *, absent: bool = False
) -> None:
    values: dict[str, Any] = {
        "due_at": func.coalesce(crm_links.c.due_at, literal(now, crm_links.c.due_at.type)),
        "hints": crm_links.c.hints + 1,
    }
    if absent:
        values["gone_at"] = func.coalesce(
            crm_links.c.gone_at, literal(now, crm_links.c.gone_at.type)
        )
    chosen = which & crm_links.c.state.in_(_OPEN)
    connection.execute(update(crm_links).where(chosen).values(values))


# Books and cursors


def read_book(connection: Connection, book: str) -> Row[Any] | None:
    """The row of a book; None: it was never planned nor started."""
    return connection.execute(select(crm_books).where(crm_books.c.book == book)).first()


def write_book(connection: Connection, book: str, **values: Any) -> None:
    """Write to the row of a book, which is made if need be."""
    upsert(connection, crm_books, {"book": book}, {"state": "new", **values}, changes=values)


def claim_book(database: Database, book: str, now: datetime, lease: timedelta) -> int | None:
    """Claim the book for a load or a look at both sides; returns the fence, None if it is taken."""
    free = or_(crm_books.c.lease_until.is_(None), is_over(crm_books.c.lease_until, now, 2 * LEASE))
    claim = update(crm_books).where(crm_books.c.book == book, free)
    claim = claim.values(fence=crm_books.c.fence + 1, lease_until=now + lease)
    with database.write() as connection:
        fence: int | None = connection.execute(claim.returning(crm_books.c.fence)).scalar()
    return fence


def write_claimed_book(connection: Connection, book: str, fence: int, **values: Any) -> None:
    """Write to a claimed book, such as a new `lease_until`; raises ClaimLostError."""
    held = (crm_books.c.book == book) & (crm_books.c.fence == fence)
    if connection.execute(update(crm_books).where(held).values(values)).rowcount != 1:
        raise ClaimLostError


def read_cursor(connection: Connection, book: str, side: Side, kind: str) -> Row[Any] | None:
    c = crm_cursors.c
    query = select(crm_cursors).where(c.book == book, c.side == side, c.kind == kind)
    return connection.execute(query).first()


def write_cursor(connection: Connection, book: str, side: Side, kind: str, **values: Any) -> None:
    """Store a cursor, in the transaction of what was read up to it."""
    key = {"book": book, "side": side, "kind": kind}
    upsert(connection, crm_cursors, key, values)
