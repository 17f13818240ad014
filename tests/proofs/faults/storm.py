"""The 429 storm: somebody else uses up the site's limit; then leads drain at what it allows.

Wix allows 200 requests in a minute, to all of an instance's clients together. While others take
their share, Wix refuses what the budget would allow.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tests.proofs.faults.editor import SITE
from tests.proofs.faults.result import Result
from tests.proofs.faults.setting import Place, Setting, setting
from tests.proofs.faults.stage import Weather
from tests.proofs.faults.violations import Violation

WINDOW = 60.0
LEFT_BY_OTHERS = 0.4
"""Of the limit, during the storm."""

DRAIN_RATE = 0.95
WORKERS = 3


@dataclass(frozen=True, slots=True)
class Size:
    """How large a storm is: calls in a minute, leads, and the clock's speed.

    A machine must make `limit / 60 * scale` calls in a second, or it is measured instead.
    """

    limit: int
    leads: int
    scale: float


LONG = Size(200, 500, 4.0)
SHORT = Size(40, 60, 12.0)


def storm(place: Place) -> Result:
    """Refuse, then allow; the limit holds in every window, nothing fails, and it drains fast."""
    size = LONG if place.long else SHORT
    left = round(LEFT_BY_OTHERS * size.limit)
    weather = Weather(budget=size.limit, scale=size.scale, sandbox={"rate_limit": left})
    with setting(place, weather) as scene:
        scene.bear("web")
        scene.visitors.may_post = lambda: True
        scene.visitors.start()
        while len(scene.visitors.sent) < size.leads:
            time.sleep(0.05)
        scene.visitors.stop()
        for number in range(WORKERS):
            scene.bear(f"worker {number}")
        time.sleep(1.5 * WINDOW / size.scale)
        over = scene.stage.clock.seconds()
        scene.stage.control("PATCH", "/settings", {"rate_limit": 0})
        violations = scene.recovered(300.0)
        calls = _calls(scene)
        violations += _within_limit([at for at, _ in calls], size.limit)
        violations += _fast([at for at, status in calls if at > over and status != 429], size.limit)
        result = scene.result(violations)
        result.counts["answered 429"] = sum(status == 429 for _, status in calls)
        return result


def _calls(scene: Setting) -> list[tuple[float, int | None]]:
    log = scene.stage.control("GET", f"/calls?site={SITE}")["calls"]
    return sorted((_seconds(call["time"]), call["status"]) for call in log)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _within_limit(times: Sequence[float], limit: int) -> Iterator[Violation]:
    """In no window are there more calls than the limit."""
    for first, last in zip(times, times[limit:], strict=False):
        if last - first < WINDOW:
            yield Violation("budget", f"{limit + 1} calls in {last - first:.2f} s")
            return


def _fast(times: Sequence[float], limit: int) -> Iterator[Violation]:
    """After the storm each whole window but the last carries what it may, or nearly so."""
    first = times[0]
    edges = [first + WINDOW * number for number in range(int((times[-1] - first) / WINDOW) + 1)]
    for begin, end in pairwise(edges):
        count = sum(begin <= at < end for at in times)
        if count < DRAIN_RATE * limit:
            yield Violation("slow", f"{count} calls in a minute, {limit} were allowed")
