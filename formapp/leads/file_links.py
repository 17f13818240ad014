"""Links to a lead's files for the contact at Wix."""

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.files.links import FileAddresses
from formapp.files.records import of_submission


def link_of_field(
    database: Database, addresses: FileAddresses, submission_id: str, field: str
) -> str | None:
    """Return the address of the page that lists the files of a field; None if it has none."""
    query = select(submissions.c.received_at, submissions.c.keep_days)
    with database.read() as connection:
        row = connection.execute(query.where(submissions.c.id == submission_id)).first()
        files = of_submission(connection, submission_id)
    if row is None or not any(each.field == field for each in files):
        return None
    return addresses.of_lead(submission_id, row.received_at, keep_days=row.keep_days, field=field)
