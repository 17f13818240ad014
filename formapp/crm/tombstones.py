"""Persons who were erased at Wix, as keyed digests: they are never created there again."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from formapp.db.database import upsert
from formapp.db.tables import crm_tombstones


def add_tombstones(
    connection: Connection, book: str, digests: Iterable[str], now: datetime
) -> None:
    """Remember persons by the digests of their e-mails and phones."""
    for digest in digests:
        upsert(connection, crm_tombstones, {"book": book, "digest": digest}, {"at": now})


def has_tombstone(connection: Connection, book: str, digests: Iterable[str]) -> bool:
    c = crm_tombstones.c
    query = select(c.digest).where(c.book == book, c.digest.in_(list(digests))).limit(1)
    return connection.execute(query).first() is not None
