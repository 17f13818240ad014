"""The stateless token of our own pages, in place of one kept in a session cookie.

A third party's cookie never reaches a form in an iframe, so no public page sets one. The token is
signed and says which form the page showed, in which version, when and where; its nonce makes a
submission idempotent.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from formapp.signing import Clock, InvalidSignatureError, Signer

MAX_AGE = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=5)
"""How far a token may seem to come from the future: the clocks of several hosts differ."""

NONCE_BYTES = 16
Use = Literal["page", "embed"]


class Versioned(Protocol):
    """A form, as far as a token knows it."""

    @property
    def name(self) -> str:
        """The form's name."""

    @property
    def version(self) -> str:
        """The version of its definition."""


@dataclass(frozen=True)
class Token:
    """What a genuine token says; `age` is at least zero, in whole seconds."""

    form: str
    version: str
    nonce: str
    use: Use
    issued_at: datetime
    age: timedelta


class InvalidTokenError(Exception):
    """The token is not ours, was changed, or belongs to another form."""


class ExpiredTokenError(Exception):
    """The token is genuine but more than 24 hours old; it is in `token`."""

    def __init__(self, token: Token) -> None:
        super().__init__("the token has expired")
        self.token = token


@dataclass(frozen=True)
class TokenContext:
    """What a form page needs to carry a token, and the one that was posted, if any."""

    signer: "TokenSigner"
    form_name: str
    version: str
    use: Use
    posted: str | None = field(default=None, repr=False)


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    form: str
    version: str
    nonce: str
    use: Use


class TokenSigner:
    """Issues and reads tokens. The first key signs, all keys verify, so that keys can change.

    Args:
        keys: Secret keys, the newest first.
        clock: Seconds since 1970, replaced in tests.

    Raises:
        ValueError: There is no key, or an empty one.
    """

    def __init__(self, keys: Sequence[str], *, clock: Clock = time.time) -> None:
        self._signer = Signer(keys, salt="formapp.forms.tokens", clock=clock)

    def __repr__(self) -> str:
        return "<TokenSigner>"

    def issue(self, form: "Versioned", use: Use) -> str:
        """Return a fresh token for one showing of a form."""
        return self.issue_for(form.name, form.version, use)

    def issue_for(self, form: str, version: str, use: Use) -> str:
        """Return a fresh token for one showing of the form of this name and version."""
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        payload = {"form": form, "version": version, "nonce": nonce, "use": use}
        return self._signer.sign(payload)

    def read(self, text: str, form_name: str) -> Token:
        """Return what the token says. One of an older version of the same form is fine.

        Raises:
            ExpiredTokenError: It is genuine, but more than 24 hours old.
            InvalidTokenError: It is anything else than a token of this form.
        """
        token = self._genuine(text)
        if token.form != form_name or token.age < -CLOCK_SKEW:
            raise InvalidTokenError("the token is not one of this form")
        if token.age > MAX_AGE:
            raise ExpiredTokenError(token)
        return replace(token, age=timedelta()) if token.age < timedelta() else token

    def _genuine(self, text: str) -> Token:
        try:
            signed = self._signer.read(text)
            payload = _Payload.model_validate(signed.content)
        except (InvalidSignatureError, ValidationError) as err:
            raise InvalidTokenError("the token is not genuine") from err
        said = (payload.form, payload.version, payload.nonce, payload.use)
        return Token(*said, issued_at=signed.signed_at, age=signed.age)
