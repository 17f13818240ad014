"""Replacing what is stored of a lead, and with it what a search finds it by."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, update

from formapp.db.tables import search_terms, submissions
from formapp.lead import Lead
from formapp.leads.accept import terms_of


def replace_lead(connection: Connection, submission_id: str, lead: Lead) -> None:
    """Store another lead of a submission, in the caller's transaction."""
    this = update(submissions).where(submissions.c.id == submission_id)
    connection.execute(this.values(lead=lead.to_json(), site=lead.site))
    forget_terms(connection, [submission_id])
    if terms := terms_of(lead):
        rows = [{"submission_id": submission_id, "term": term} for term in terms]
        connection.execute(insert(search_terms), rows)


def forget_terms(connection: Connection, submission_ids: Sequence[str]) -> None:
    """Delete what a search finds these submissions by."""
    theirs = search_terms.c.submission_id.in_(submission_ids)
    connection.execute(delete(search_terms).where(theirs))
