"""A submission that one process keeps wakes the workers of others, where the database can."""

import threading

import pytest

from formapp.db.database import Database
from formapp.db.notify import Listener
from formapp.lead import Email, Lead
from formapp.leads.accept import Submission, keep
from tests.support.clock import NOON

WAIT = 15


def _keep(database: Database, key: str) -> None:
    email = Email(address="ada@example.com", typed="ada@example.com")
    lead = Lead(form="contact", site="main", email=email)
    keep(database, Submission("contact", "0" * 12, NOON, lead, {}, key=key))


def test_a_commit_wakes_a_listener_at_once(postgresql: Database) -> None:
    woken = threading.Semaphore(0)
    listener = Listener(postgresql, woken.release)
    try:
        assert woken.acquire(timeout=WAIT), "a new connection is a wake-up, too"
        _keep(postgresql, "1")
        assert woken.acquire(timeout=WAIT)
    finally:
        listener.close()


def test_a_listener_comes_back_when_its_connection_is_ended(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("formapp.db.notify.RETRY_SECONDS", 0.1)
    woken = threading.Semaphore(0)
    listener = Listener(postgresql, woken.release)
    try:
        assert woken.acquire(timeout=WAIT)
        with postgresql.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
            )
        assert woken.acquire(timeout=WAIT), "it connects again"
        _keep(postgresql, "1")
        assert woken.acquire(timeout=WAIT)
    finally:
        listener.close()
