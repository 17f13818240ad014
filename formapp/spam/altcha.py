"""Proof of work: challenges in ALTCHA's format, made and checked here, with no third party.

Version 2 of the protocol, as of version 3 of ALTCHA's widget: the browser searches for the counter
whose derived key (PBKDF2, SHA-256) has the prefix of the challenge. The server chooses the counter,
which limits the work, and signs the key, so that a check costs two HMACs.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha import Payload, create_challenge, verify_solution

LIFE = timedelta(minutes=30)
"""How long a challenge is valid."""

ALGORITHM = "PBKDF2/SHA-256"
COST = 5_000
"""Rounds of one derivation: about 2 ms in a browser on a desktop, four times that on a phone."""

STEPS = 50
"""Minimum of derivations for difficulty 1; the maximum is twice as many."""

_LONGEST = 4_000


@dataclass(frozen=True, slots=True, repr=False)
class Solved:
    """A correct solution of a challenge, which has a unique id and expires."""

    challenge_id: str
    until: datetime


class Challenges:
    """Makes challenges with a key derived from the first secret key; verifies with all keys."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [(_derived(key, b"challenge"), _derived(key, b"answer")) for key in keys]

    def make(self, form: str, difficulty: int, now: datetime) -> dict[str, Any]:
        """Return a challenge for one post to this form, as JSON."""
        signing, answering = self._keys[0]
        least = STEPS * difficulty
        challenge = create_challenge(
            ALGORITHM,
            COST,
            counter=least + secrets.randbelow(least + 1),
            expires_at=now + LIFE,
            data={"form": form},
            hmac_secret=signing,
            hmac_key_secret=answering,
        )
        made: dict[str, Any] = challenge.to_dict()
        return made

    def check(self, form: str, text: str) -> Solved | None:
        """Return the solution if it is correct, in time and for this form, else None."""
        if len(text) > _LONGEST:
            return None
        return next((s for keys in self._keys if (s := _check(keys, form, text))), None)


def _check(keys: tuple[bytes, bytes], form: str, text: str) -> Solved | None:
    try:
        payload = Payload.from_base64(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    signing, answering = keys
    if not verify_solution(payload, signing, hmac_key_secret=answering).verified:
        return None
    # Signed by us, so the types are those of `make`.
    parameters = payload.challenge.parameters
    if parameters.data != {"form": form} or parameters.expires_at is None:
        return None
    until = datetime.fromtimestamp(parameters.expires_at, UTC)
    return Solved(parameters.nonce + parameters.salt, until)


def _derived(key: str, purpose: bytes) -> bytes:
    return hmac.new(key.encode(), b"formapp: altcha " + purpose, hashlib.sha256).digest()
