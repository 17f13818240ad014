"""Totals of states that triggers keep: equal to a count, whatever happens to leads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from formapp.db.database import Database
from formapp.db.tables import deliveries, state_counts, submissions
from formapp.db.upgrade import upgrade
from formapp.leads.accept import Status, _insert, _rows_of, keep
from tests.db.test_migrations import config
from tests.support.clock import NOON
from tests.support.leads import lead, submission
from tests.support.processes import eventually

Numbers = dict[tuple[str, str, str], int]
WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")


def counted(connection: Connection) -> Numbers:
    """What the triggers have counted."""
    key = (state_counts.c.state, state_counts.c.site, state_counts.c.form)
    query = select(*key, func.sum(state_counts.c.number)).group_by(*key)
    return {(row[0], row[1], row[2]): int(row[3]) for row in connection.execute(query) if row[3]}


def there(connection: Connection) -> Numbers:
    """What the tables hold."""
    sent, sending = submissions.c, deliveries.c
    is_held = (sent.status == "quarantined") & sent.erased_at.is_(None)
    numbers: Numbers = {}
    for key, condition in (
        ((sending.state, sending.site, sending.form), sending.state != "delivered"),
        ((sent.status, sent.site, sent.form), is_held),
    ):
        query = select(*key, func.count()).where(condition).group_by(*key)
        numbers |= {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}
    return numbers


def fill(database: Database) -> None:
    for form in ("contact", "contact", "quote"):
        for status in Status:
            keep(database, submission(lead(form=form), status=status))


def to_0018(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("DROP TABLE state_counts"))
        connection.execute(text("DROP INDEX ix_submissions_site_form_status_id"))
        columns = "site, form, id, status"
        name = "ix_submissions_site_form_id_status"
        connection.execute(text(f"CREATE INDEX {name} ON submissions ({columns})"))
        for table in ("deliveries", "submissions"):
            for name in ("inserted", "deleted", "left", "reached"):
                on = "" if database.is_sqlite else f" ON {table}"
                connection.execute(text(f"DROP TRIGGER {table}_{name}{on}"))
        command.stamp(config(connection), "0018")


def change(table: Table, **values: object) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(update(table).values(values))


CHANGES: dict[str, Callable[[Connection], object]] = {
    "failed": change(deliveries, state="failed"),
    "delivered": change(deliveries, state="delivered", outcome="created"),
    "to another site": change(deliveries, site="other"),
    "claimed": change(deliveries, fence=1, lease_until=NOON),
    "released": change(submissions, status="accepted"),
    "held": change(submissions, status="quarantined"),
    "erased": change(submissions, erased_at=NOON),
    "deleted": lambda connection: connection.execute(delete(deliveries)),
    "deleted with their submissions": lambda connection: connection.execute(delete(submissions)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_is_counted_at_once(database: Database, name: str) -> None:
    fill(database)
    with database.write() as connection:
        before = counted(connection)
        assert before == there(connection)
        assert before["pending", "main", "contact"] == 2
        assert before["quarantined", "main", "quote"] == 1
        CHANGES[name](connection)
        assert counted(connection) == there(connection)
        assert (counted(connection) == before) == (name == "claimed")


def test_what_is_rolled_back_is_not_counted(database: Database) -> None:
    fill(database)
    with database.engine.connect() as connection:
        CHANGES["failed"](connection)
        connection.rollback()
    with database.read() as connection:
        assert counted(connection) == there(connection)


def test_transactions_at_once_count_without_waiting_for_each_other(postgresql: Database) -> None:
    fill(postgresql)
    with postgresql.write() as first:
        CHANGES["failed"](first)
        # A thread of its own; it would wait for this transaction for five seconds, and be refused.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(fill, postgresql).result(4)
    with postgresql.read() as connection:
        assert counted(connection) == there(connection)


def test_a_migration_counts_what_there_is(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database)
    fill(database)
    to_0018(database)
    upgrade(database)
    with database.write() as connection:
        assert counted(connection) == there(connection) != {}
        row = {"state": "failed", "site": "main", "form": None, "created_at": NOON, "due_at": NOON}
        free = select(submissions.c.id).where(submissions.c.status == "spam").limit(1)
        given = row | {"submission_id": connection.scalar(free)}
        connection.execute(insert(deliveries), given)
        assert counted(connection)["failed", "main", ""] == 1
    database.close()


def test_what_is_stored_while_the_database_is_upgraded_is_counted(postgresql: Database) -> None:
    to_0018(postgresql)
    with ThreadPoolExecutor(1) as pool:
        with postgresql.write() as connection:
            rows = _rows_of(submission(lead(form="contact")), is_sqlite=False)
            _insert(connection.exec_driver_sql, [rows], is_sqlite=False)
            upgraded = pool.submit(upgrade, postgresql)
            with postgresql.engine.connect() as other:
                eventually(lambda: bool(other.scalar(WAITS)))
        upgraded.result(30)
    with postgresql.read() as connection:
        assert counted(connection) == there(connection) == {("pending", "main", "contact"): 1}
