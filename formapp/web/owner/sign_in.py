"""Sign-in to the owner's pages: HTTP Basic with one password and any user name (RFC 7617).

Wrong passwords are counted in memory, for each address as limits count it.
"""

import hashlib
import hmac
import logging

from flask import Request
from limits import RateLimitItem, parse_many
from werkzeug.exceptions import NotFound

from formapp.forms.reading.text import normalize
from formapp.web.errors import RefusalError
from formapp.web.rate_limit import Counts, MemoryCounts, network_of

LONGEST_PASSWORD = 1024
"""Bytes; longer ones are refused unread."""

WRONG_PASSWORDS = "5/minute;30/hour"
_ASK = {"WWW-Authenticate": 'Basic realm="formapp", charset="UTF-8"'}
_SIGN_IN = "This page is for the owner of the form. Please sign in."
_WAIT = "Too many wrong passwords came from your network. Please try again later."
_log = logging.getLogger(__name__)


class Attempts:
    """Counts wrong passwords for `pages` by network."""

    def __init__(self, pages: str, counts: Counts | None = None) -> None:
        self._limits = parse_many(WRONG_PASSWORDS)
        self._pages = pages
        self._counts = counts or MemoryCounts()

    def check(self, request: Request) -> None:
        """Raise RefusalError if too many wrong passwords came from there."""
        for limit in self._limits:
            if self._add(limit, request, 0) >= limit.amount:
                wait = {"Retry-After": str(limit.get_expiry())}
                raise RefusalError(429, "TOO_MANY_REQUESTS", _WAIT, wait)

    def count(self, request: Request) -> None:
        _log.warning("wrong password on a page of the owner")
        for limit in self._limits:
            self._add(limit, request, 1)

    def _add(self, limit: RateLimitItem, request: Request, amount: int) -> int:
        key = limit.key_for(self._pages, network_of(request.remote_addr or ""))
        return self._counts.incr(key, limit.get_expiry(), amount)


class Owner:
    """Checks sign-ins.

    Args:
        password: the owner's; None: the pages are disabled.
        everybody: no sign-in is needed, as in the demo, which only this machine reaches.
        counts: where wrong passwords are counted.
    """

    def __init__(
        self,
        password: str | None = None,
        *,
        everybody: bool = False,
        counts: Counts | None = None,
    ) -> None:
        self._password = None if password is None else _digest(password)
        self._everybody = everybody
        self._attempts = Attempts("share", counts)

    def check(self, request: Request) -> None:
        """Raise NotFound if the pages are disabled, RefusalError if the sign-in isn't right."""
        if self._everybody:
            return
        if self._password is None:
            raise NotFound
        given = request.authorization
        password = given.password if given and given.type == "basic" else None
        if password is None or len(password.encode()) > LONGEST_PASSWORD:
            raise RefusalError(401, "UNAUTHORIZED", _SIGN_IN, _ASK)
        self._attempts.check(request)
        if not hmac.compare_digest(_digest(password), self._password):
            self._attempts.count(request)
            raise RefusalError(401, "UNAUTHORIZED", _SIGN_IN, _ASK)


def _digest(password: str) -> bytes:
    # Digests of equal length compare in constant time; NFC, since keyboards differ on umlauts.
    return hashlib.sha256(normalize(password).encode()).digest()
