"""Waits double up to a limit."""

from datetime import timedelta

from formapp.jobs.backoff import LONGEST, LONGEST_WAIT, doubled


def test_a_wait_doubles_up_to_its_limit() -> None:
    second = timedelta(seconds=1)
    waits = [doubled(second, times, 5 * second).total_seconds() for times in range(5)]
    assert waits == [1, 2, 4, 5, 5]
    assert doubled(second, 10**6) == LONGEST < LONGEST_WAIT
