"""How often forms are shown and begun: counted in memory, stored together, without a visitor."""

import threading
import time
from datetime import date, timedelta

from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.inbox_tables import form_visits
from formapp.leads import totals
from formapp.monitoring.visits import Visits
from tests.support.clock import NOON


def rows(database: Database) -> list[tuple[str, date, int, int]]:
    """Form, day, shown, started."""
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(form_visits))]


def test_several_processes_and_threads_add_to_one_row(database: Database) -> None:
    counting = [Visits(database, lambda: NOON, seconds=600) for _ in range(3)]

    def visit(visits: Visits) -> None:
        for number in range(40):
            visits.shown("lead")
            if number % 4 == 0:
                visits.started("lead")
                visits.store()

    threads = [threading.Thread(target=visit, args=[each]) for each in counting * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for visits in counting:
        visits.close()
    assert rows(database) == [("lead", NOON.date(), 240, 60)]


def test_a_visit_is_stored_by_itself_and_once(sqlite: Database) -> None:
    visits = Visits(sqlite, lambda: NOON, seconds=0.01)
    visits.shown("lead")
    deadline = time.monotonic() + 20
    while not rows(sqlite) and time.monotonic() < deadline:
        time.sleep(0.01)
    visits.close()
    assert rows(sqlite) == [("lead", NOON.date(), 1, 0)]


def test_a_worker_forgets_old_days(database: Database) -> None:
    for days in (0, 29, 30, 400):
        visits = Visits(database, lambda days=days: NOON - timedelta(days=days), seconds=600)  # type: ignore[misc]
        visits.shown("lead")
        visits.close()
    totals.refresh(database, NOON)
    assert len(rows(database)) == 2
