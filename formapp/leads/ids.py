"""Ids of submissions: the time at their beginning, and their ends, by which people name them."""

import re
from datetime import UTC, datetime

from sqlalchemy import Connection, func, literal_column, select

from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.leads.errors import AmbiguousIdError, UnknownSubmissionError
from formapp.leads.summary import SHORT

_MOST_ALIKE = 10
_ID_END = re.compile(r"[0-9a-f-]{8,36}")


def id_at(time: datetime) -> str:
    """Return the least beginning of an id that was made then."""
    milliseconds = f"{int(time.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"


def time_of(submission_id: str) -> datetime:
    """Return the time of receipt, in milliseconds, with which an id begins."""
    milliseconds = int(submission_id[:13].replace("-", ""), 16)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def find_submission(database: Database, given: str, sites: tuple[str, ...] | None = None) -> str:
    """Return the id that is this, or ends with it (`SHORT` characters at least).

    Raises UnknownSubmissionError, also for one of another site than `sites`, or AmbiguousIdError.
    """
    with database.read() as connection:
        found = ids_ending(connection, given.strip().lower(), sites)
    if not found:
        raise UnknownSubmissionError(given)
    if len(found) > 1:
        raise AmbiguousIdError(given, found)
    return found[0]


def ids_ending(connection: Connection, end: str, sites: tuple[str, ...] | None = None) -> list[str]:
    """Return the ids that end so, a few at most; none for a text that no id ends with."""
    if not _ID_END.fullmatch(end):
        return []
    query = select(submissions.c.id).where(
        func.substr(submissions.c.id, literal_column("29")) == end[-SHORT:],
        submissions.c.id.endswith(end),
    )
    if sites is not None:
        query = query.where(submissions.c.site.in_(sites))
    return [*connection.scalars(query.order_by(submissions.c.id).limit(_MOST_ALIKE))]
