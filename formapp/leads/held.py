"""Submissions that are held back: quarantined, or waiting for their confirmation.

However often one is released, it gets exactly one delivery: only the change of status adds it.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from formapp.confirmation.store import CONFIRMED, REQUEST, schedule_mail
from formapp.db.counters import UsageLimit, count_up
from formapp.db.database import Database
from formapp.db.notify import notify
from formapp.db.tables import deliveries, submissions
from formapp.jobs.queue import ClaimedJob, finish_job
from formapp.lead import Lead
from formapp.leads.accept import Status, delivery_of
from formapp.leads.errors import ErasedError, UnknownSubmissionError
from formapp.notifications.plan import NOTIFY, resume
from formapp.spam.providers import pending_reason

QUOTA = "quota"
"""The name in `meta` of a quota that a submission uses only when it is released.

While a challenge is not yet verified, its token may be forged: only verified submissions may use
the quota up. A `UsageLimit` as JSON, with `seconds` in place of `until`.
"""

_log = logging.getLogger(__name__)


def lock_submission(connection: Connection, submission_id: str) -> Row[Any] | None:
    """The submission, locked until the transaction ends; it may be erased."""
    query = select(submissions).where(submissions.c.id == submission_id)
    return connection.execute(query.with_for_update(key_share=True)).first()


def lock_kept(connection: Connection, submission_id: str) -> Row[Any]:
    """As `lock_submission`; raises UnknownSubmissionError, ErasedError."""
    row = lock_submission(connection, submission_id)
    if row is None:
        raise UnknownSubmissionError(submission_id)
    if row.erased_at:
        raise ErasedError(submission_id)
    return row


def accept_held(
    connection: Connection,
    submission_id: str,
    was: Collection[Status],
    now: datetime,
    **changed: Any,
) -> bool:
    """Accept a submission in the caller's transaction; make delivery and notifications due.

    `changed` are further columns. False if it is unknown or erased, or its status none of `was`.
    """
    accepted = (
        update(submissions)
        .where(
            submissions.c.id == submission_id,
            submissions.c.status.in_(was),
            submissions.c.erased_at.is_(None),
        )
        .values(status=Status.ACCEPTED, **changed)
        .returning(submissions.c.form, submissions.c.lead, submissions.c.meta)
    )
    row = connection.execute(accepted).first()
    if row is None:
        return False
    lead = Lead.from_json(row.lead)
    connection.execute(insert(deliveries), delivery_of(submission_id, row.form, lead, now))
    if waiting := row.meta.get(NOTIFY):
        resume(connection, submission_id, now, waiting)
    notify(connection)
    return True


def release_held(
    connection: Connection,
    submission_id: str,
    was: Collection[Status],
    now: datetime,
    *,
    ignore_quota: bool = False,
) -> Status | None:
    """Release a quarantined submission, in the caller's transaction; returns its new status.

    Its sender may have to confirm it first. If the form's quota is used up, it stays in quarantine,
    with the reason. None if it is unknown or erased, or its status none of `was`.
    """
    row = lock_submission(connection, submission_id)
    if row is None or row.erased_at or row.status not in was:
        return None
    # The quota is used only once.
    meta = {name: value for name, value in row.meta.items() if name != QUOTA}
    this = update(submissions).where(submissions.c.id == submission_id)
    if not ignore_quota and (reason := _take_quota(connection, row.meta, now)):
        meta["suspect"] = [*meta.get("suspect", ()), reason]
        connection.execute(this.values(meta=meta))
        return Status(row.status)
    if REQUEST not in meta or CONFIRMED in meta:
        accept_held(connection, submission_id, was, now, meta=meta)
        return Status.ACCEPTED
    connection.execute(this.values(status=Status.UNCONFIRMED, meta=meta))
    schedule_mail(connection, submission_id, now)
    return Status.UNCONFIRMED


def conclude_challenge(
    database: Database, job: ClaimedJob, reason: str | None, now: datetime
) -> None:
    """End the job of a challenge, and release its submission or store why it stays."""
    submission_id = job.submission["id"]
    with database.write() as connection:
        # The submission before its job: an erasure locks them in this order, too.
        row = lock_submission(connection, submission_id)
        if not finish_job(connection, job):
            return  # another worker has taken it over
        if row is None or row.erased_at or row.status != Status.QUARANTINED:
            return
        pending = pending_reason(job.content["provider"])
        suspect = [each for each in row.meta.get("suspect", ()) if each != pending]
        meta = {**row.meta, "suspect": [*suspect, reason] if reason else suspect}
        this = submissions.c.id == submission_id
        connection.execute(update(submissions).where(this).values(meta=meta))
        if reason is None:
            release_held(connection, submission_id, {Status.QUARANTINED}, now)


def quota_meta(quota: UsageLimit, now: datetime) -> dict[str, Any]:
    """Return a quota as JSON for `meta`, with its duration in place of its end."""
    stored = asdict(quota)
    return stored | {"seconds": (stored.pop("until") - now).total_seconds()}


def _take_quota(connection: Connection, meta: Mapping[str, Any], now: datetime) -> str | None:
    """Use the stored quota; returns the reason if it is used up, and logs the first time."""
    if QUOTA not in meta:
        return None
    stored = dict(meta[QUOTA])
    quota = UsageLimit(until=now + timedelta(seconds=stored.pop("seconds")), **stored)
    count = count_up(connection, quota.hash, quota.until, now)
    if count == quota.amount + 1:
        _log.warning(
            "the quota of the form %s is used up: leads go to quarantine meanwhile", quota.name
        )
    return quota.reason if count > quota.amount else None
