"""The search for the contacts of a batch: one call, made when its first lead needs a contact.

It only saves calls. Where it fails or doesn't show enough, each lead is searched for by itself, so
that one lead or one contact that Wix or formapp can't deal with holds up no other.
"""

import logging
from collections.abc import Sequence

from formapp.db.database import DatabaseUnavailableError
from formapp.delivery.claims import Claim
from formapp.delivery.decide import Found
from formapp.delivery.find import find_batch
from formapp.delivery.sites import (
    CALLS_PER_LEAD,
    BudgetSpentError,
    RateLimitedClient,
    StoppedError,
)
from formapp.wix import (
    ForbiddenError,
    InvalidRequestError,
    RateLimitedError,
    UnauthorizedError,
    WixError,
)

MOST = 50
"""Leads in a batch."""

_REFUSES_ALL = (RateLimitedError, UnauthorizedError, ForbiddenError)

_log = logging.getLogger(__name__)


def concerns_site(error: WixError) -> bool:
    """Whether calls for other leads would fail alike: Wix refuses all, or doesn't answer."""
    return error.retryable or isinstance(error, _REFUSES_ALL)


class BatchSearch:
    """The contacts of these claims' leads."""

    def __init__(self, client: RateLimitedClient, claims: Sequence[Claim]) -> None:
        self._client = client
        self._claims = tuple(claims)
        self._found: dict[int, Found] | None = None
        self._refused = False

    def calls_for(self, claim: Claim) -> int:
        """How many calls this lead is likely to cost from here on."""
        known = self._found is not None and claim.delivery_id in self._found
        return 1 if known else CALLS_PER_LEAD

    def find(self, claim: Claim) -> Found | None:
        """What the search found for a lead; None: it has to be searched for by itself.

        Raises `WixError` where Wix refuses all calls, or BudgetSpentError, StoppedError.
        """
        if self._found is None:
            self._found = {}
            self._found = self._search()
        return self._found.get(claim.delivery_id)

    def _search(self) -> dict[int, Found]:
        try:
            return find_batch(self._client, self._claims)
        except (*_REFUSES_ALL, BudgetSpentError, StoppedError, DatabaseUnavailableError):
            raise
        except WixError as error:
            self._refused = isinstance(error, InvalidRequestError)
            _log.warning("a batch of leads is searched for one by one: %s", error)
        except Exception as error:  # noqa: BLE001 - a defect must not stop all leads of the batch
            # Its type alone: the text may hold an answer.
            _log.error("a search for a batch met a defect of formapp: %s", type(error).__name__)
        return {}

    def next_size(self, size: int) -> int:
        """How many leads the next batch may have, after one of this size at most.

        Wix publishes no limit of a filter's values: a refused one halves it.
        """
        if self._refused:
            return max(2, size // 2)
        return min(MOST, size + 1) if self._found else size
