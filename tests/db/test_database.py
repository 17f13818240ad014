"""Transactions by the driver: their errors, and connections that PostgreSQL has ended."""

import threading
import time
from contextlib import ExitStack, closing, suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import QueuePool

import formapp.db.postgresql as postgresql_module
from formapp.db.database import ContentRefusedError, Database, DatabaseUnavailableError
from formapp.db.postgresql import IDLE_SECONDS
from formapp.waiting import in_thread
from tests.support.greenlets import in_greenlets
from tests.support.processes import eventually

INSERT = "INSERT INTO counts (hash, count, expires_at) VALUES ({}, 1, '2026-01-01 00:00:00')"
END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)

SLEEPING = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database() AND state = 'active'"
)


def store(database: Database, *names: str) -> None:
    with database.write_by_driver() as execute:
        for name in names:
            execute(INSERT.format("?" if database.is_sqlite else "%s"), (name,))


def stored(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(text("SELECT hash FROM counts")))


def end_connections(database: Database) -> None:
    """End all connections of a PostgreSQL database, by one more."""
    other = Database(database.url.render_as_string(hide_password=False))
    with other.write() as connection:
        connection.execute(END_OTHERS)
    other.close()


def in_use(database: Database) -> int:
    """How many connections aren't in the pool."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def test_what_is_there_already_is_refused_and_the_connection_goes_on(database: Database) -> None:
    store(database, "a")
    held = in_use(database)
    for _ in range(3):
        with pytest.raises(IntegrityError):
            store(database, "a")
    store(database, "b")
    assert stored(database) == {"a", "b"}
    assert in_use(database) == held


def test_of_a_transaction_that_fails_nothing_is_stored(sqlite: Database) -> None:
    store(sqlite, "a")
    with pytest.raises(IntegrityError):
        store(sqlite, "b", "c", "a")
    assert stored(sqlite) == {"a"}


def test_a_table_that_is_missing_is_said_without_the_row(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError) as found, database.write_by_driver() as execute:
        execute("INSERT INTO missing (name) VALUES ('Ines Okafor')", ())
    expected = "no such table" if database.is_sqlite else "has another schema"
    assert expected in str(found.value)
    assert "Okafor" not in str(found.value)
    store(database, "a")
    assert stored(database) == {"a"}


def test_a_content_that_postgresql_refuses_is_told_apart(postgresql: Database) -> None:
    with pytest.raises(ContentRefusedError):
        store(postgresql, "\0")
    store(postgresql, "a")
    assert stored(postgresql) == {"a"}


def test_a_connection_that_was_lost_while_idle_costs_no_post(postgresql: Database) -> None:
    store(postgresql, "a")
    end_connections(postgresql)
    time.sleep(2 * IDLE_SECONDS)
    store(postgresql, "b")
    assert stored(postgresql) == {"a", "b"}


def test_connections_that_were_lost_a_moment_ago_are_refused_once(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as several:
        for _ in range(5):
            several.enter_context(postgresql.read()).execute(text("SELECT 1"))
    store(postgresql, "a")
    end_connections(postgresql)
    monkeypatch.setattr("formapp.db.postgresql.IDLE_SECONDS", 60)
    with pytest.raises(DatabaseUnavailableError):
        store(postgresql, "b")
    store(postgresql, "b")
    assert stored(postgresql) == {"a", "b"}
    # Of the lost ones none; one is kept for the next statement.
    assert in_use(postgresql) == 1


def test_a_connection_given_back_commits_nothing_by_itself(database: Database) -> None:
    store(database, "a")
    with suppress(ZeroDivisionError), database.write() as connection:
        connection.execute(text(INSERT.format("'b'")))
        raise ZeroDivisionError
    assert stored(database) == {"a"}


def test_a_look_up_leaves_the_connections_transactions_as_they_are(database: Database) -> None:
    store(database, "a")
    for _ in range(2):
        with database.look_up() as connection:
            assert connection.scalars(text("SELECT hash FROM counts")).all() == ["a"]
            assert database.is_sqlite or not _in_transaction(connection)
        with suppress(ZeroDivisionError), database.write() as connection:
            connection.execute(text(INSERT.format("'b'")))
            assert database.is_sqlite or _in_transaction(connection)
            raise ZeroDivisionError
    assert stored(database) == {"a"}


def _in_transaction(connection: Connection) -> bool:
    """Whether PostgreSQL has begun a transaction for it."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.info.transaction_status)


