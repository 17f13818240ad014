"""Storing the result of a challenge: the submission is released, or stays with the reason."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.jobs.queue import ClaimedJob, finish_job
from formapp.leads.accept import Status
from formapp.leads.anonymize import lock
from formapp.leads.confirm import release_held
from formapp.spam.providers import pending_reason


def conclude_challenge(
    database: Database, job: ClaimedJob, reason: str | None, now: datetime
) -> None:
    """End the job and apply its result, in one transaction.

    Args:
        database: holds both.
        job: of the kind `challenge`.
        reason: why the submission stays in quarantine; None releases it.
        now: the time.
    """
    submission_id = job.submission["id"]
    with database.write() as connection:
        # The submission before its job: an erasure locks them in this order, too.
        lock(connection, [submission_id])
        if not finish_job(connection, job):
            return  # another worker has taken it over
        if _replace_reason(connection, job, reason) and reason is None:
            release_held(connection, submission_id, {Status.QUARANTINED}, now)


def _replace_reason(connection: Connection, job: ClaimedJob, reason: str | None) -> bool:
    """Replace the pending reason; False if the submission is erased or not in quarantine."""
    held = (
        (submissions.c.id == job.submission["id"])
        & (submissions.c.status == Status.QUARANTINED)
        & submissions.c.erased_at.is_(None)
    )
    query = select(submissions.c.meta).where(held).with_for_update(key_share=True)
    meta = connection.execute(query).scalar()
    if meta is None:
        return False
    pending = pending_reason(job.content["provider"])
    suspect = [each for each in meta.get("suspect", ()) if each != pending]
    changed = {**meta, "suspect": [*suspect, reason] if reason else suspect}
    connection.execute(update(submissions).where(held).values(meta=changed))
    return True
