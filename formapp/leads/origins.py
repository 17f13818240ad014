"""Where the leads of a form came from: the pages of the newest ones, without their queries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.search import newest_ids

SAMPLE = 500
"""Leads that are looked at, the newest ones."""

MOST = 12
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Source:
    """How many leads came from a page.

    Attributes:
        use: `page`, `embed` or `foreign`, as of the submission's `meta`.
        page: its address without a query; empty where the browser didn't report it.
    """

    use: str
    page: str
    number: int


def find_sources(database: Database, form: str, sites: Sequence[str] | None) -> list[Source]:
    """Return the pages from which most of a form's newest leads came, at most `MOST`."""
    wanted = LeadFilter(forms=(form,)).within(sites)
    with database.read() as connection:
        ids = newest_ids(connection, wanted, SAMPLE)
        metas = connection.scalars(select(submissions.c.meta).where(submissions.c.id.in_(ids)))
        counts = Counter((meta.get("use") or "", _place(meta.get("page"))) for meta in metas)
    return [Source(use, page, number) for (use, page), number in counts.most_common(MOST)]


def _place(page: object) -> str:
    """Return an address without its query and fragment, which may hold anybody's data."""
    if not isinstance(page, str):
        return ""
    try:
        parts = urlsplit(page)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:_LONGEST] if parts.netloc else ""
