"""Signed texts that tell something to whoever sends them back: tokens of pages, links of mails.

Everybody can read them; nobody without a key can make one.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

Clock = Callable[[], float]
"""Seconds since 1970."""


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class InvalidSignatureError(Exception):
    """The text was not signed by a key of ours, was signed for something else, or was changed."""


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """What a genuine text says, and when it was signed; `age` is in whole seconds."""

    content: Any
    signed_at: datetime
    age: timedelta


class _ClockSigner(TimestampSigner):
    def __init__(self, *args: Any, clock: Clock, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


class Signer:
    """Signs and reads texts. The first key signs, all keys verify, so that keys can change.

    Args:
        keys: Secret keys, the newest first.
        salt: What the texts are for; one that was signed for something else is not genuine.
        clock: Replaced in tests.

    Raises:
        ValueError: There is no key, or an empty one.
    """

    def __init__(self, keys: Sequence[str], *, salt: str, clock: Clock = time.time) -> None:
        if not keys or not all(keys):
            raise ValueError("a token needs at least one key, and none may be empty")
        self._clock = clock
        # As itsdangerous would derive them each time, by the derivation that it calls "hmac".
        derived = [hmac.digest(key.encode(), salt.encode(), hashlib.sha256) for key in keys]
        self._serializer: URLSafeTimedSerializer = URLSafeTimedSerializer(
            list(reversed(derived)),  # itsdangerous wants the oldest first and signs with the last
            signer=_ClockSigner,
            signer_kwargs={
                "clock": clock,
                "key_derivation": "none",
                "digest_method": hashlib.sha256,
            },
        )
        self._timed = self._serializer.make_signer()

    def __repr__(self) -> str:
        return "<Signer>"

    def sign(self, content: Mapping[str, Any]) -> str:
        """Return a text that says this; letters, digits, `-`, `_` and `.`."""
        # What the serializer would write, except that it tries to pack it: that pays for no text
        # as short as ours, and it is most of the work.
        return self._timed.sign(base64_encode(_ENCODE(content))).decode()

    def read(self, text: str) -> Signed:
        """Return what a text says.

        Raises:
            InvalidSignatureError: It is anything else than a text of this signer.
        """
        if not text.isascii():
            raise InvalidSignatureError("the text is not genuine")
        try:
            content, signed_at = self._serializer.loads(text, return_timestamp=True)
        except BadData as err:
            raise InvalidSignatureError("the text is not genuine") from err
        age = datetime.fromtimestamp(int(self._clock()), UTC) - signed_at
        return Signed(content, signed_at, age)
