"""How often one address may post, and how often one form may be posted to.

The counts are in this process's memory: enough against a flood, and nothing that another server
would be needed for.
"""

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from formapp.web.refusal import Refusal


class Limits:
    """Limits written as `30/minute`, several joined by `;`; None is no limit."""

    def __init__(self, per_address: str | None, per_form: str | None) -> None:
        self._per_address = parse_many(per_address) if per_address else []
        self._per_form = parse_many(per_form) if per_form else []
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def hit(self, address: str, form: str) -> None:
        """Count one post.

        Raises:
            Refusal: 429, one of the limits is reached.
        """
        self._hit(self._per_address, "address", address)
        self._hit(self._per_form, "form", form)

    def _hit(self, limits: list[RateLimitItem], kind: str, key: str) -> None:
        for limit in limits:
            if not self._limiter.hit(limit, kind, key):
                raise Refusal(
                    429,
                    "TOO_MANY_REQUESTS",
                    "Too many messages came at once. Please wait a minute, then send again.",
                    {"Retry-After": str(limit.get_expiry())},
                )
