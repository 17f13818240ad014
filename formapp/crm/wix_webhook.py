"""Webhooks from Wix: a signed token in, events out (CONTRACT.md sections W2, W3 and W5)."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from formapp.crm.events import Event, Kind, MessageRefusedError, NoMessageError, wix_source

ENTITY = "wix.contacts.v4.contact"
MIN_KEY_BITS = 2048
LEEWAY = 10
"""Seconds by which our clock may be ahead of Wix's."""

_MAX_ID = 100
_NO_EVENT = "The body is no token of an event."


@dataclass(frozen=True)
class PublicKey:
    """The app's public key, which verifies its events."""

    key: RSAPublicKey

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a key as the app's dashboard shows it: PEM, or base64 of that; may raise ValueError.

        Its line breaks may be written as backslash and n, as in some environment files.
        """
        pem = text.replace("\\n", "\n").strip()
        if not pem.startswith("-----"):
            try:
                pem = base64.b64decode("".join(pem.split()), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise ValueError(_NO_KEY) from None
        try:
            key = load_pem_public_key(pem.encode())
        except Exception:  # noqa: BLE001 - the library documents ValueError, and raises others, too
            raise ValueError(_NO_KEY) from None
        if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
            raise ValueError(_NO_KEY)
        return cls(key)

    def verify(self, body: bytes) -> Any:
        """Return the claims of a token; NoMessageError, MessageRefusedError.

        The algorithm is pinned: a token may name any, even none. `iat` is not compared: our clock
        may be behind.
        """
        options: Any = {"verify_aud": False, "verify_iat": False}
        try:
            return jwt.decode(
                body.strip(), self.key, algorithms=["RS256"], options=options, leeway=LEEWAY
            )
        except (
            jwt.InvalidSignatureError,
            jwt.InvalidAlgorithmError,
            jwt.ExpiredSignatureError,
            jwt.ImmatureSignatureError,
        ):
            raise MessageRefusedError from None
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise NoMessageError(_NO_EVENT) from None


_NO_KEY = (
    f"is no RSA public key of {MIN_KEY_BITS} bits or more; copy it from the app's dashboard "
    "at Wix, as PEM or as base64 of that"
)


def read_events(
    key: PublicKey, body: bytes, site: str, now: datetime, *, instance_id: str | None = None
) -> list[Event]:
    """Return what a webhook says about contacts; empty for events of another kind.

    `site` is our name of the Wix site, `instance_id` that of our app there, where it is known. May
    raise NoMessageError or MessageRefusedError.
    """
    middle = _object(_object(key.verify(body)).get("data"))
    sender = middle.get("instanceId")
    if instance_id and isinstance(sender, str) and sender.lower() != instance_id.lower():
        raise MessageRefusedError
    event = _object(middle.get("data"))
    if event.get("entityFqdn") != ENTITY:  # also that the app was installed or removed
        return []
    return list(_events(event, wix_source(site), now))


def _object(value: Any) -> Mapping[str, Any]:
    """Return a JSON object that may come as text: samples of Wix show both on every level."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise NoMessageError(_NO_EVENT) from None
    if not isinstance(value, dict):
        raise NoMessageError(_NO_EVENT)
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID or not value.isprintable():
        raise NoMessageError(_NO_EVENT)
    return value


_KINDS: Mapping[str, Kind] = {"created": "created", "updated": "updated", "deleted": "deleted"}


def _events(event: Mapping[str, Any], source: str, now: datetime) -> Iterator[Event]:
    """Yield one event, or for a merge one for each contact that is gone and one for the survivor.

    Unknown slugs are ignored (CONTRACT.md section W6). A deletion that a merge brought about is one
    of the hints: the contact is read before anything is done.
    """
    event_id, entity = _id(event.get("id")), _id(event.get("entityId"))
    sequence = event.get("entityEventSequence")
    number = str(sequence)[:40] if isinstance(sequence, str | int) else None
    slug = event.get("slug")
    if slug in ("merged", "merge"):
        yield Event(source, event_id, "updated", entity, now, sequence=number)
        for number_of_source, gone in enumerate(_sources(event)):
            part = f"{event_id}/{number_of_source}"
            yield Event(source, part, "merged", gone, now, target=entity)
    elif kind := _KINDS.get(slug) if isinstance(slug, str) else None:
        if kind == "deleted" and event.get("triggeredByAnonymizeRequest") is True:
            kind = "erased"
        revision = _revision(event)
        yield Event(source, event_id, kind, entity, now, revision=revision, sequence=number)


def _sources(event: Mapping[str, Any]) -> list[str]:
    """Return the ids of the contacts that were merged into another one."""
    action = _object(event.get("actionEvent"))
    body = _object(action["body"] if "body" in action else action.get("bodyAsJson"))
    listed = body.get("sourceContactIds")
    return [_id(one) for one in listed] if isinstance(listed, list) else []


def _revision(event: Mapping[str, Any]) -> str | None:
    """Return the contact's revision, which may be missing (CONTRACT.md section W3)."""
    for name, part in (("createdEvent", "entity"), ("updatedEvent", "currentEntity")):
        if name in event:
            body = _object(event[name])
            contact = _object(body[part] if part in body else body.get(f"{part}AsJson", {}))
            revision = contact.get("revision")
            return str(revision)[:40] if isinstance(revision, int | str) else None
    return None
