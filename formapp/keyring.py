"""Keyed hashes: they name no person, but recognize one.

HMAC-SHA-256 with keys that are derived from the secret keys of the settings. The first key makes
new hashes; all are tried to recognize a person, so that a rotation forgets none.
"""

import hashlib
import hmac
from collections.abc import Sequence

ERASED = b"formapp: who was erased"
COUNTED = b"formapp: what is counted"


class Keyring:
    """The keys of an installation for one purpose, the signing one first. Its repr shows none."""

    def __init__(self, secrets: Sequence[str], purpose: bytes = ERASED) -> None:
        if not secrets:
            raise ValueError("a keyring needs a secret")
        self._keys = [_hmac(secret.encode(), purpose).digest() for secret in secrets]

    @property
    def names(self) -> list[str]:
        """A public name of each key."""
        return [_hmac(key, b"name").hexdigest()[:16] for key in self._keys]

    def sign(self, identity: str) -> str:
        """The hash of an identity by the first key: 64 hex digits."""
        return _hmac(self._keys[0], identity.encode()).hexdigest()

    def hashes(self, identity: str) -> list[str]:
        """The hashes of an identity by every key."""
        return [_hmac(key, identity.encode()).hexdigest() for key in self._keys]


def _hmac(key: bytes, message: bytes) -> "hmac.HMAC":
    return hmac.new(key, message, hashlib.sha256)
