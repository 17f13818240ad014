"""Many events at once at the address for Wix's webhooks, and how long each answer takes."""

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from typing import Any

import requests

from tests.support.wixevents import event, token


@dataclass(frozen=True)
class Result:
    """Seconds of each answer, ascending, and how many weren't 200."""

    waits: Sequence[float]
    refused: int

    def percentile(self, percent: float) -> float:
        """The seconds within which this share of the answers came."""
        return self.waits[math.ceil(len(self.waits) * percent / 100) - 1]


def measure(url: str, key: Any, *, events: int, clients: int) -> Result:
    """Post so many different events, as many at once as there are clients."""
    bodies = [token(event(), key=key) for _ in range(events)]
    per_thread = local()

    def post(body: bytes) -> tuple[float, bool]:
        if not hasattr(per_thread, "session"):
            per_thread.session = requests.Session()
        started = time.perf_counter()
        answer = per_thread.session.post(url, data=body, timeout=30)
        return time.perf_counter() - started, answer.status_code == 200

    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(post, bodies))
    return Result(sorted(wait for wait, _ in answers), sum(not good for _, good in answers))
