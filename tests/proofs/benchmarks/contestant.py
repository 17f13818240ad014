"""Who takes part in the accepting: an address, bodies that it takes, and where it keeps them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.benchmarks import load
from tests.proofs.benchmarks.load import CONNECTIONS, Load, NoLoadError

MOST = 4000
"""More posts a second than any contestant takes: so many bodies are prepared."""

Bodies = Callable[[int, str], Iterator[str]]
"""Gives so many bodies of a batch with this name."""


@dataclass(frozen=True)
class Contestant:
    """One installation that takes posts.

    Attributes:
        name: for the table.
        urls: of its form, one for each process.
        bodies: that it takes.
        headers: further ones, as `Name: value`.
        kept: how many submissions it has; None: it keeps none.
    """

    name: str
    urls: Sequence[str]
    bodies: Bodies
    headers: Sequence[str]
    kept: Callable[[], int] | None

    def turn(self, folder: Path, seconds: float, batch: str) -> Load:
        """Be posted to for so many seconds.

        Raises:
            NoLoadError: an answer was wrong, or what was answered was not kept.
        """
        number = max(1, round(seconds)) * MOST
        prepared = folder / "bodies.txt"
        with prepared.open("w") as file:
            file.writelines(f"{body}\n" for body in self.bodies(number, batch))
        before = self.kept() if self.kept else 0
        seen = load.post(self.urls, prepared, seconds, self.headers)
        if not seen.left:
            raise NoLoadError(f"{self.name} took all {number} bodies: prepare more")
        if self.kept:
            self._check(seen, _settled(self.kept) - before)
        return seen

    def _check(self, seen: Load, new: int) -> None:
        # What was under way when the time was over may be kept without an answer.
        if not seen.requests <= new <= seen.requests + CONNECTIONS:
            raise NoLoadError(f"{self.name} answered {seen.requests} and kept {new}")


def _settled(kept: Callable[[], int]) -> int:
    """The count once it doesn't grow any more: what is still under way belongs to this turn."""
    number = kept()
    while True:
        time.sleep(0.2)
        if (later := kept()) == number:
            return number
        number = later


def browser_headers(url: str) -> list[str]:
    """What a browser sends with a post from the server's own page."""
    return [
        f"Origin: {'/'.join(url.split('/')[:3])}",
        "Sec-Fetch-Site: same-origin",
        "Accept: text/html,application/xhtml+xml",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ]
