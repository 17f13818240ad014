"""Group commit: what several threads hand in at once is done together, by one of them.

Whoever finds nobody at work does all that waits, the own included; whoever comes meanwhile waits
for the next turn. So nobody waits for more than two turns, a lone caller doesn't wait at all, and
no thread stays behind.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Handed(Generic[Item, Result]):
    """One item, and its answer once it is done."""

    __slots__ = ("answer", "done", "item")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.answer: Result | BaseException | None = None
        self.done = False


class Group(Generic[Item, Result]):
    """Does items of many threads together.

    Args:
        work: takes items in the order in which they came, and returns as many answers: a result, or
            an exception that is raised to whoever handed that item in. What it raises itself is
            raised to all of them.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]]) -> None:
        self._work = work
        self._turned = threading.Condition()
        self._waiting: list[_Handed[Item, Result]] = []
        self._at_work = False

    def do(self, item: Item) -> Result:
        """Have this item done, with whatever else waits; returns once it is.

        Raises:
            Exception: what the work found for this item.
        """
        handed = _Handed[Item, Result](item)
        if together := self._joined(handed):
            self._do_all(together)
        if isinstance(handed.answer, BaseException):
            raise handed.answer
        return cast("Result", handed.answer)

    def _joined(self, handed: _Handed[Item, Result]) -> list[_Handed[Item, Result]]:
        """Wait for an answer, or for the turn: then what is to be done in it."""
        with self._turned:
            self._waiting.append(handed)
            while self._at_work and not handed.done:
                self._turned.wait()
            if handed.done:
                return []
            self._at_work = True
            together, self._waiting = self._waiting, []
            return together

    def _do_all(self, together: list[_Handed[Item, Result]]) -> None:
        answers: Sequence[Result | BaseException]
        try:
            answers = self._answers([handed.item for handed in together])
        except BaseException as error:  # noqa: BLE001 - each caller raises it again
            answers = [error] * len(together)
        with self._turned:
            for handed, answer in zip(together, answers, strict=True):
                handed.answer, handed.done = answer, True
            self._at_work = False
            self._turned.notify_all()

    def _answers(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        answers = self._work(items)
        if len(answers) != len(items):
            raise ValueError(f"{len(items)} items have {len(answers)} answers")
        return answers