def test_postgresql_plans_each_query_for_its_values(postgresql: Database) -> None:
    prepared = text("SELECT count(*) FROM pg_prepared_statements")
    for _ in range(8):
        with postgresql.look_up() as connection:
            connection.execute(text("SELECT CAST(:value AS integer)"), {"value": 1})
            assert connection.scalar(prepared) == 0


def test_a_database_that_is_closed_in_a_transaction_opens_another_connection(
    sqlite: Database,
) -> None:
    opened: list[object] = []
    event.listen(sqlite.engine, "connect", lambda connection, _record: opened.append(connection))
    with sqlite.write_by_driver() as execute:
        execute(INSERT.format("?"), ("a",))
        sqlite.close()
    store(sqlite, "b")
    assert len(opened) == 2
    assert stored(sqlite) == {"a", "b"}


def test_on_postgresql_statements_hold_up_no_thread(postgresql: Database) -> None:
    threads: list[int] = []

    def sleep() -> None:
        with postgresql.write_by_driver() as execute:
            execute("SELECT pg_sleep(%s)", (0.2,))
        threads.append(threading.get_ident())

    in_greenlets([partial(store, postgresql, name) for name in "abcdef"])  # which connects
    began = time.monotonic()
    assert in_greenlets([sleep] * 6) == [None] * 6
    assert time.monotonic() - began < 0.9, "they waited in turn"
    assert threads == [threading.get_ident()] * 6


def test_a_new_connection_holds_up_no_thread(postgresql: Database) -> None:
    opened: list[int] = []
    event.listen(postgresql.engine, "connect", lambda *_: opened.append(threading.get_ident()))
    assert in_greenlets([partial(store, postgresql, name) for name in "abc"]) == [None] * 3
    assert len(opened) == 3
    assert threading.get_ident() not in opened
    # They are still there.
    assert in_greenlets([partial(store, postgresql, name) for name in "def"]) == [None] * 3
    assert len(opened) == 3
    assert stored(postgresql) == set("abcdef")


def test_a_refusal_and_a_lost_connection_are_raised_to_greenlets(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    repeated, refused = in_greenlets(
        [partial(store, postgresql, "a"), partial(store, postgresql, "\0")]
    )
    assert (repeated, type(refused)) == (None, ContentRefusedError)
    [repeated] = in_greenlets([partial(store, postgresql, "a")])
    assert isinstance(repeated, IntegrityError)
    end_connections(postgresql)
    with monkeypatch.context() as patch:
        patch.setattr("formapp.db.postgresql.IDLE_SECONDS", 60)
        [lost] = in_greenlets([partial(store, postgresql, "b")])
    assert isinstance(lost, DatabaseUnavailableError)
    assert in_greenlets([partial(store, postgresql, "b")]) == [None]
    end_connections(postgresql)
    time.sleep(2 * IDLE_SECONDS)
    assert in_greenlets([partial(store, postgresql, "c")]) == [None]
    assert stored(postgresql) == {"a", "b", "c"}


def test_a_connection_that_is_lost_while_a_greenlet_waits_is_reported(
    postgresql: Database,
) -> None:
    def sleep() -> None:
        with postgresql.write_by_driver() as execute:
            execute("SELECT pg_sleep(30)", ())

    def sleeps() -> bool:
        with postgresql.read() as connection:
            return bool(connection.scalar(SLEEPING))

    def end() -> None:
        in_thread(partial(eventually, sleeps))
        in_thread(partial(end_connections, postgresql))

    slept, ended = in_greenlets([sleep, end])
    assert (type(slept), ended) == (DatabaseUnavailableError, None)
    store(postgresql, "a")
    assert stored(postgresql) == {"a"}


def test_a_closed_database_has_no_connections(postgresql: Database) -> None:
    count = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    in_greenlets([partial(store, postgresql, name) for name in "abc"])
    with postgresql.write_by_driver() as execute:
        execute("SELECT 1", ())
        postgresql.close()
    with closing(Database(postgresql.url.render_as_string(hide_password=False))) as other:

        def number() -> int:
            with other.read() as connection:
                return int(connection.scalar(count) or 0)

        eventually(lambda: number() == 1)
    store(postgresql, "d")
    assert stored(postgresql) == set("abcd")


def test_a_socket_that_cannot_be_watched_is_the_databases_failure(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    store(postgresql, "a")
    with monkeypatch.context() as patch:
        patch.setattr(postgresql_module, "wait_for_socket", refuse)
        [error] = in_greenlets([partial(store, postgresql, "b")])
    assert isinstance(error, DatabaseUnavailableError)
    assert in_greenlets([partial(store, postgresql, "c")]) == [None]
    assert in_use(postgresql) == 1
