"""Transactions by the driver: their errors, and connections that PostgreSQL has ended."""

import time
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import QueuePool

from formapp.db.database import (
    _IDLE_SECONDS,
    ContentRefusedError,
    Database,
    DatabaseUnavailableError,
)

INSERT = "INSERT INTO counts (hash, count, expires_at) VALUES ({}, 1, '2026-01-01 00:00:00')"
END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
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
    time.sleep(2 * _IDLE_SECONDS)
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
    monkeypatch.setattr("formapp.db.database._IDLE_SECONDS", 60)
    with pytest.raises(DatabaseUnavailableError):
        store(postgresql, "b")
    store(postgresql, "b")
    assert stored(postgresql) == {"a", "b"}
    assert in_use(postgresql) == 0


def test_a_connection_given_back_commits_nothing_by_itself(database: Database) -> None:
    store(database, "a")
    with suppress(ZeroDivisionError), database.write() as connection:
        connection.execute(text(INSERT.format("'b'")))
        raise ZeroDivisionError
    assert stored(database) == {"a"}


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
