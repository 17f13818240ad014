"""Webhooks as Wix signs them, written from the contract apart from the sandbox."""

import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
CONTACT = "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"


def event(slug: str = "updated", **changes: Any) -> dict[str, Any]:
    """One event about `CONTACT`."""
    entity = {"id": CONTACT, "revision": 2, "info": {"name": {"first": "Ines"}}}
    bodies: dict[str, Any] = {
        "created": {"createdEvent": {"entity": entity}},
        "updated": {"updatedEvent": {"currentEntity": entity}},
        "deleted": {"deletedEvent": {}},
    }
    return {
        "id": str(uuid.uuid4()),
        "entityFqdn": "wix.contacts.v4.contact",
        "slug": slug,
        "entityId": CONTACT,
        **bodies.get(slug, {}),
        "eventTime": "2025-04-01T11:02:44.318205Z",
        "triggeredByAnonymizeRequest": False,
        "entityEventSequence": "2",
        **changes,
    }


def token(content: Any, *, key: Any = KEY, algorithm: str = "RS256", **claims: Any) -> bytes:
    """The token of an event, in the three layers that Wix sends."""
    middle = {
        "eventType": "wix.contacts.v4.contact_updated",
        "instanceId": "e7a4bb0c-51d2-4c7f-a0f6-93f2f0c4d7a8",
        "data": json.dumps(content),
        "identity": json.dumps({"identityType": "WIX_USER", "wixUserId": "3c9d5f10"}),
    }
    now = int(time.time())
    payload = {"data": json.dumps(middle), "iat": now, "exp": now + 3600, **claims}
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": "k1"}).encode()
