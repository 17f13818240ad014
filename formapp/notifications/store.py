"""What the database holds about notifications: accepted leads, waiting jobs, and how they ended.

A job's content names its receiver at most; what was sent is read when it is sent, and a lead that
was erased meanwhile is not sent.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from formapp.db.database import Database, is_over
from formapp.db.inbox_tables import notified
from formapp.db.tables import jobs, submissions
from formapp.files.records import FileRecord, of_submissions
from formapp.jobs.backoff import LONGEST_WAIT
from formapp.jobs.queue import ClaimedJob, Job, add_job, claim_more, finish_job
from formapp.notifications.plan import CHANNELS, FAILED

LONGEST_DIGEST = timedelta(hours=25)
"""How far ahead a digest may be due; the `longest_wait` of its runner."""

_META = ("page", "referrer", "utm", "use", "language", "_subject", "_replyto")


@dataclass(frozen=True, slots=True, repr=False)
class AcceptedLead:
    """An accepted submission, as notifications show it. Its repr shows no answer.

    `accepted_at` is when it was received, released or confirmed; `lead` is a stored `Lead`.
    """

    id: str
    form: str
    site: str
    received_at: datetime
    accepted_at: datetime
    answers: dict[str, Any]
    consents: list[dict[str, Any]]
    notes: list[Any]
    unknown: dict[str, Any]
    meta: dict[str, Any]
    lead: dict[str, Any]
    files: tuple[FileRecord, ...] = ()

    @property
    def email(self) -> str | None:
        return (self.lead.get("email") or {}).get("address")

    @property
    def first_name(self) -> str | None:
        return (self.lead.get("first_name") or {}).get("value")

    @property
    def person(self) -> str | None:
        """Who it is: the name, else the address or the number."""
        names = ((self.lead.get(part) or {}).get("value") for part in ("first_name", "last_name"))
        phones = self.lead.get("phones") or [{}]
        return " ".join(filter(None, names)) or self.email or phones[0].get("e164")


def read_accepted(database: Database, submission_ids: Collection[str]) -> list[AcceptedLead]:
    """Return those of these leads that are accepted and not erased, in the order of arrival."""
    kept = (
        submissions.c.id.in_(submission_ids)
        & (submissions.c.status == "accepted")
        & submissions.c.erased_at.is_(None)
    )
    query = select(submissions).where(kept).order_by(submissions.c.id)
    with database.read() as connection:
        files = of_submissions(connection, [*submission_ids])
        return [_accepted(row, files.get(row.id, ())) for row in connection.execute(query)]


def _accepted(row: Row[Any], files: Sequence[FileRecord]) -> AcceptedLead:
    confirmed = (row.meta.get("confirmed") or {}).get("at")
    at = confirmed or row.meta.get("released_at")
    return AcceptedLead(
        id=row.id,
        form=row.form,
        site=row.lead.get("site") or "",
        received_at=row.received_at,
        accepted_at=datetime.fromisoformat(at) if at else row.received_at,
        answers=row.answers,
        consents=row.consents,
        notes=row.notes or [],
        unknown=row.unknown or {},
        meta={name: row.meta[name] for name in _META if row.meta.get(name)},
        lead=row.lead,
        files=tuple(files),
    )


def claim_digest(
    database: Database, job: ClaimedJob, now: datetime, limit: int
) -> list[ClaimedJob]:
    """Claim all that is due for the same digest, this job first."""
    due = is_over(jobs.c.due_at, now, LONGEST_DIGEST)
    alike = due & _of_forms([job.submission["form"]]) & _to(job.content["to"])
    return [job, *claim_more(database, job, now, alike, limit - 1)]


def postpone_alike(  # noqa: PLR0913 - what identifies a receiver, by keyword
    database: Database,
    kind: str,
    now: datetime,
    until: datetime,
    *,
    forms: Sequence[str],
    to: str | None,
) -> int:
    """Postpone all due jobs for the same receiver; returns how many."""
    alike = (jobs.c.kind == kind) & is_over(jobs.c.due_at, now, LONGEST_WAIT) & _of_forms(forms)
    if to is not None:
        alike &= _to(to)
    with database.write() as connection:
        return connection.execute(update(jobs).where(alike).values(due_at=until)).rowcount


def _of_forms(forms: Sequence[str]) -> ColumnElement[bool]:
    return jobs.c.submission_id.in_(select(submissions.c.id).where(submissions.c.form.in_(forms)))


def _to(receiver: str) -> ColumnElement[bool]:
    same: ColumnElement[bool] = jobs.c.content["to"].as_string() == receiver
    return same


def end_job(
    connection: Connection,
    job: ClaimedJob,
    result: Literal["sent", "failed", "withheld"],
    now: datetime,
    reason: str | None = None,
) -> bool:
    """End a job in the caller's transaction, and keep how; False if another worker has it."""
    if not finish_job(connection, job):
        return False
    row = {
        "submission_id": job.submission["id"],
        "at": now,
        "channel": CHANNELS[job.kind],
        "to": job.content.get("to"),
        "result": result,
        "tries": job.attempt,
        "reason": reason,
    }
    connection.execute(insert(notified), row)
    return True


def give_up(connection: Connection, job: ClaimedJob, reason: str, now: datetime) -> None:
    """End a job in the caller's transaction, and let the owner send it again."""
    if end_job(connection, job, "failed", now, reason):
        failed = {"channel": CHANNELS[job.kind], "to": job.content.get("to"), "reason": reason}
        add_job(connection, Job(FAILED, failed), now, job.submission["id"])
