"""Signed texts that visitors send back, and keyed hashes of persons and addresses.

Everyone can read a signed text, and only the owner of a key can make one: tokens of pages, links in
mails. A keyed hash identifies no person, but recognizes one. All keys derive from the secret keys
of the settings (HMAC-SHA-256); the first one makes new texts and hashes, all of them are accepted,
so that keys can be rotated.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from itsdangerous import BadData, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.signer import SigningAlgorithm

Clock = Callable[[], float]
"""Seconds since 1970."""


class InvalidSignatureError(Exception):
    """The text was not signed by a key of ours, was signed for something else, or was changed."""


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """The content of a genuine text, and when it was signed; `age` is in whole seconds."""

    content: Any
    signed_at: datetime
    age: timedelta


class _HmacSha256(SigningAlgorithm):
    """As itsdangerous' `HMACAlgorithm`, by one call of OpenSSL."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return _hmac(key, value)


class _ClockSigner(TimestampSigner):
    def __init__(self, *args: Any, clock: Clock, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


class Signer:
    """Signs and reads texts. The first key signs, all keys verify, so that keys can change.

    `salt` is the texts' purpose: a text that was signed for another one is not genuine. Raises
    ValueError if there is no key, or an empty one.
    """

    def __init__(self, keys: Sequence[str], *, salt: str, clock: Clock = time.time) -> None:
        if not keys or not all(keys):
            raise ValueError("a token needs at least one key, and none may be empty")
        self._clock = clock
        # As itsdangerous would derive them each time, by the derivation that it calls "hmac".
        derived = [_hmac(key.encode(), salt.encode()) for key in keys]
        self._signer = _ClockSigner(
            list(reversed(derived)),  # itsdangerous wants the oldest first and signs with the last
            clock=clock,
            key_derivation="none",
            algorithm=_HmacSha256(),
        )

    def __repr__(self) -> str:
        return "<Signer>"

    def sign(self, content: Mapping[str, Any]) -> str:
        """Return a text with this content: letters, digits, `-`, `_` and `.`."""
        return self._signer.sign(base64_encode(msgspec.json.encode(content))).decode()

    def read(self, text: str, kind: Any = Any) -> Signed:
        """Return the content of a text of this signer, or raise InvalidSignatureError.

        `kind` is the type of the content, for msgspec; text with other content isn't genuine.
        """
        if not text.isascii():
            raise InvalidSignatureError("the text is not genuine")
        try:
            signed, signed_at = self._signer.unsign(text, return_timestamp=True)
            content = msgspec.json.decode(base64_decode(signed), type=kind)
        except (BadData, ValueError) as err:
            raise InvalidSignatureError("the text is not genuine") from err
        age = datetime.fromtimestamp(int(self._clock()), UTC) - signed_at
        return Signed(content, signed_at, age)


ERASED = b"formapp: who was erased"
COUNTED = b"formapp: what is counted"


class Keyring:
    """The keys of an installation for one purpose, the signing one first. Its repr shows none."""

    def __init__(self, secrets: Sequence[str], purpose: bytes = ERASED) -> None:
        if not secrets:
            raise ValueError("a keyring needs a secret")
        self._keys = [_hmac(secret.encode(), purpose) for secret in secrets]

    @property
    def names(self) -> list[str]:
        """A public name of each key."""
        return [_hmac(key, b"name").hex()[:16] for key in self._keys]

    def sign(self, identity: str) -> str:
        """The hash of an identity by the first key: 64 hex digits."""
        return _hmac(self._keys[0], identity.encode()).hex()

    def hashes(self, identity: str) -> list[str]:
        """The hashes of an identity by every key."""
        return [_hmac(key, identity.encode()).hex() for key in self._keys]


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
