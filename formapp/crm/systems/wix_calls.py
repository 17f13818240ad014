"""Calls to Wix for a book: within the rate budget that leads share, its errors as a system's."""

from collections.abc import Callable, Iterator, Sized
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

from formapp import wix
from formapp.crm import system
from formapp.db.database import Database
from formapp.delivery.sites import BudgetSpentError, Clock, RateLimitedClient, Site, StoppedError
from formapp.monitoring.metrics import Metrics
from formapp.wix import Contact, WixContacts
from formapp.wix.parsing import MAX_PAGE, Page

T = TypeVar("T")

SHARE = 0.75
"""Of a site's rate budget: leads go first."""

_STEP_BACK = 100
_LONGEST_WAIT = 70.0

Wait = Callable[[float], bool]
"""Waits so many seconds; True if the process is to end instead."""


class Rows(NamedTuple):
    """Contacts of a page that no page before had; `offset` continues behind them."""

    contacts: list[Contact]
    offset: int
    total: int | None


class Client(Protocol):
    """What is needed of a `RateLimitedClient`."""

    wix: WixContacts

    @property
    def calls(self) -> Sized:
        """Those since `begin`."""

    def begin(self) -> None:
        """Raise BudgetSpentError if there is no room for a call."""

    def close(self) -> None:
        """Send no further call."""


def limited_client(
    site: Site, database: Database, clock: Clock, metrics: Metrics
) -> RateLimitedClient:
    """A client that stops at the books' share of a site's budget."""
    share = replace(site, rate_limit=max(2, int(site.rate_limit * SHARE)))
    return RateLimitedClient(share, database, clock, metrics)


class WixCalls:
    """The calls of one book in one thread.

    Args:
        patient: whether every call waits in place for room in the budget. Else only those that say
            so do, and others raise UnavailableError with the time to wait.
    """

    def __init__(self, client: Client, *, clock: Clock, wait: Wait, patient: bool = False) -> None:
        self._client = client
        self.wix = client.wix
        self.now = clock
        self.made = 0
        self._wait = wait
        self._patient = patient

    def close(self) -> None:
        self.wix.close()

    def stop(self) -> None:
        """Send no further call. From any thread."""
        self._client.close()

    def once(self, function: Callable[..., T], *args: Any, patient: bool = False) -> T:
        """Call the client, once there is room for it. See the class on waiting."""
        while True:
            try:
                self._client.begin()
                try:
                    return function(*args)
                finally:
                    self.made += len(self._client.calls)
            except BudgetSpentError as error:
                seconds = max(0.1, (error.free_at - self.now()).total_seconds())
                if not (patient or self._patient):
                    reason, wait = "the site's rate budget is spent", timedelta(seconds=seconds)
                    raise system.UnavailableError(reason, wait=wait) from None
                if self._wait(min(seconds, _LONGEST_WAIT)):
                    raise _ending() from None
            except StoppedError:
                raise _ending() from None
            except wix.WixError as error:
                raise _translated(error) from error

    def make_room(self) -> None:
        """Wait until there is room for a write, or raise UnavailableError, as calls do."""
        self.once(lambda: None)

    def pages(self, read: Callable[[int], Page[Contact]], offset: int = 0) -> Iterator[Rows]:
        """The rows that are new on each page, oldest contacts first.

        If a contact is deleted meanwhile, all behind it move up. So pages overlap by a row where
        that costs no further call, and one that doesn't continue the last is read from before it.
        """
        seen: set[str] = set()
        overlap = 0
        total: int | None = None
        offset = start = max(0, offset - _STEP_BACK)
        while True:
            page = self.once(read, offset, patient=True)
            if overlap:
                follows = any(row.id in seen for row in page.items[:1])
            else:
                follows = (page.total or 0) >= (total or 0)
            if offset > start and not follows:
                offset, overlap = max(start, offset - _STEP_BACK), 1
                continue
            new = {row.id: row for row in page if row.id not in seen}
            seen.update(new)
            total, offset = page.total, offset + len(page)
            yield Rows([*new.values()], offset, total)
            if not new or (len(page) < MAX_PAGE if total is None else offset >= total):
                return
            overlap = _overlap(total)
            offset -= overlap


def _ending() -> system.UnavailableError:
    """With a time to wait, so that it doesn't count as a failure of Wix."""
    return system.UnavailableError("the process ends", wait=timedelta(seconds=1))


def _overlap(total: int | None) -> int:
    """One row, unless that makes a further page."""
    if total is None:
        return 1
    return int(-(-total // MAX_PAGE) == -(-(total - 1) // (MAX_PAGE - 1)))


def _translated(error: wix.WixError) -> system.CrmError:
    reason = f"Wix: {error}"
    match error:
        case wix.UnauthorizedError() | wix.ForbiddenError():
            return system.UnauthorizedError(reason)
        case wix.NotFoundError():
            return system.GoneError(reason)
        case wix.ContactAlreadyChangedError():
            return system.StaleError(reason)
        case wix.DuplicateContactError():
            return system.AlreadyExistsError(reason, error.contact_id)
    if error.retryable or isinstance(error, wix.ServerError):
        wait = None if error.retry_after is None else timedelta(seconds=error.retry_after)
        return system.UnavailableError(reason, wait=wait, maybe_applied=error.maybe_applied)
    return system.RefusedError(reason, maybe_applied=error.maybe_applied)
