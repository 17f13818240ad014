"""How far a long command is: a bar on a terminal, else a log line now and then."""

import sys
import time
from collections.abc import Callable
from typing import Self

_WIDTH = 30
_BAR_EVERY = 0.1
_LINE_EVERY = 10.0
_ERASE = "\r\x1b[K"


class Progress:
    """Receives how many of how many are done; reports count, rate and time left.

    To standard error, so that `--json` prints nothing else on standard output. Leave its block
    before anything else is printed.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._stream = sys.stderr
        self._is_terminal = self._stream.isatty()
        self._clock = clock
        self._started = self._shown = clock()
        self._first: int | None = None
        self._last = ""

    def __call__(self, done: int, total: int) -> None:
        """Show it, if it's time to."""
        now = self._clock()
        if self._first is None:  # what an earlier run did says nothing of this one's rate
            self._first = done
        every = _BAR_EVERY if self._is_terminal else _LINE_EVERY
        self._last = self._line(done, total, now)
        if now - self._shown >= every:
            self._shown = now
            self._write(self._last)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last:
            self._write(self._last)
            if self._is_terminal:
                self._stream.write("\n")
                self._stream.flush()

    def _write(self, line: str) -> None:
        self._stream.write(f"{_ERASE}{line}" if self._is_terminal else f"{line}\n")
        self._stream.flush()

    def _line(self, done: int, total: int, now: float) -> str:
        seconds = now - self._started
        rate = (done - (self._first or 0)) / seconds if seconds else 0.0
        parts = [f"{self._what} {done} of {total}" if total else f"{self._what} {done}"]
        if rate:
            parts.append(f"{rate:.3g} a second")
            if total > done:
                parts.append(f"{_duration((total - done) / rate)} left")
        line = ", ".join(parts)
        if not self._is_terminal:
            return line
        share = min(1.0, done / total) if total else 0.0
        full = round(_WIDTH * share)
        return f"[{'#' * full}{' ' * (_WIDTH - full)}] {line}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
