"""The stateless token of our own pages, in place of one kept in a session cookie.

A third party's cookie never reaches a form in an iframe, so no public page sets one. The token is
signed and says which form the page showed, in which version, when and where; its nonce makes a
submission idempotent. Links in mails are signed by the same `Signer`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from formapp.decoding import decodable
from formapp.randomness import getrandbits
from formapp.signing import Clock, InvalidSignatureError, Signer

TOKEN_NAME = "_token"  # noqa: S105 - the name of the control, not a secret
MAX_AGE = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=5)
"""How far a token may seem to come from the future: the clocks of several hosts differ."""

NONCE_BITS = 128
Use = Literal["page", "embed"]


@decodable
class _Payload(msgspec.Struct, frozen=True):
    form: str
    version: str
    nonce: str
    use: Use


class Token(_Payload, frozen=True):
    """The content of a genuine token; `age` is at least zero, in whole seconds."""

    issued_at: datetime
    age: timedelta


class InvalidTokenError(Exception):
    """The token is not ours, was changed, or belongs to another form."""


class ExpiredTokenError(Exception):
    """The `token` is genuine but more than 24 hours old."""

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


class TokenSigner:
    """Issues and reads tokens. The first key signs, all keys verify, so that keys can change."""

    def __init__(self, keys: Sequence[str], *, clock: Clock = time.time) -> None:
        self._signer = Signer(keys, salt="formapp.forms.token", clock=clock)
        self._clock = clock

    def __repr__(self) -> str:
        return "<TokenSigner>"

    def issue_for(self, form: str, version: str, use: Use) -> str:
        """Return a fresh token for one showing of the form of this name and version."""
        # It begins with the time: the keys of posts of a time are neighbours in their index, whose
        # pages a commit then shares. It needn't be secret, since the token is signed.
        nonce = f"{int(self._clock()):x}{getrandbits(NONCE_BITS):032x}"
        return self._signer.sign({"form": form, "version": version, "nonce": nonce, "use": use})

    def read(self, text: str, form_name: str) -> Token:
        """Return the content of a token of this form, in whatever version.

        Raises InvalidTokenError, or ExpiredTokenError if nothing else is wrong.
        """
        try:
            signed = self._signer.read(text, _Payload)
        except InvalidSignatureError:
            raise InvalidTokenError("the token is not genuine") from None
        payload: _Payload = signed.content
        if payload.form != form_name or signed.age < -CLOCK_SKEW:
            raise InvalidTokenError("the token is not one of this form")
        age = max(signed.age, timedelta())
        token = Token(
            form=payload.form,
            version=payload.version,
            nonce=payload.nonce,
            use=payload.use,
            issued_at=signed.signed_at,
            age=age,
        )
        if age > MAX_AGE:
            raise ExpiredTokenError(token)
        return token
