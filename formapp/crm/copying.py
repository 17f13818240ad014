"""Copying new Wix contacts: all of them once, then those that were created since. One way.

The checkpoint is the newest `createdDate` that was seen, less an overlap, with `$gte`; what was
copied already is known by its link. A checkpoint of "now" would miss contacts: Wix's index lags,
clocks differ, and several contacts may have the same time.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from formapp.crm.reconcile import work_off
from formapp.crm.session import Session
from formapp.crm.store import add_links, claim_link, read_cursor, write_cursor
from formapp.crm.system import Page, Record, Source, batches
from formapp.db.tables import crm_links

OVERLAP = timedelta(minutes=10)

_END = "end"
_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
_BATCH = 20
"""Contacts whose links are stored at a time: after a failure they are read one by one."""


def copy_next(session: Session, source: Source) -> bool:
    """Copy one page of contacts; False if there is none left for now."""
    book = session.book.name
    with session.database.read() as connection:
        listed = read_cursor(connection, book, "wix", "initial")
        newest = read_cursor(connection, book, "wix", "changes")
    if listed is None or listed.position != _END:
        return _copy_list(session, source, int(listed.position or 0) if listed else 0)
    checkpoint = datetime.fromisoformat(newest.position) if newest else _BEFORE_ALL
    for page in source.created_since(checkpoint - OVERLAP):
        _copy(session, page)
    return False


def _copy_list(session: Session, source: Source, offset: int) -> bool:
    page = next(iter(source.list_all(offset)), Page(()))
    _copy(session, page)
    more = bool(page.records) and page.offset > offset
    with session.database.write() as connection:
        values = {"position": str(page.offset) if more else _END, "done": page.offset or offset}
        values["total"] = page.total or values["done"]
        write_cursor(connection, session.book.name, "wix", "initial", **values)
    return more


def _copy(session: Session, page: Page) -> None:
    for batch in batches(_new(session, page.records), _BATCH):
        _copy_batch(session, batch)
    times = [record.created_at for record in page.records if record.created_at]
    if times:
        _advance(session, max(times))


def _new(session: Session, records: Sequence[Record]) -> list[Record]:
    """Those without a link."""
    ids = {record.id: record for record in records}
    query = select(crm_links.c.wix_id).where(
        crm_links.c.book == session.book.name, crm_links.c.wix_id.in_(ids)
    )
    with session.database.read() as connection:
        known = set(connection.scalars(query))
    return [record for each, record in ids.items() if each not in known]


def _copy_batch(session: Session, records: Sequence[Record]) -> None:
    book, now = session.book.name, session.clock()
    with session.database.write() as connection:
        new = {"book": book, "state": "new", "due_at": now}
        ids = add_links(connection, ({**new, "wix_id": record.id} for record in records))
    for link_id, record in zip(ids, records, strict=True):
        link = claim_link(session.database, book, link_id, session.clock())
        if link:
            work_off(session, link, {"wix": record})


def _advance(session: Session, newest: datetime) -> None:
    """Move the checkpoint, never back."""
    book = session.book.name
    with session.database.write() as connection:
        cursor = read_cursor(connection, book, "wix", "changes")
        if cursor is None or datetime.fromisoformat(cursor.position) < newest:
            values = {"position": newest.isoformat(), "started_at": newest}
            write_cursor(connection, book, "wix", "changes", **values)
