"""The worker: wakes at once, polls, drains, ends in order, and outlives what goes wrong."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from formapp.db.database import DatabaseUnavailableError
from formapp.jobs.worker import MOST_DEFECTS, POLL_SECONDS, Worker, WorkerGroup
from tests.support.leads import lead
from tests.support.world import World

WAIT = 20
NEVER = 3600.0
BUSY, IDLE = True, False


class Script:
    """Stands in for a deliverer: does what it was told to, one answer a call, then nothing."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.looked = threading.Semaphore(0)
        self.looks = 0
        self.interrupted = False

    def deliver_next(self) -> bool:
        self.looks += 1
        answer = self._answers.pop(0) if self._answers else False
        try:
            if isinstance(answer, Exception):
                raise answer
            return bool(answer() if callable(answer) else answer)
        finally:
            self.looked.release()

    def interrupt(self) -> None:
        self.interrupted = True

    def seen(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.looked.acquire(timeout=WAIT)


@contextmanager
def running(script: Script, **more: Any) -> Iterator[Worker]:
    worker = Worker(
        script.deliver_next, interrupt=script.interrupt, **{"poll_seconds": NEVER, **more}
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(WAIT)
        assert not thread.is_alive()


def test_it_goes_on_while_there_is_work_and_then_sleeps() -> None:
    script = Script(BUSY, BUSY, BUSY)
    with running(script):
        script.seen(4)
        assert not script.looked.acquire(timeout=0.1)


def test_a_wake_makes_it_look_at_once() -> None:
    script = Script()
    with running(script) as worker:
        for _ in range(5):
            script.seen()
            worker.wake()
        script.seen()
    assert script.looks == 6


def test_with_a_delay_what_wakes_it_meanwhile_is_one_look() -> None:
    script = Script()
    with running(script, wake_delay_seconds=0.2) as worker:
        script.seen()
        began = time.monotonic()
        for _ in range(5):
            worker.wake()
        script.seen()
        assert time.monotonic() - began >= 0.2
        assert not script.looked.acquire(timeout=0.4)
    assert script.looks == 2


def test_a_delay_holds_up_no_stop() -> None:
    script = Script()
    with running(script, wake_delay_seconds=NEVER) as worker:
        script.seen()
        worker.wake()
        assert not script.looked.acquire(timeout=0.1)


def test_one_wake_is_one_look() -> None:
    script = Script()
    with running(script) as worker:
        script.seen()
        worker.wake()
        script.seen()
        assert not script.looked.acquire(timeout=0.1)


def test_a_wake_during_a_look_is_not_lost() -> None:
    """What was kept just after the look would wait for the next poll."""
    holder: list[Worker] = []

    def wakes() -> bool:
        holder[0].wake()
        return False

    ready = threading.Event()
    script = Script(lambda: not ready.wait(WAIT), wakes)
    with running(script) as worker:
        holder.append(worker)
        ready.set()
        script.seen()
        worker.wake()
        script.seen(2)
    assert script.looks == 3


def test_without_a_wake_it_looks_again_by_itself() -> None:
    assert POLL_SECONDS == 1.0
    script = Script()
    with running(script, poll_seconds=0.01):
        script.seen(5)


def test_a_stop_during_a_delivery_ends_it_after_that_delivery() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> bool:
        begun.set()
        return go_on.wait(WAIT)

    script = Script(slow, BUSY)
    with running(script) as worker:
        assert begun.wait(WAIT)
        worker.stop()
        go_on.set()
    assert script.looks == 1
    assert script.interrupted


def test_a_stop_at_any_moment_ends_it_though_it_would_sleep_for_an_hour() -> None:
    for _ in range(200):
        worker = Worker(Script().deliver_next, poll_seconds=NEVER)
        thread = threading.Thread(target=worker.run)
        thread.start()
        worker.stop()
        thread.join(WAIT)
        assert not thread.is_alive()


def test_it_outlives_a_database_that_is_away_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "formapp.jobs.worker")
    script = Script(*[DatabaseUnavailableError("refused (no room)")] * 5, BUSY)
    with running(script, poll_seconds=0.01):
        script.seen(8)
    messages = [each.getMessage() for each in caplog.records]
    assert messages == [
        "work waits: the database refused (no room)",
        "the database is back",
    ]


def test_it_outlives_whatever_else_is_raised_and_shows_no_text_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script(ValueError("canary"), ZeroDivisionError("canary"), BUSY)
    with running(script, poll_seconds=0.01):
        script.seen(5)
    assert "ValueError" in caplog.text
    assert "canary" not in caplog.text


def test_periodic_tasks_run_once_a_round_and_one_that_fails_stops_no_lead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[int] = []

    def broken() -> None:
        raise ValueError("canary")

    script = Script(BUSY, BUSY)
    with running(script, periodic=[broken, lambda: done.append(script.looks)]):
        script.seen(3)
        assert done == [0, 1, 2]
    assert "canary" not in caplog.text


def test_draining_ends_when_nothing_is_due_and_tells_how_it_goes(world: World) -> None:
    for number in range(3):
        world.keep(lead(f"person{number}@example.com"))
    progress: list[int] = []
    assert Worker(world.deliverer.deliver_next).drain(progress.append) == 3
    assert progress == [1, 2, 3]
    assert len(world.site.contacts()) == 3


def test_work_that_does_several_things_at_once_counts_each() -> None:
    done, progress = iter((3, 2, 0)), list[int]()
    assert Worker(lambda: next(done)).drain(progress.append) == 5
    assert progress == [1, 2, 3, 4, 5]


def test_draining_waits_for_nothing_that_is_not_due(world: World) -> None:
    world.site.fault("status", status=503)
    world.keep(lead())
    assert Worker(world.deliverer.deliver_next).drain() == 1


def test_draining_tells_of_a_database_that_is_away() -> None:
    worker = Worker(Script(BUSY, DatabaseUnavailableError("refused")).deliver_next)
    with pytest.raises(DatabaseUnavailableError):
        worker.drain()


def test_a_group_drains_deliveries_first_and_what_jobs_release_in_the_same_go() -> None:
    order: list[str] = []

    def noting(name: str, *answers: Any) -> Worker:
        script = Script(*answers)

        def work() -> bool:
            done = script.deliver_next()
            order.extend([name] if done else [])
            return done

        return Worker(work)

    group = WorkerGroup(
        [noting("lead", BUSY, IDLE, BUSY), noting("other site", BUSY)],
        noting("challenge", BUSY),
        noting("mail", BUSY),
    )
    assert group.drain() == (3, 2)
    assert order == ["lead", "other site", "challenge", "mail", "lead"]


def test_draining_goes_on_after_a_defect_and_shows_no_text_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    leads, broken = Script(BUSY), Script(ValueError("canary"), BUSY)
    mails = Script(BUSY)
    first, *jobs = (Worker(each.deliver_next) for each in (leads, broken, mails))
    group = WorkerGroup([first], *jobs)
    assert group.drain() == (1, 3)
    assert group.defects == 1
    assert "a worker met a defect of formapp: ValueError" in caplog.text
    assert "canary" not in caplog.text


def test_draining_ends_where_nothing_but_defects_comes_of_it() -> None:
    def broken() -> bool:
        raise ValueError

    worker = Worker(broken)
    worker.drain()
    assert worker.defects == MOST_DEFECTS


def test_a_stop_between_two_calls_gives_the_delivery_back_unharmed(world: World) -> None:
    deliverer = world.deliverer
    worker = Worker(deliverer.deliver_next, interrupt=deliverer.interrupt)
    submission_id = world.keep(lead())
    world.once("queryContacts", worker.stop)
    worker.drain()
    assert world.site.calls() == ["queryContacts"]
    row = world.row(submission_id)
    assert (row["state"], row["attempts"], row["intent"], row["lease_until"]) == (
        "pending",
        0,
        None,
        None,
    )
    world.deliverer = world.new_deliverer()
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"


def test_a_stop_during_the_last_call_still_writes_down_its_outcome(world: World) -> None:
    worker = Worker(world.deliverer.deliver_next)
    submission_id = world.keep(lead())
    world.once("createContact", worker.stop)
    worker.drain()
    assert world.row(submission_id)["outcome"] == "created"


@pytest.mark.parametrize("step", ["intend", "finish"])
def test_a_database_that_goes_away_in_the_middle_delays_the_lead_no_longer_than_that(
    both_worlds: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Its lease needn't run out first; a create that was sent waits out its grace period."""
    world = both_worlds
    submission_id = world.keep(lead())
    where = {
        "intend": "formapp.delivery.deliver.intend",
        "finish": "formapp.delivery.results.finish",
    }

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("refused")

    with monkeypatch.context() as patch:
        patch.setattr(where[step], away)
        with pytest.raises(DatabaseUnavailableError):
            world.deliver()
    world.drain()
    world.clock.turn(60 if step == "finish" else 0)
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert len(world.site.contacts()) == 1
