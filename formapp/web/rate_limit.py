"""How often one address may post, and how often one form may be posted to.

The counts are in this process's memory, in the database or in Redis. Wherever they are, an address
is there as a keyed hash alone. Where they can't be reached, posts are let in: a limit is no reason
to lose a lead.
"""

import logging
import time
from collections.abc import Callable

from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from formapp.web.network import network_of
from formapp.web.refusal import RefusalError

RETRY_SECONDS = 10.0
"""How long counts that couldn't be reached are left alone: no visitor should wait for them."""

_log = logging.getLogger(__name__)


class Limits:
    """Limits written as `30/minute`, several joined by `;`; None is no limit.

    Args:
        per_address: for each address (of IPv6: each network, /64), over all forms.
        per_form: for each form, over all addresses.
        storage: where the counts are; its errors are wrapped (`wrap_exceptions`).
        sign: makes a keyed hash of an address.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        per_address: str | None,
        per_form: str | None,
        storage: Storage,
        *,
        sign: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_address = parse_many(per_address) if per_address else []
        self._per_form = parse_many(per_form) if per_form else []
        self._limiter = FixedWindowRateLimiter(storage)
        self._sign = sign
        self._clock = clock
        self._away_since: float | None = None

    def hit(self, address: str, form: str) -> None:
        """Count one post.

        Raises:
            RefusalError: 429, one of the limits is reached.
        """
        if self._is_left_alone():
            return
        try:
            self._hit(self._per_address, "address", self._sign(network_of(address)))
            self._hit(self._per_form, "form", form)
        except StorageError as error:
            self._tell_away(error)
        else:
            self._tell_back()

    def _hit(self, limits: list[RateLimitItem], kind: str, key: str) -> None:
        for limit in limits:
            if not self._limiter.hit(limit, kind, key):
                self._tell_back()
                raise RefusalError(
                    429,
                    "TOO_MANY_REQUESTS",
                    "Too many messages came at once. Please wait a minute, then send again.",
                    {"Retry-After": str(limit.get_expiry())},
                )

    def close(self) -> None:
        """Close the connections to Redis, where that is where the counts are."""
        storage = self._limiter.storage
        if isinstance(storage, RedisStorage):
            storage.storage.close()

    def _is_left_alone(self) -> bool:
        since = self._away_since
        return since is not None and self._clock() - since < RETRY_SECONDS

    def _tell_away(self, error: StorageError) -> None:
        if self._away_since is None:
            reason = type(error.storage_error).__name__
            _log.error("posts aren't limited: the counts can't be reached (%s)", reason)
        self._away_since = self._clock()

    def _tell_back(self) -> None:
        if self._away_since is not None:
            _log.warning("posts are limited again")
        self._away_since = None
