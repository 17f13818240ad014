"""Sends events to the callback URL, with Wix's resends and with faults on request.

Wix counts everything but status 200 within 1,250 ms as a failure and sends an event up to 12 more
times (CONTRACT.md section W1). The delays are divided by `speed`. Events that wait are in memory:
a restart of the sandbox loses them.
"""

import heapq
import http.client
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from formapp.sandbox.api.call import iso
from formapp.sandbox.options import WebhookSettings
from formapp.sandbox.state import Event, Json
from formapp.sandbox.webhooks.events import with_body_as_text
from formapp.sandbox.webhooks.signing import Signer

MINUTE, HOUR = 60.0, 3600.0
RESENDS = (
    MINUTE,
    10 * MINUTE,
    HOUR,
    *[2 * HOUR] * 3,
    *[4 * HOUR] * 3,
    *[8 * HOUR] * 2,
    12 * HOUR,
)
"""Seconds between an attempt and the next."""

ANSWER_WITHIN = 1.25
HELD_BACK = MINUTE
"""How late an event comes that is to come out of order; divided by `speed`, too."""

SENDERS = 4
MAX_LOGGED = 5_000
OK = 200


@dataclass(order=True)
class _Sending:
    """An event that waits for its time, in seconds of the sandbox's clock."""

    due: float
    order: int
    event: Event = field(compare=False)
    attempt: int = field(default=1, compare=False)


class Emitter:
    """The events that wait, the threads that send them, and a log of what became of each."""

    def __init__(self, settings: WebhookSettings, signer: Signer, now: Callable[[], float]) -> None:
        self.settings = settings
        self.signer = signer
        self._now = now
        self._changed = threading.Condition()
        self._waiting: list[_Sending] = []
        self._in_flight = 0
        self._order = 0
        self._log: deque[Json] = deque(maxlen=MAX_LOGGED)
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._random = random.Random()  # noqa: S311 - selects events for faults, no secrets

    def emit(self, events: Iterable[Event]) -> None:
        """Send these events as the settings say; without a URL they are dropped."""
        settings = self.settings
        if not settings.url:
            return
        with self._changed:
            for event in events:
                if self._hits(settings.losses):
                    self._note(event, 0, None, "lost", 0.0)
                    continue
                late = HELD_BACK / settings.speed if self._hits(settings.reordering) else 0.0
                for _ in range(2 if self._hits(settings.doubles) else 1):
                    self._wait(event, late)
            self._start()

    def _hits(self, share: float) -> bool:
        return self._random.random() < share

    def _wait(self, event: Event, delay: float, attempt: int = 1) -> None:
        self._order += 1
        sending = _Sending(self._now() + delay, self._order, event, attempt)
        heapq.heappush(self._waiting, sending)
        self._changed.notify()

    def _start(self) -> None:
        while len(self._threads) < SENDERS and not self._closed:
            thread = threading.Thread(target=self._run, name="sandbox:webhooks", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Look again what is due: the clock was advanced, or the settings were changed."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._log.clear()
            self._waiting.clear()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def read(self) -> Json:
        """Return the settings, how many events wait or are being sent, and the log."""
        with self._changed:
            waiting = len(self._waiting) + self._in_flight
            log = list(self._log)
        return {"settings": asdict(self.settings), "waiting": waiting, "log": log}

    def _run(self) -> None:
        while (sending := self._next()) is not None:
            status, seconds = self._send(sending.event)
            with self._changed:
                self._in_flight -= 1
                self._settle(sending, status, seconds)

    def _next(self) -> _Sending | None:
        """Wait for the next event that is due; None: the sandbox is closed."""
        with self._changed:
            while not self._closed:
                wait = self._waiting[0].due - self._now() if self._waiting else None
                if wait is not None and wait <= 0:
                    self._in_flight += 1
                    return heapq.heappop(self._waiting)
                self._changed.wait(wait)
        return None

    def _send(self, event: Event) -> tuple[int | None, float]:
        """Return the status, None without an answer, and the seconds that it took."""
        settings, started = self.settings, time.perf_counter()
        content = with_body_as_text(event.content) if settings.text_form else event.content
        token = self.signer.sign(event, content)
        try:
            status = _post(settings.url, token) if settings.url else None
        except (OSError, ValueError, http.client.HTTPException):
            status = None
        return status, time.perf_counter() - started

    def _settle(self, sending: _Sending, status: int | None, seconds: float) -> None:
        event, attempt = sending.event, sending.attempt
        if status == OK and seconds <= ANSWER_WITHIN:
            outcome = "delivered"
        elif attempt <= len(RESENDS):
            outcome = "failed"
            self._wait(event, RESENDS[attempt - 1] / self.settings.speed, attempt + 1)
        else:
            outcome = "given up"
        self._note(event, attempt, status, outcome, seconds)

    def _note(
        self, event: Event, attempt: int, status: int | None, outcome: str, seconds: float
    ) -> None:
        """Add to the log, without a contact's data."""
        self._log.append(
            {
                "time": iso(self._now()),
                "site": event.site_id,
                "id": event.content["id"],
                "type": event.type,
                "contact": event.content["entityId"],
                "sequence": event.content["entityEventSequence"],
                "identity": event.identity["identityType"],
                "attempt": attempt,
                "status": status,
                "outcome": outcome,
                "ms": round(seconds * 1000, 1),
            }
        )


def _post(url: str, token: str) -> int:
    """Post a token as it is and return the status, following no redirect."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(kind(parts.hostname or "", parts.port, timeout=ANSWER_WITHIN)) as connection:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        connection.request("POST", path, token.encode(), headers)
        return connection.getresponse().status
