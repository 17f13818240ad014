"""Marking as spam, and what a release brings back."""

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import jobs
from formapp.jobs.queue import Job
from formapp.leads.mark_spam import mark_spam
from formapp.leads.release import release
from formapp.notifications.plan import NOTIFY
from tests.support.clock import NOON
from tests.support.leads import lead, submission
from tests.support.ledger import kept


def waiting(database: Database) -> list[str]:
    with database.read() as connection:
        return [*connection.scalars(select(jobs.c.kind))]


def test_a_notification_that_was_cancelled_unsent_is_sent_once_it_is_released(
    database: Database,
) -> None:
    submission_id = kept(database, submission(lead(), jobs=(Job(NOTIFY),)))
    mark_spam(database, submission_id, NOON, by="ana")
    assert waiting(database) == []
    release(database, submission_id, lambda _: {}, NOON)
    assert waiting(database) == [NOTIFY]
    with database.write() as connection:
        connection.execute(jobs.delete())  # it was sent
    mark_spam(database, submission_id, NOON, by="ana")
    release(database, submission_id, lambda _: {}, NOON)
    assert waiting(database) == []
