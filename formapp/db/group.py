"""Group commit: items that several threads hand in at once are done together, by one of them.

A thread that finds no work in progress does its own item; others that arrive meanwhile wait, and
the first of them then does all that wait. So nobody waits for more than two turns, and each thread
is woken once, by a lock of its own.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(Generic[Item, Result]):
    """One item that waits: for its answer, or for its turn to do all."""

    __slots__ = ("answer", "done", "item", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.answer: Result | BaseException | None = None
        self.done = False
        self.woken = threading.Lock()
        self.woken.acquire()


class Group(Generic[Item, Result]):
    """Does items of many threads together.

    Args:
        work: takes items in the order in which they came, and returns as many answers: a result, or
            an exception that is raised to the thread of that item. What it raises itself is raised
            to all of them.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | Exception]]) -> None:
        self._work = work
        self._mutex = threading.Lock()
        self._waiting: list[_Waiting[Item, Result]] = []
        self._at_work = False

    def do(self, item: Item) -> Result:
        """Have this item done, with all others that wait; returns once it is.

        Raises:
            Exception: what the work found for this item.
        """
        mine = _Waiting[Item, Result](item)
        with self._mutex:
            must_wait = self._at_work
            self._at_work = True
            if must_wait:
                self._waiting.append(mine)
        together = [mine]
        if must_wait:
            mine.woken.acquire()
            if not mine.done:
                with self._mutex:
                    together, self._waiting = self._waiting, []
        if not mine.done:
            self._do_all(together, mine)
        if isinstance(mine.answer, BaseException):
            raise mine.answer
        return cast("Result", mine.answer)

    def _do_all(self, together: list[_Waiting[Item, Result]], mine: _Waiting[Item, Result]) -> None:
        answers: Sequence[Result | BaseException]
        try:
            answers = self._work([each.item for each in together])
            if len(answers) != len(together):
                raise ValueError(f"{len(together)} items have {len(answers)} answers")  # noqa: TRY301 - raised to all
        except BaseException as error:  # noqa: BLE001 - each caller raises it again
            answers = [error] * len(together)
        for each, answer in zip(together, answers, strict=True):
            each.answer, each.done = answer, True
            if each is not mine:
                each.woken.release()
        with self._mutex:
            if self._waiting:
                self._waiting[0].woken.release()
            else:
                self._at_work = False
