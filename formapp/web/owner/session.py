"""Signing in to the inbox: by a password on a page, or by a proxy that knows its users.

The session is Flask's signed cookie, read on the inbox's pages alone: no public route has a cookie.
It holds a name and a stamp, which the database checks at each request, so that signing out
everywhere needs no list of sessions.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from flask import Flask, g, request, session
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import NotFound

from formapp.users.store import TooManyChecksError, User, Users
from formapp.web.errors import RefusalError
from formapp.web.hooks import SessionsUnder
from formapp.web.owner.sign_in import Attempts
from formapp.web.rate_limit import Counts

PREFIX = "/inbox"
LIFETIME = timedelta(hours=12)
"""How long a sign-in lasts."""

_NAME, _STAMP = "user", "stamp"
_EXTENSION = "formapp.inbox"
_BUSY = "Many people sign in at this moment. Please try again in a few seconds."
_NOT_A_USER = "Your user name is not one of the users of this inbox."

csrf = CSRFProtect()  # type: ignore[no-untyped-call] # Flask-WTF publishes no types


class SignIn:
    """How people sign in here.

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
