"""Signing in to the owner's pages: to the share pages with one password, to the inbox as a user.

The share pages use HTTP Basic, with any user name (RFC 7617). People sign in to the inbox on a page
of it, or by a proxy that knows its users. Its session is Flask's signed cookie, read on the inbox's
pages alone: no public route has a cookie. It holds a name and a stamp, which the database checks at
each request, so that signing out everywhere needs no list of sessions.

Wrong passwords are counted in memory, for each address as limits count it.
"""

import hashlib
import hmac
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from flask import Flask, Request, g, request, session
from flask_wtf.csrf import CSRFProtect
from limits import RateLimitItem, parse_many
from werkzeug.exceptions import NotFound

from formapp.forms.reading.text import normalize
from formapp.users.store import LONGEST_PASSWORD, TooManyChecksError, User, Users
from formapp.web.errors import RefusalError
from formapp.web.hooks import SessionsUnder
from formapp.web.rate_limit import Counts, MemoryCounts, network_of

PREFIX = "/inbox"
LIFETIME = timedelta(hours=12)
"""How long a sign-in lasts."""

WRONG_PASSWORDS = "5/minute;30/hour"

_NAME, _STAMP = "user", "stamp"
_EXTENSION = "formapp.inbox"
_BUSY = "Many people sign in at this moment. Please try again in a few seconds."
_NOT_A_USER = "Your user name is not one of the users of this inbox."
_ASK = {"WWW-Authenticate": 'Basic realm="formapp", charset="UTF-8"'}
_SIGN_IN = "This page is for the owner of the form. Please sign in."
_WAIT = "Too many wrong passwords came from your network. Please try again later."
_log = logging.getLogger(__name__)

csrf = CSRFProtect()  # type: ignore[no-untyped-call] # Flask-WTF publishes no types


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
    """Checks sign-ins to the share pages.

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


class SignIn:
    """How people sign in to the inbox.

    Args:
        user_header: a header in which a proxy names the user that it has signed in; None: none.
        counts: where wrong passwords are counted.

    Attributes:
        everybody: no sign-in is needed, as in the demo, which only this machine reaches.
    """

    def __init__(
        self, users: Users, *, user_header: str | None = None, counts: Counts | None = None
    ) -> None:
        self.users = users
        self.everybody = False
        self._attempts = Attempts("inbox", counts)
        self._header = user_header

    @property
    def has_sessions(self) -> bool:
        """Whether people sign in and out on our own pages."""
        return not (self.everybody or self._header)

    def current(self) -> User | None:
        """Return who sends this request; raises NotFound if there is no inbox."""
        if self.everybody:
            return User("demo")
        if self._header:
            user = self.users.find(request.headers.get(self._header, "").strip())
            if user is None:
                raise RefusalError(403, "FORBIDDEN", _NOT_A_USER)
            return user
        if self.users.is_empty():
            raise NotFound
        user = self.users.find(session.get(_NAME, ""))
        stamp = session.get(_STAMP, "")
        return user if user and hmac.compare_digest(user.stamp, stamp) else None

    def sign_in(self, name: str, password: str) -> User | None:
        """Begin a session if the password is right; raises RefusalError after too many tries."""
        self._attempts.check(request)
        try:
            user = self.users.check_password(name, password)
        except TooManyChecksError:
            raise RefusalError(503, "BUSY", _BUSY, {"Retry-After": "5"}) from None
        if user is None:
            self._attempts.count(request)
            return None
        # Whatever the session held before the sign-in is not to be trusted.
        session.clear()
        session[_NAME], session[_STAMP] = user.name, user.stamp
        session.permanent = True
        return user


def init_app(app: Flask, sign_in: SignIn, keys: Sequence[str], *, secure: bool) -> None:
    app.extensions[_EXTENSION] = sign_in
    app.session_interface = SessionsUnder(PREFIX)
    app.config.update(
        SECRET_KEY=keys[0],
        SECRET_KEY_FALLBACKS=[*keys[1:]],
        # The prefix makes browsers refuse such a cookie from another host of the same domain.
        SESSION_COOKIE_NAME="__Host-formapp" if secure else "formapp",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_PATH="/" if secure else PREFIX,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        # The inbox calls the check itself; public forms have tokens of their own.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    csrf.init_app(app)  # type: ignore[no-untyped-call]


def sign_in_of(app: Flask) -> SignIn:
    return cast("SignIn", app.extensions[_EXTENSION])


def current_user() -> User:
    """Return who has signed in; the inbox's guard has found them."""
    return cast("User", g.user)


def _digest(password: str) -> bytes:
    # Digests of equal length compare in constant time; NFC, since keyboards differ on umlauts.
    return hashlib.sha256(normalize(password).encode()).digest()
