"""Signed texts that a page or a mail carries and that come back: tokens, links.

Everybody can read them; only a holder of a key can make one. Their format is that of itsdangerous's
`URLSafeTimedSerializer` (HMAC-SHA-256, no compression), read and written without its layers.
"""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
