"""CRM books in metrics and alerts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update

from formapp.db.database import Database
from formapp.db.tables import crm_books, crm_conflicts, crm_links
from formapp.monitoring.alerts import Alert
from formapp.monitoring.crm_books import read_books
from formapp.monitoring.incidents import report_incidents
from formapp.monitoring.metrics import Metrics
from tests.support.clock import NOON


def _link(database: Database, **values: Any) -> int:
    with database.write() as connection:
        row = {"book": "main", "state": "linked", **values}
        made = connection.execute(insert(crm_links).values(row).returning(crm_links.c.id))
        return int(made.scalar_one())


def _book(database: Database, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(insert(crm_books), {"book": "main", "state": "running", **values})


def _change(database: Database, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(update(crm_books).values(values))


def test_an_installation_without_books_shows_none(database: Database) -> None:
    with database.read() as connection:
        assert read_books(connection, NOON) == []


def test_the_gauges_show_each_book(database: Database) -> None:
    _book(database)
    held = _link(database, state="held", wix_id="a")
    _link(database, wix_id="b", due_at=NOON - timedelta(seconds=30))
    _link(database, wix_id="c", due_at=NOON + timedelta(seconds=30))
    waiting = {"link_id": held, "field": "company", "side": "crm", "at": NOON, "persons": []}
    with database.write() as connection:
        for resolved in (False, True):
            connection.execute(insert(crm_conflicts), {**waiting, "resolved": resolved})
    metrics = Metrics()
    metrics.read_queue(database, NOON)
    shown = metrics.text().decode().splitlines()
    for line in (
        'formapp_crm_links{book="main",state="linked"} 2.0',
        'formapp_crm_links{book="main",state="held"} 1.0',
        'formapp_crm_due{book="main"} 1.0',
        'formapp_crm_lag_seconds{book="main"} 30.0',
        'formapp_crm_conflicts{book="main"} 1.0',
        'formapp_crm_paused{book="main"} 0.0',
    ):
        assert line in shown


def test_each_trouble_of_a_book_is_one_alert_with_one_end(database: Database) -> None:
    sent = []

    def keep(alert: Alert) -> None:
        sent.append(alert)

    def check() -> list[tuple[str, str, str]]:
        sent.clear()
        report_incidents(database, [keep], timedelta(minutes=15), NOON)
        return sorted((each.kind, each.site, each.state) for each in sent)

    _book(database)
    assert check() == []
    _link(database, state="held", wix_id="a", due_at=NOON - timedelta(minutes=16))
    _change(database, failures=3, reason="no connection")
    begun = [("crm_conflicts", "main", "open"), ("crm_failing", "main", "open")]
    assert check() == [*begun, ("crm_lag", "main", "open")]
    assert sent[0].subject.startswith("formapp: CRM book main: ")
    assert check() == []
    _change(database, paused=True, reason="11 of 30 linked records are gone at once")
    ended = [(kind, book, "over") for kind, book, _ in begun]
    paused = ("crm_paused", "main", "open")
    assert check() == sorted([*ended, ("crm_lag", "main", "over"), paused])
    assert "formapp crm resume main" in next(e for e in sent if e.state == "open").advice
