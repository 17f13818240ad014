"""Figures of the CRM books that were started, as the database shows them: for metrics and alerts.

Nothing of it is anybody's data.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from formapp.db.tables import crm_books, crm_conflicts, crm_links

MIN_FAILURES = 3
"""A system that is away once is an everyday matter; this many times in a row are an incident."""


@dataclass(frozen=True, slots=True)
class BookFigures:
    """One book.

    Attributes:
        failures: how often in a row it could not be looked at.
        links: by state.
        waiting: conflicts that the owner has to decide.
        lag: how long the oldest link waits that is due.
        state: as of the table, whether or not it is paused.
    """

    book: str
    paused: bool
    reason: str
    failures: int
    links: dict[str, int] = field(default_factory=dict)
    due: int = 0
    waiting: int = 0
    lag: timedelta = timedelta(0)
    state: str = "running"

    @property
    def held(self) -> int:
        """Links that need a person."""
        return self.links.get("held", 0)


def read_books(connection: Connection, now: datetime) -> list[BookFigures]:
    books = connection.execute(select(crm_books).order_by(crm_books.c.book)).all()
    if not books:
        return []
    links: dict[str, Counter[str]] = {row.book: Counter() for row in books}
    by_state = select(crm_links.c.book, crm_links.c.state, func.count())
    for book, state, number in connection.execute(
        by_state.group_by(crm_links.c.book, crm_links.c.state)
    ):
        links.setdefault(book, Counter())[state] = number
    oldest = (
        select(crm_links.c.book, func.count(), func.min(crm_links.c.due_at))
        .where(crm_links.c.due_at <= now)
        .group_by(crm_links.c.book)
    )
    due = {book: (number, since) for book, number, since in connection.execute(oldest)}
    unresolved = (
        select(crm_links.c.book, func.count())
        .join(crm_conflicts, crm_conflicts.c.link_id == crm_links.c.id)
        .where(crm_conflicts.c.resolved.is_(False), crm_conflicts.c.chosen.is_(None))
        .group_by(crm_links.c.book)
    )
    waiting = {row[0]: row[1] for row in connection.execute(unresolved)}
    return [
        BookFigures(
            row.book,
            row.paused,
            row.reason or "",
            row.failures,
            links=dict(links[row.book]),
            due=due.get(row.book, (0, now))[0],
            waiting=waiting.get(row.book, 0),
            lag=now - due.get(row.book, (0, now))[1],
            state=row.state,
        )
        for row in books
    ]
