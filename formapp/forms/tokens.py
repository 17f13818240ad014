"""The stateless token of our own pages, in place of one kept in a session cookie.

A third party's cookie never reaches a form in an iframe, so no public page sets one. The token is
signed and says which form the page showed, in which version, when and where; its nonce makes a
submission idempotent. Links in mails are signed by the same `Signer`.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

TOKEN_NAME = "_token"  # noqa: S105 - the name of the control, not a secret
MAX_AGE = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=5)
"""How far a token may seem to come from the future: the clocks of several hosts differ."""

NONCE_BYTES = 16
Use = Literal["page", "embed"]


Clock = Callable[[], float]
"""Seconds since 1970."""

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class InvalidSignatureError(Exception):
    """The text was not signed by a key of ours, was signed for something else, or was changed."""


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """The content of a genuine text, and when it was signed; `age` is in whole seconds."""

    content: Any
    signed_at: datetime
    age: timedelta


class Signer:
    """Signs and reads texts. The first key signs, all keys verify, so that keys can change.

    Everybody can read a text; only a holder of a key can make one. The format is that of
    itsdangerous's `URLSafeTimedSerializer` (HMAC-SHA-256, no compression), without its layers.

    Args:
        keys: Secret keys, the newest first.
        salt: The texts' purpose; a text that was signed for another one is not genuine.
        clock: Replaced in tests.

    Raises:
        ValueError: There is no key, or an empty one.
    """

    def __init__(self, keys: Sequence[str], *, salt: str, clock: Clock = time.time) -> None:
        if not keys or not all(keys):
            raise ValueError("a token needs at least one key, and none may be empty")
        self._clock = clock
        # Derived as itsdangerous derives them, by the method that it calls "hmac".
        self._keys = [hmac.digest(key.encode(), salt.encode(), hashlib.sha256) for key in keys]

    def __repr__(self) -> str:
        return "<Signer>"

    def sign(self, content: Mapping[str, Any]) -> str:
        """Return a text with this content: letters, digits, `-`, `_` and `.`."""
        now = int(self._clock())
        stamp = now.to_bytes((now.bit_length() + 7) // 8, "big")
        value = _encoded(_ENCODE(content).encode()) + b"." + _encoded(stamp)
        return (value + b"." + _encoded(hmac.digest(self._keys[0], value, "sha256"))).decode()

    def read(self, text: str) -> Signed:
        """Return the content of a text.

        Raises:
            InvalidSignatureError: It is anything else than a text of this signer.
        """
        try:
            value, _, signature = text.encode("ascii").rpartition(b".")
            given = urlsafe_b64decode(signature + b"===")
            for key in self._keys:
                if hmac.compare_digest(given, hmac.digest(key, value, "sha256")):
                    break
            else:
                raise InvalidSignatureError("the text is not genuine")
            body, _, stamp = value.rpartition(b".")
            content = json.loads(urlsafe_b64decode(body + b"==="))
            signed_at = int.from_bytes(urlsafe_b64decode(stamp + b"==="), "big")
        except ValueError:
            raise InvalidSignatureError("the text is not genuine") from None
        age = timedelta(seconds=int(self._clock()) - signed_at)
        return Signed(content, datetime.fromtimestamp(signed_at, UTC), age)


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


class _Payload(msgspec.Struct, frozen=True):
    form: str
    version: str
    nonce: str
    use: Use


@dataclass(frozen=True)
class Token:
    """The content of a genuine token; `age` is at least zero, in whole seconds."""

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

    def issue_for(self, form: str, version: str, use: Use) -> str:
        """Return a fresh token for one showing of the form of this name and version."""
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        return self._signer.sign({"form": form, "version": version, "nonce": nonce, "use": use})

    def read(self, text: str, form_name: str) -> Token:
        """Return the content of a token. One of an older version of the form is valid.

        Raises:
            ExpiredTokenError: It is genuine, but more than 24 hours old.
            InvalidTokenError: It is anything else than a token of this form.
        """
        try:
            signed = self._signer.read(text)
            payload = msgspec.convert(signed.content, _Payload)
        except (InvalidSignatureError, msgspec.ValidationError):
            raise InvalidTokenError("the token is not genuine") from None
        if payload.form != form_name or signed.age < -CLOCK_SKEW:
            raise InvalidTokenError("the token is not one of this form")
        age = max(signed.age, timedelta())
        token = Token(
            payload.form, payload.version, payload.nonce, payload.use, signed.signed_at, age
        )
        if age > MAX_AGE:
            raise ExpiredTokenError(token)
        return token
