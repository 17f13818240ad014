"""A site's gate to Wix: the client, the budget before it, the record of calls behind it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from formapp.delivery.budget import Budget
from formapp.monitoring.metrics import Metrics
from formapp.wix import Call, WixContacts, WixError

Clock = Callable[[], datetime]
"""Gives the present time, aware, in UTC."""

CALLS_PER_LEAD = 2
"""What a lead costs once its keys are known: a look-up, and a write where one is needed."""


class BudgetSpentError(Exception):
    """The site's rate budget has no room before `free_at`; nothing was sent."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__("the rate budget is spent")
        self.free_at = free_at


class StoppedError(Exception):
    """The worker is to end; nothing was sent."""


class Connect(Protocol):
    """Makes the client of a site, with the two hooks built in."""

    def __call__(
        self,
        *,
        before_call: Callable[[str], None],
        on_call: Callable[[Call], None],
    ) -> WixContacts:
        """Make the client; no call is sent by this."""
        ...


class RateLimitedClient:
    """One site, as one worker thread reaches it.

    Attributes:
        site: its name in the form files.
        wix: the client.
        calls: the HTTP calls since `begin`: operation, status, code, request_id, ms.
    """

    def __init__(
        self,
        site: str,
        connect: Connect,
        budget: Budget,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self.site = site
        self._measures = metrics or Metrics()
        self._closing = False
        self.calls: list[dict[str, Any]] = []
        self._budget = budget
        self._clock = clock
        self._taken = clock()
        self.wix = connect(before_call=self._spend, on_call=self._record)

    def close(self) -> None:
        """Let no further call through; the one in flight goes on. From any thread."""
        self._closing = True

    def begin(self) -> None:
        """Start the record of an attempt.

        Raises:
            BudgetSpentError: there is no room for a whole lead; beginning one would waste its look-up.
        """
        self.calls = []
        free_at = self._budget.room_at(self.site, self._clock(), CALLS_PER_LEAD)
        if free_at:
            raise BudgetSpentError(free_at)

    def _spend(self, _operation: str) -> None:
        if self._closing:
            raise StoppedError
        self._taken = self._clock()
        if self._budget.take(self.site, self._taken) is None:
            return
        # A lead that needs more calls than most must not be begun again and again for nothing:
        # each time, room for more is waited for.
        wanted = len(self.calls) + CALLS_PER_LEAD
        free_at = self._budget.room_at(self.site, self._clock(), wanted)
        raise BudgetSpentError(free_at or self._clock())

    def _record(self, call: Call) -> None:
        self._measures.call(call.operation, call.status, call.seconds)
        self.calls.append(
            {
                "operation": call.operation,
                "status": call.status,
                "code": call.code,
                "request_id": call.request_id,
                "ms": round(call.seconds * 1000),
            },
        )
        self._budget.ended(self.site, self._taken, self._clock())


def reason(error: WixError) -> str:
    """Wix's own words on a refusal, for the owner's eyes: kept with the delivery, never logged."""
    said = "; ".join(each.description for each in error.violations if each.description)
    return f"{error}: {said}" if said else str(error)
