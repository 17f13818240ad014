"""Processes that write to one SQLite file take turns; one that is killed holds nothing up."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from formapp.db.database import Database, DatabaseUnavailableError

fork = multiprocessing.get_context("fork")
ROUNDS = 150


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'turns.db'}"
    with closing(Database(url)) as database, database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE turns (id INTEGER PRIMARY KEY, who INTEGER)")
    return url


def _take_turns(url: str, who: int, start: Any) -> None:
    with closing(Database(url)) as database:
        start.wait()
        for _ in range(ROUNDS):
            with database.write() as connection:
                connection.exec_driver_sql("INSERT INTO turns (who) VALUES (?)", (who,))
                # The others have time to run, also on a machine that has no core free.
                time.sleep(0.003)


@pytest.mark.slow
def test_each_has_its_turn_while_others_write(url: str) -> None:
    start = fork.Barrier(3)
    processes = [fork.Process(target=_take_turns, args=(url, who, start)) for who in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with closing(Database(url)) as database, database.read() as connection:
        order = [row.who for row in connection.exec_driver_sql("SELECT who FROM turns ORDER BY id")]
    assert len(order) == 3 * ROUNDS
    # No process has finished before each has had a third of the turns.
    last_of_first = min(_last(order, who) for who in range(3))
    had = [order[:last_of_first].count(who) for who in range(3)]
    assert min(had) > ROUNDS / 3, had


def _last(order: list[int], who: int) -> int:
    return len(order) - order[::-1].index(who)


def _hold(url: str, held: Connection) -> None:
    with closing(Database(url)) as database, database.write():
        held.send("held")
        time.sleep(60)


@pytest.mark.slow
def test_a_process_that_is_killed_gives_its_turn_back(url: str) -> None:
    ours, theirs = fork.Pipe()
    process = fork.Process(target=_hold, args=(url, theirs))
    process.start()
    assert ours.recv() == "held"
    with closing(Database(url, busy_seconds=0.2)) as database:
        with pytest.raises(DatabaseUnavailableError, match="database is locked"), database.write():
            pass
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM turns").scalar() == 0
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO turns (who) VALUES (7)")


def test_waiting_for_threads_and_then_for_processes_takes_no_longer_than_for_either(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    class Busy:
        """A lock of threads that others hold for most of the time."""

        def acquire(self, timeout: float) -> bool:
            pass_by(0.8 * timeout)
            return True

        def release(self) -> None:
            pass_by(0.0)

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", pass_by)
    with closing(Database(url)) as holder, closing(Database(url, busy_seconds=5)) as database:
        monkeypatch.setattr(database._turn, "_threads", Busy())
        with holder.write(), pytest.raises(DatabaseUnavailableError, match="is locked"):
            database.write().__enter__()
        assert now[0] == pytest.approx(105, abs=0.01)


def test_the_process_whose_turn_is_next_looks_ten_times_in_a_millisecond(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    with closing(Database(url)) as holder, closing(Database(url)) as database:
        turn = holder.write()
        turn.__enter__()

        def end_turn(pause: float) -> None:
            pauses.append(pause)
            if len(pauses) == 3:
                turn.__exit__(None, None, None)

        monkeypatch.setattr(time, "sleep", end_turn)
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO turns (who) VALUES (7)")
    assert pauses == [0.0001] * 3


def test_a_database_is_closed_once_no_thread_writes(url: str) -> None:
    database = Database(url)
    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            closing_it = pool.submit(database.close)
            time.sleep(0.1)
            assert not closing_it.done()
            connection.exec_driver_sql("INSERT INTO turns (who) VALUES (1)")
        closing_it.result(20)
    with closing(database), database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM turns").scalar() == 1


def test_a_file_that_can_not_be_locked_is_reported(url: str, tmp_path: Path) -> None:
    (tmp_path / "turns.db-next").unlink(missing_ok=True)
    (tmp_path / "turns.db-next").mkdir()
    refused = pytest.raises(DatabaseUnavailableError, match="can't be locked")
    with closing(Database(url)) as database:
        with refused, database.write():
            pass
        with refused, database.write():
            pass
    (tmp_path / "turns.db-next").rmdir()
    with closing(Database(url)) as database, database.write() as connection:
        connection.exec_driver_sql("INSERT INTO turns (who) VALUES (7)")
