"""Submissions as lines of a list: who, from which form, in which state."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from formapp.db.database import Database
from formapp.db.tables import deliveries, files, submissions
from formapp.leads.errors import UnknownSubmissionError

SHORT = 8
"""Characters of a short id. The last ones: an id begins with the time, which many share."""


@dataclass(frozen=True, slots=True, repr=False)
class LeadSummary:
    """A line of a list. Its repr shows no answer.

    Attributes:
        name: as people read it; the company or the address where there is none, or empty.
        state: one of `formapp.leads.lead_filter.STATES`.
        reason: why the delivery waits or failed.
    """

    id: str
    form: str
    site: str
    state: str
    outcome: str | None
    contact_id: str | None
    received_at: datetime
    name: str
    email: str | None
    phone: str | None
    attempts: int
    reason: str | None
    erased: bool
    files: int = 0

    @property
    def short_id(self) -> str:
        return self.id[-SHORT:]


def format_age(received_at: datetime, now: datetime) -> str:
    """Return how long ago it was, in a few characters: `40 s`, `5 min`, `3 h`, `12 d`, `2 y`."""
    seconds = max(int((now - received_at).total_seconds()), 0)
    for unit, length in (("y", 31_557_600), ("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def summary_of(database: Database, submission_id: str) -> LeadSummary:
    """Return the line of one submission; raises UnknownSubmissionError."""
    with database.read() as connection:
        for summary in read_summaries(connection, [submission_id]):
            return summary
    raise UnknownSubmissionError(submission_id)


def read_summaries(connection: Connection, ids: list[str]) -> Iterator[LeadSummary]:
    """Yield the lines of these submissions, in their order."""
    sent, sending = submissions.c, deliveries.c
    theirs = select(func.count()).where(files.c.submission_id == sent.id).scalar_subquery()
    query = (
        select(
            *(sent.id, sent.form, sent.site, sent.received_at, sent.lead, sent.erased_at),
            *(sending.outcome, sending.contact_id, sending.reason, state_of_row),
            func.coalesce(sending.attempts, 0).label("attempts"),
            theirs.label("files"),
        )
        .outerjoin(deliveries, sending.submission_id == sent.id)
        .where(sent.id.in_(ids))
    )
    rows = {row.id: row for row in connection.execute(query)}
    yield from (_summary(rows[each]) for each in ids if each in rows)


state_of_row = case(
    (submissions.c.status == "accepted", deliveries.c.state), else_=submissions.c.status
).label("state")


def name_in(lead: dict[str, Any]) -> str:
    """Return how a stored lead is called in a list; empty if it has no name."""
    parts = ((lead.get(name) or {}).get("value") for name in ("first_name", "last_name"))
    company = (lead.get("company") or {}).get("value")
    return " ".join(filter(None, parts)) or company or (lead.get("email") or {}).get("typed") or ""


def _summary(row: Any) -> LeadSummary:
    columns = row._asdict()
    lead, erased_at = columns.pop("lead"), columns.pop("erased_at")
    return LeadSummary(
        **columns,
        name=name_in(lead),
        email=(lead.get("email") or {}).get("address"),
        phone=(lead.get("phones") or [{}])[0].get("e164"),
        erased=erased_at is not None,
    )
