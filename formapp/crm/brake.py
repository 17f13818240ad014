"""The brake: when so many records are gone at once that a side has rather lost them.

A run begins with each look at both sides. In one run, ten links or a twentieth of all may end by
deletions; with one more, the book is paused before any of them is copied.
"""

from sqlalchemy import ColumnElement, Connection

from formapp.crm.model import Side
from formapp.crm.session import NAMES
from formapp.crm.store import count_links, read_book, write_book
from formapp.db.tables import crm_links

_LEAST = 10
_SHARE = 20


def waiting_deletions(book: str) -> ColumnElement[bool]:
    """The links whose deletion the brake has stopped, or may stop: `resume` lets them all pass."""
    c = crm_links.c
    return (c.book == book) & c.gone_at.is_not(None) & c.state.in_(("linked", "held"))


def _pause(connection: Connection, book: str, what: str) -> None:
    number = count_links(connection, waiting_deletions(book))
    advice = f"`formapp crm resume {book} --allow-deletes {number}`"
    reason = f"{what}: if they were deleted on purpose, let that pass by {advice}"
    write_book(connection, book, paused=True, reason=reason)


def brake(connection: Connection, book: str) -> bool:
    """Pause the book if too many of its records are gone in this run; returns whether it is."""
    row = read_book(connection, book)
    c = crm_links.c
    recent = c.gone_at >= row.run_at if row and row.run_at else c.gone_at.is_not(None)
    gone = count_links(connection, (c.book == book) & recent & c.gone_allowed.is_(False))
    total = count_links(connection, (c.book == book) & ((c.state == "linked") | recent))
    if gone <= max(_LEAST, total // _SHARE):
        return False
    _pause(connection, book, f"{gone} of {total} linked records are gone at once")
    return True


def brake_empty(connection: Connection, book: str, side: Side) -> bool:
    """Pause the book of which a whole side is gone; a single contact may be deleted."""
    c = crm_links.c
    held = (c.book == book) & (c.state == "linked") & c.gone_allowed.is_(False)
    linked = count_links(connection, held)
    if linked <= 1:
        return False
    _pause(connection, book, f"none of {linked} linked records is left in {NAMES[side]}")
    return True
