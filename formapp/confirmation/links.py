"""Signed links: each is valid for one submission, one address and some days."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from formapp.signing import Clock, InvalidSignatureError, Signer

_HASH_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Link:
    """The content of a link.

    Attributes:
        submission_id: the submission that it confirms.
        address: `address_hash` of the address that it was sent to.
        until: when it expires, in whole seconds.
    """

    submission_id: str
    address: str
    until: datetime


class InvalidLinkError(Exception):
    """The link is not ours, or is altered or incomplete."""


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    s: str
    a: str
    u: int


class LinkSigner:
    """Signs links with the first of the secret keys and verifies them with all."""

    def __init__(self, keys: Sequence[str], *, clock: Clock = time.time) -> None:
        self._signer = Signer(keys, salt="formapp.confirmation.links", clock=clock)

    def issue(self, link: Link) -> str:
        """Return the token of a link."""
        until = int(link.until.timestamp())
        return self._signer.sign({"s": link.submission_id, "a": link.address, "u": until})

    def read(self, token: str) -> Link:
        """Return the link of a token; the caller checks whether it has expired.

        Raises:
            InvalidLinkError: the token is not one of this signer.
        """
        try:
            payload = _Payload.model_validate(self._signer.read(token).content)
            until = datetime.fromtimestamp(payload.u, UTC)
        except (InvalidSignatureError, ValidationError, OverflowError) as error:
            raise InvalidLinkError("the link is not genuine") from error
        return Link(payload.s, payload.a, until)


def address_hash(address: str) -> str:
    """Return a short hash of a normalised address, so that the link doesn't reveal it."""
    return hashlib.sha256(address.encode()).hexdigest()[:_HASH_LENGTH]
