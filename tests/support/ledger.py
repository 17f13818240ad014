"""Submissions in every state, short to make."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import metadata
from formapp.delivery.results import Attempt, Result, finish, give_up
from formapp.leads.accept import Submission, keep
from tests.support.claiming import claim_next
from tests.support.leads import SITE

CONTACT = "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"
Row = dict[str, Any]


def kept(database: Database, submission: Submission) -> str:
    """Keep it and return its id."""
    return keep(database, submission).id


def delivered(database: Database, submission: Submission, contact_id: str = CONTACT) -> str:
    """Keep it and write that it was delivered a second later."""
    submission_id, at = keep(database, submission).id, submission.received_at
    claim = claim_next(database, [SITE], at)
    assert claim
    assert claim.submission_id == submission_id
    attempt = Attempt(at=at, result="delivered", duration_ms=1000)
    finish(database, claim, attempt, Result("created", contact_id))
    return submission_id


def failed(database: Database, submission: Submission, after: timedelta = timedelta()) -> str:
    """Keep it and write that it failed, with a reason that quotes an answer."""
    submission_id, at = keep(database, submission).id, submission.received_at + after
    claim = claim_next(database, [SITE], at)
    assert claim
    assert claim.submission_id == submission_id
    give_up(database, claim, Attempt(at=at, result="failed", duration_ms=0), "400: ines is no name")
    return submission_id


def rows(database: Database, table: str) -> list[Row]:
    """All rows of a table, by its key."""
    found = metadata.tables[table]
    with database.read() as connection:
        query = select(found).order_by(*found.primary_key)
        return [dict(row) for row in connection.execute(query).mappings()]


def submission_row(database: Database, submission_id: str) -> Row:
    """One submission as it is kept."""
    return next(row for row in rows(database, "submissions") if row["id"] == submission_id)


def delivery_row(database: Database, submission_id: str) -> Row:
    """Its delivery."""
    return next(
        row for row in rows(database, "deliveries") if row["submission_id"] == submission_id
    )


def everything(database: Database) -> str:
    """All that the database holds, as text."""
    return "\n".join(repr(row) for table in metadata.tables for row in rows(database, table))


def days_later(start: datetime, days: float) -> datetime:
    """So many days after."""
    return start + timedelta(days=days)
