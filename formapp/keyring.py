"""Keyed hashes: of those who were erased, they name nobody, but know a person again.

HMAC-SHA-256 with keys that are derived from the secret keys of the settings. The first one makes
new hashes; all are tried when a person is looked for, so that a rotation forgets nobody.
"""

import hashlib
import hmac
from collections.abc import Sequence

ERASED = b"formapp: who was erased"
COUNTED = b"formapp: what is counted"


class Keyring:
    """The keys of an installation, the signing one first. Its text form shows none."""

    def __init__(self, secrets: Sequence[str], purpose: bytes = ERASED) -> None:
        """Derive the keys; those of one purpose make other hashes than those of another.

        Raises:
            ValueError: there is no secret.
        """
        if not secrets:
            raise ValueError("a keyring needs a secret")
        self._keys = [_hmac(secret.encode(), purpose).digest() for secret in secrets]

    @property
    def names(self) -> list[str]:
        """What tells the keys apart, without telling the keys."""
        return [_hmac(key, b"name").hexdigest()[:16] for key in self._keys]

    def sign(self, identity: str) -> str:
        """The hash of an identity, by the first key: 64 hex digits."""
        return _hmac(self._keys[0], identity.encode()).hexdigest()

    def hashes(self, identity: str) -> list[str]:
        """The hashes of an identity by every key."""
        return [_hmac(key, identity.encode()).hexdigest() for key in self._keys]


def _hmac(key: bytes, message: bytes) -> "hmac.HMAC":
    return hmac.new(key, message, hashlib.sha256)
