"""Accepting a submission that was held back: quarantined, or waiting for its confirmation.

However often it is released, it gets exactly one delivery: only the change of status adds it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from formapp.db.notify import notify
from formapp.db.tables import deliveries, submissions
from formapp.lead import Lead
from formapp.leads.accept import Status, delivery_of


def accept_held(
    connection: Connection,
    submission_id: str,
    was: Collection[Status],
    now: datetime,
    **changed: Any,
) -> bool:
    """Accept a submission in the caller's transaction; its delivery is due at once.

    Args:
        connection: of the caller's transaction.
        submission_id: the submission.
        was: the statuses in which it can be accepted.
        now: the time; the delivery's retries are counted from it.
        changed: further columns to write with it (`meta`, `consents`, `lead` as JSON).

    Returns:
        False if there is no such submission, it has another status or was erased.
    """
    waiting = (
        (submissions.c.id == submission_id)
        & submissions.c.status.in_(was)
        & submissions.c.erased_at.is_(None)
    )
    accepted = update(submissions).where(waiting).values(status=Status.ACCEPTED, **changed)
    if connection.execute(accepted).rowcount != 1:
        return False
    kept = select(submissions.c.form, submissions.c.lead).where(submissions.c.id == submission_id)
    row = connection.execute(kept).one()
    lead = Lead.from_json(row.lead)
    connection.execute(insert(deliveries), delivery_of(submission_id, row.form, lead, now))
    notify(connection)
    return True
