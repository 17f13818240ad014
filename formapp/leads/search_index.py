"""The terms by which people find a lead, and their index.

Accepting a submission only remembers that it is to be indexed: its terms lie all over their index,
which would make a commit that a visitor waits for twice as expensive. A worker indexes it seconds
later, and whatever searches indexes what is left first, so that nothing is ever missed.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from formapp.db.database import Database, lock_for_transaction
from formapp.db.tables import search_terms, submissions, unindexed
from formapp.forms.reading.contact import read_email, read_phone
from formapp.lead import Lead

LONGEST_TERM = 100
"""Characters of a search term, its kind included."""

EVERY = timedelta(seconds=2)
"""How often a worker indexes what came since."""

BATCH = 200
"""Submissions of one transaction: a visitor's commit may wait for it."""

_MOST_WORDS = 12
_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_PHONE = re.compile(r"[\d\s()+./-]+")
_LEAST_DIGITS = 4
_LOCK = 0x696E6478  # "indx"


def terms_of(lead: Lead) -> list[str]:
    """Return the texts by which `formapp.leads.search` finds a lead; each begins with its kind.

    `n` and a word of the name or company, `e` and the address, `p` and the digits of a number from
    its end, since people leave out its beginning.
    """
    names = [text.value for text in (lead.first_name, lead.last_name, lead.company) if text]
    terms = [f"n{word}" for word in fold(" ".join(names))[:_MOST_WORDS]]
    if lead.email:
        terms.append(f"e{lead.email.address}")
    terms += [f"p{phone.e164[:0:-1]}" for phone in lead.phones]
    return list(dict.fromkeys(term[:LONGEST_TERM] for term in terms))


def beginnings_of(search: str) -> list[str]:
    """Return the beginnings of terms that a submission must have, the longest ones of many."""
    text = search.strip()
    if "@" in text:
        found = [f"e{read_email(text) or text.lower()}"]
    elif len(digits := "".join(filter(str.isdecimal, text))) >= _LEAST_DIGITS and (
        _PHONE.fullmatch(text)
    ):
        whole = read_phone(text, None)
        known = whole.e164 if whole else digits.lstrip("0")
        found = [f"p{known.lstrip('+')[::-1]}"]
    else:
        words = sorted(fold(text), key=len, reverse=True)
        found = [f"n{word}" for word in words]
    return list(dict.fromkeys(each[:LONGEST_TERM] for each in found))[:_MOST_WORDS]


def fold(text: str) -> list[str]:
    """Return the words of a text without case and accents, as they are searched."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return _WORD.findall(plain)


def index_batch(database: Database, _now: datetime | None = None) -> bool:
    """Index some submissions that aren't yet; returns whether there may be more.

    As a worker's periodic task it receives the time.
    """
    waiting = select(unindexed.c.submission_id).order_by(unindexed.c.submission_id).limit(BATCH)
    with database.read() as connection:
        # Most of the time there is none: no write lock is needed to see that.
        if connection.execute(waiting.limit(1)).first() is None:
            return False
    with database.write() as connection:
        # Two processes at once would insert the same terms.
        lock_for_transaction(connection, _LOCK)
        ids = [*connection.scalars(waiting)]
        _index(connection, ids)
    return len(ids) == BATCH


def index_all(database: Database) -> None:
    """Index all that isn't yet: now, a search finds every submission."""
    while index_batch(database):
        pass


def index_later(connection: Connection, submission_id: str) -> None:
    """Have a submission indexed anew, whose lead changes in the caller's transaction."""
    forget_terms(connection, [submission_id])
    connection.execute(insert(unindexed).values(submission_id=submission_id))


def forget_terms(connection: Connection, submission_ids: Sequence[str]) -> None:
    """Delete what a search finds these submissions by."""
    for table in (search_terms, unindexed):
        connection.execute(delete(table).where(table.c.submission_id.in_(submission_ids)))


def _index(connection: Connection, ids: Sequence[str]) -> None:
    # Locked (PostgreSQL): else terms of a lead that is erased or corrected meanwhile would stay.
    # What changes a lead locks its submission first, too, so neither waits for the other.
    leads = (
        select(submissions.c.id, submissions.c.lead)
        .where(submissions.c.id.in_(ids))
        .order_by(submissions.c.id)
        .with_for_update(read=True)
    )
    rows = [
        {"submission_id": row.id, "term": term}
        for row in connection.execute(leads)
        for term in _stored_terms(row.lead)
    ]
    forget_terms(connection, ids)
    if rows:
        # By their place in the index: neighbours share its pages.
        rows.sort(key=lambda row: row["term"])
        connection.execute(insert(search_terms), rows)


def _stored_terms(stored: object) -> list[str]:
    try:
        return terms_of(Lead.from_json(stored))
    except ValueError:
        return []  # of an earlier version: it is found by its id alone
