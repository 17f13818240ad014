"""Other submissions of the same person, found by index: by address, or by number."""

from typing import Any

from sqlalchemy import Connection, select

from formapp.db.database import Database
from formapp.db.tables import search_terms, submissions
from formapp.lead import with_extension
from formapp.leads.search_index import LONGEST_TERM, index_all
from formapp.leads.summary import LeadSummary, read_summaries

_MOST_OTHERS = 500
_MOST_SHOWN, _MOST_OWN = 20, 100


def identity_in(lead: dict[str, Any]) -> str | None:
    """Return who a stored lead is: its e-mail address, or without one its number."""
    return next(iter(identities_in(lead)), None)


def ids_of_person(connection: Connection, identity: str, limit: int | None = None) -> list[str]:
    """Return the submissions whose lead has this address or number, newest first.

    They share a search term; what it doesn't distinguish, such as an extension, is compared. Of one
    term at most `limit` are read: a monitor may send the same address a hundred thousand times.
    """
    number = identity.partition(" ext. ")[0]
    term = f"e{identity}" if "@" in identity else f"p{number[:0:-1]}"
    query = (
        select(submissions.c.id, submissions.c.lead)
        .join(search_terms, search_terms.c.submission_id == submissions.c.id)
        .where(search_terms.c.term == term[:LONGEST_TERM])
        .order_by(search_terms.c.submission_id.desc())
        .limit(limit)
    )
    return [row.id for row in connection.execute(query) if identity in identities_in(row.lead)]


def identities_in(lead: dict[str, Any]) -> list[str]:
    """Return the address and the numbers of a stored lead, in this order."""
    address = (lead.get("email") or {}).get("address")
    phones = lead.get("phones") or ()
    numbers = [with_extension(each["e164"], each.get("extension", "")) for each in phones]
    return [address, *numbers] if address else numbers


def list_others(
    database: Database, submission_id: str, sites: tuple[str, ...] | None
) -> tuple[list[LeadSummary], list[str]]:
    """Return the newest other leads of the same person, by address or number.

    And, where there are more of them, the address and the numbers to search for to see all.
    """
    index_all(database)
    with database.read() as connection:
        this = select(submissions.c.lead).where(submissions.c.id == submission_id)
        lead = connection.execute(this).scalar() or {}
        identities = identities_in(lead)
        ids = {
            each for found in identities for each in ids_of_person(connection, found, _MOST_OTHERS)
        }
        newest = sorted(ids - {submission_id}, reverse=True)
        rows = read_summaries(connection, newest[:_MOST_OTHERS])
        visible = [row for row in rows if sites is None or row.site in sites]
        searches = [each.partition(" ext. ")[0] for each in identities]
        return visible[:_MOST_SHOWN], searches if len(visible) > _MOST_SHOWN else []


def list_own(database: Database, submission_id: str) -> tuple[list[LeadSummary], int]:
    """Return the newest leads that `erase_leads_of` would erase with this one.

    And how many there are of them in all.
    """
    index_all(database)
    with database.read() as connection:
        this = select(submissions.c.lead).where(submissions.c.id == submission_id)
        identity = identity_in(connection.execute(this).scalar() or {})
        ids = ids_of_person(connection, identity) if identity else []
        others = [each for each in ids if each != submission_id]
        return [*read_summaries(connection, others[:_MOST_OWN])], len(others)
