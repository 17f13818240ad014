"""Signed links: each is valid for one submission, one address and some days."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from formapp.signing import Signer

_HASH_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Link:
    """A link confirms a submission until it expires, in whole seconds.

    `address` is the `address_hash` of the address that it was sent to.
    """

    submission_id: str
    address: str
    until: datetime


class LinkSigner:
    """Signs links with the first of the secret keys and verifies them with all."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._signer = Signer(keys, salt="formapp.links")

    def issue(self, link: Link) -> str:
        until = int(link.until.timestamp())
        return self._signer.sign({"s": link.submission_id, "a": link.address, "u": until})

    def read(self, token: str) -> Link:
        """Return the link of a token, which may have expired, or raise InvalidSignatureError."""
        content = self._signer.read(token).content
        # Signed for this purpose, so of the shape that `issue` gave it.
        return Link(content["s"], content["a"], datetime.fromtimestamp(content["u"], UTC))


def address_hash(address: str) -> str:
    """Return a short hash of a normalised address, so that the link doesn't reveal it."""
    return hashlib.sha256(address.encode()).hexdigest()[:_HASH_LENGTH]
