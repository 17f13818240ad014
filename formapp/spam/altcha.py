"""The proof of work: challenges in ALTCHA's format, made and checked here, with no third party.

It is version 2 of the protocol, which ALTCHA's widget speaks since its version 3: the browser looks
for the counter whose derived key (PBKDF2, SHA-256) begins as the challenge says. The server picks
the counter, so that the work is bounded, and signs the key, so that checking costs two HMACs.
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
"""How long a challenge can be answered."""

ALGORITHM = "PBKDF2/SHA-256"
COST = 5_000
"""Rounds of one derivation: about 2 ms in a browser on a desktop, four times that on a phone."""

STEPS = 50
"""Derivations that a challenge of difficulty 1 takes at least; twice as many at most."""

_LONGEST = 4_000


@dataclass(frozen=True, slots=True, repr=False)
class Solved:
    """A right solution.

    Attributes:
        submission_id: what tells this challenge from all others.
        until: when it can't be handed in any more.
    """

    submission_id: str
    until: datetime


class Challenges:
    """Makes and checks challenges with keys derived from the secret keys, the newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [(_derived(key, b"challenge"), _derived(key, b"answer")) for key in keys]

    def make(self, form: str, difficulty: int, now: datetime) -> dict[str, Any]:
        """Return a challenge for one post to this form, as JSON has it."""
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
        """Return the solution if it is right, in time and for this form; else None."""
        if len(text) > _LONGEST:
            return None
        return next((s for keys in self._keys if (s := _check(keys, form, text))), None)


def _check(keys: tuple[bytes, bytes], form: str, text: str) -> Solved | None:
    payload = _payload(text)
    if payload is None:
        return None
    signing, answering = keys
    if not verify_solution(payload, signing, hmac_key_secret=answering).verified:
        return None
    # Signed by us, so of the types that `make` gave them.
    parameters = payload.challenge.parameters
    if parameters.data != {"form": form} or parameters.expires_at is None:
        return None
    until = datetime.fromtimestamp(parameters.expires_at, UTC)
    return Solved(parameters.nonce + parameters.salt, until)


def _payload(text: str) -> Payload | None:
    try:
        return Payload.from_base64(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _derived(key: str, purpose: bytes) -> bytes:
    return hmac.new(key.encode(), b"formapp: altcha " + purpose, hashlib.sha256).digest()
