"""The sandbox as one object: its sites, settings, faults, tokens, rate limit and call log."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping

from flask import request

from formapp.sandbox.api.auth import Caller, RateLimiter, Tokens
from formapp.sandbox.api.call import Call
from formapp.sandbox.api.labelling import finish_due_jobs
from formapp.sandbox.control.faults import Faults
from formapp.sandbox.options import SandboxOptions
from formapp.sandbox.state import Json, Store
from formapp.sandbox.webhooks.emitter import Emitter
from formapp.sandbox.webhooks.signing import Signer

MAX_CALLS = 20_000


class CallLog:
    """The latest calls, without query or body, and counts per operation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Json] = deque(maxlen=MAX_CALLS)
        self._counts: Counter[str] = Counter()

    def add(self, entry: Json) -> None:
        """Add an entry with at least `site` and `operation`."""
        with self._lock:
            self._calls.append(entry)
            self._counts[entry["operation"]] += 1

    def read(self, site: str | None = None, operation: str | None = None) -> Json:
        """Return `calls` (oldest first, filtered), `counts` and `total`."""
        with self._lock:
            calls = [
                entry
                for entry in self._calls
                if site in (None, entry["site"]) and operation in (None, entry["operation"])
            ]
            counts = dict(sorted(self._counts.items()))
        return {"calls": calls, "counts": counts, "total": sum(counts.values())}


class Sandbox:
    """Everything that belongs to one sandbox; the constructor raises `StateFileError`."""

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.store = Store(options.state_file)
        self.closing = threading.Event()
        self.webhooks = Emitter(options.webhooks, Signer(self.store), self.now)
        self._start()

    def _start(self) -> None:
        self.settings = self.options.settings
        self.tokens: Tokens = {}
        self.limiter = RateLimiter()
        self.faults = Faults()
        self.calls = CallLog()
        self.skipped = 0.0
        """Seconds by which the clock was advanced, so that a test need not wait for an expiry."""

    def now(self) -> float:
        """Return seconds since the epoch, by the sandbox's clock."""
        return self.options.clock() + self.skipped

    def answer(
        self,
        operation: str,
        caller: Caller,
        answer: Callable[[Call], Json],
        path: Mapping[str, str],
        body: Json,
    ) -> Json:
        """Answer a call with its site locked.

        Before this returns its changes are saved, and its events wait to be sent.
        """
        query = dict(request.args.lists())
        site = self.store.site(caller.site_id)
        try:
            with site.lock:
                now = self.now()
                call = Call(operation, site, caller, self.settings, now, path, query, body)
                try:
                    finish_due_jobs(call)
                    return answer(call)
                finally:
                    self.webhooks.emit(site.take_events())
        finally:
            self.store.save()

    def reset(self) -> None:
        """Return to the start: no sites, faults, tokens, calls, events; the first settings."""
        self.store.drop()
        self._start()
        self.webhooks.settings = self.options.webhooks
        self.webhooks.clear()
        self.store.save()

    def close(self) -> None:
        """End the waits of all calls that a fault delays, and send no more events."""
        self.closing.set()
        self.webhooks.close()
