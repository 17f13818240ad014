import threading

import pytest

from tests.proofs.faults import seams
from tests.proofs.faults.seams import WEB_STEPS, WORKER_STEPS, Seam, arm


class Died(BaseException):
    """In place of a SIGKILL."""


def die() -> None:
    raise Died


class Example:
    """Something with a seam."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def work(self, result: object) -> object:
        self.done.append(result)
        return result


def armed(monkeypatch: pytest.MonkeyPatch, seam: Seam, at: int) -> Example:
    class Owner(Example):
        work = Example.work

    monkeypatch.setattr(seams, "_owner", lambda _path: Owner)
    arm(seam, at, 0.0, die)
    return Owner()


@pytest.mark.parametrize("step", [*WORKER_STEPS, *WEB_STEPS])
def test_every_step_is_a_function_of_production_code(step: str) -> None:
    seam = {**WORKER_STEPS, **WEB_STEPS}[step]
    assert callable(getattr(seams._owner(seam.owner), seam.name))


def test_a_process_dies_before_the_function_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    example = armed(monkeypatch, Seam("", "work", "before"), at=2)
    assert example.work(1) == 1
    with pytest.raises(Died):
        example.work(2)
    assert example.done == [1]


def test_a_process_dies_after_the_function_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    example = armed(monkeypatch, Seam("", "work", "after"), at=1)
    with pytest.raises(Died):
        example.work(1)
    assert example.done == [1]


def test_calls_without_a_result_may_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    example = armed(monkeypatch, Seam("", "work", "after", wants_result=True), at=1)
    assert example.work(None) is None
    with pytest.raises(Died):
        example.work(1)


def test_a_process_dies_while_the_function_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    dead, running = threading.Event(), threading.Event()

    class Slow:
        def work(self) -> bool:
            running.set()
            return dead.wait(5)

    monkeypatch.setattr(seams, "_owner", lambda _path: Slow)
    arm(Seam("", "work", "during"), 1, 0.0, dead.set)
    assert Slow().work()
    assert running.is_set()
