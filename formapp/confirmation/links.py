"""The link of a confirmation: signed, and good for one submission, one address and some days."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from formapp.forms.tokens import Clock, InvalidSignatureError, Signer

_HASH_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine link says.

    Attributes:
        submission_id: what it confirms.
        address: `address_hash` of where it was sent.
        until: when it runs out, in whole seconds.
    """

    submission_id: str
    address: str
    until: datetime


class InvalidLinkError(Exception):
    """The link is not ours, or was changed or cut off."""


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    s: str
    a: str
    u: int


class LinkSigner:
    """Makes and reads the tokens of links, with the keys of the settings; the first one signs."""

    def __init__(self, keys: Sequence[str], *, clock: Clock = time.time) -> None:
        self._signer = Signer(keys, salt="formapp.confirmation.links", clock=clock)

    def __repr__(self) -> str:
        return "<LinkSigner>"

    def issue(self, link: Link) -> str:
        """Return the token of a link."""
        until = int(link.until.timestamp())
        return self._signer.sign(
            _Payload(s=link.submission_id, a=link.address, u=until).model_dump()
        )

    def read(self, text: str) -> Link:
        """Return what the token says; whether its time is over is the caller's to see.

        Raises:
            InvalidLinkError: it is anything else than a token of this signer.
        """
        try:
            payload = _Payload.model_validate(self._signer.read(text).content)
            until = datetime.fromtimestamp(payload.u, UTC)
        except (InvalidSignatureError, ValidationError, OverflowError) as err:
            raise InvalidLinkError("the link is not genuine") from err
        return Link(payload.s, payload.a, until)


def address_hash(address: str) -> str:
    """A short hash of a normalised address: the link shows nobody whose it is."""
    return hashlib.sha256(address.encode()).hexdigest()[:_HASH_LENGTH]
