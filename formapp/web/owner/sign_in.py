"""Sign-in to the owner's pages: HTTP Basic with one password and any user name (RFC 7617).

Wrong passwords are counted in this process's memory, for each address as limits count it.
"""

import hashlib
import hmac
import logging

from flask import Request
from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import NotFound

from formapp.forms.reading.text import normalize
from formapp.web.errors import RefusalError
from formapp.web.rate_limit import network_of

LONGEST_PASSWORD = 1024
"""Bytes; longer ones are refused unread."""

WRONG_PASSWORDS = "5/minute;30/hour"
_ASK = {"WWW-Authenticate": 'Basic realm="formapp", charset="UTF-8"'}
_SIGN_IN = "This page is for the owner of the form. Please sign in."
_WAIT = "Too many wrong passwords came from your network. Please try again later."
_log = logging.getLogger(__name__)


class Attempts:
    """Counts wrong passwords by network, in this process's memory."""

    def __init__(self) -> None:
        self._limits = parse_many(WRONG_PASSWORDS)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, request: Request) -> None:
        """Raise RefusalError if too many wrong passwords came from there."""
        network = network_of(request.remote_addr or "")
        for limit in self._limits:
            if not self._limiter.test(limit, network):
                wait = {"Retry-After": str(limit.get_expiry())}
                raise RefusalError(429, "TOO_MANY_REQUESTS", _WAIT, wait)

    def count(self, request: Request) -> None:
        """Count a wrong password."""
        _log.warning("wrong password on a page of the owner")
        network = network_of(request.remote_addr or "")
        for limit in self._limits:
            self._limiter.hit(limit, network)


class Owner:
    """Checks sign-ins.

    Args:
        password: the owner's; None: the pages are disabled.
        everybody: no sign-in is needed, as in the demo, which only this machine reaches.
    """

    def __init__(self, password: str | None = None, *, everybody: bool = False) -> None:
        self._password = None if password is None else _digest(password)
        self._everybody = everybody
        self._attempts = Attempts()

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
