"""A submission that one process keeps wakes the workers of others, where the database can."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from formapp.db.database import Database, DatabaseUnavailableError, Execute
from formapp.db.notify import Listener, Notifier
from formapp.lead import Email, Lead
from formapp.leads.accept import GroupCommit, Submission, keep
from tests.support.clock import NOON
from tests.support.processes import eventually

WAIT = 15


def _submission(key: str) -> Submission:
    email = Email(address="ada@example.com", typed="ada@example.com")
    lead = Lead(form="contact", site="main", email=email)
    return Submission("contact", "0" * 12, NOON, lead, {}, key=key)


def _keep(database: Database, key: str) -> None:
    keep(database, _submission(key))


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


def test_a_group_of_submissions_wakes_a_listener_after_its_commit(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken = threading.Semaphore(0)
    statements: list[str] = []
    real = postgresql.write_by_driver

    @contextmanager
    def noted() -> Iterator[Execute]:
        with real() as execute:

            def note(statement: str, given: tuple[Any, ...]) -> object:
                statements.append(statement)
                return execute(statement, given)

            yield note

    monkeypatch.setattr(postgresql, "write_by_driver", noted)
    group, listener = GroupCommit(postgresql), Listener(postgresql, woken.release)
    try:
        assert woken.acquire(timeout=WAIT)
        group.keep(_submission("1"))
        assert woken.acquire(timeout=WAIT)
    finally:
        listener.close()
    # A commit that notifies keeps those of all other processes waiting until the disk has it.
    [stored] = [each for each in statements if "INSERT INTO submissions" in each]
    [notified] = [each for each in statements if "pg_notify" in each]
    assert "notify" not in stored
    assert "'synchronous_commit', 'off', true" in notified


def test_what_is_stored_within_a_few_milliseconds_is_notified_once(postgresql: Database) -> None:
    woken = threading.Semaphore(0)
    notifier, listener = Notifier(postgresql), Listener(postgresql, woken.release)
    try:
        assert woken.acquire(timeout=WAIT)
        begun = time.monotonic()
        for _ in range(500):
            notifier.notify()
        assert woken.acquire(timeout=WAIT)
        most = 2 + (time.monotonic() - begun) / 0.02
        times = 1
        while woken.acquire(timeout=0.2):
            times += 1
    finally:
        listener.close()
    assert times <= most


def test_a_notifier_outlives_a_time_without_its_database(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken, refused = threading.Semaphore(0), threading.Event()
    real = postgresql.write_by_driver

    @contextmanager
    def refuse_once() -> Iterator[Execute]:
        if not refused.is_set():
            refused.set()
            raise DatabaseUnavailableError("refused")
        with real() as execute:
            yield execute

    monkeypatch.setattr(postgresql, "write_by_driver", refuse_once)
    notifier, listener = Notifier(postgresql), Listener(postgresql, woken.release)
    try:
        assert woken.acquire(timeout=WAIT)
        notifier.notify()
        assert refused.wait(WAIT)
        notifier.notify()
        assert woken.acquire(timeout=WAIT)
    finally:
        listener.close()


def test_a_notifier_ends_with_its_database_and_begins_anew(postgresql: Database) -> None:
    notifier, before = Notifier(postgresql), set(threading.enumerate())
    for _ in range(2):
        woken = threading.Semaphore(0)
        listener = Listener(postgresql, woken.release)
        assert woken.acquire(timeout=WAIT)
        notifier.notify()
        assert woken.acquire(timeout=WAIT)
        listener.close()
        postgresql.close()
        assert set(threading.enumerate()) <= before


def test_a_notifier_that_has_to_end_while_it_looks_ends(sqlite: Database) -> None:
    notifier = Notifier(sqlite)

    class EndsMeanwhile(threading.Event):
        def clear(self) -> None:
            if notifier._thread:
                threading.Thread(target=notifier._end, daemon=True).start()
                eventually(lambda: notifier._thread is None)
                # As `_end` does just now; its thread may not have come so far.
                self.set()
            super().clear()

    notifier._due = EndsMeanwhile()
    notifier.notify()
    threads = [each for each in threading.enumerate() if each.name == "notifier"]
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads)
    assert notifier._thread is None, "it was asked to end"


def test_no_thread_for_a_notifier_is_no_error_of_what_is_stored(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    notifier = Notifier(sqlite)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    notifier.notify()
    monkeypatch.undo()
    notifier.notify()
    assert notifier._thread
    sqlite.close()
