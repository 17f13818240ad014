"""The sandbox's key pair, and events as signed tokens (CONTRACT.md section W2)."""

import json
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from formapp.sandbox.state import Event, Json, Store

KEY_BITS = 2048
LIFETIME = 3600
"""Seconds for which a token is valid."""


class Signer:
    """Signs events with the key of the store, which it makes when it is first needed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._key: rsa.RSAPrivateKey | None = None

    def public_key(self) -> str:
        public = self._private().public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, event: Event, content: Json) -> str:
        """Return the token whose three layers hold an event's content, which may be in text form.

        Its times are those of the machine, not of the sandbox's clock: receivers compare them with
        theirs.
        """
        middle = {
            "eventType": event.type,
            "instanceId": event.site_id,
            "data": json.dumps(content),
            "identity": json.dumps(event.identity),
        }
        now = int(time.time())
        claims = {"data": json.dumps(middle), "iat": now, "exp": now + LIFETIME}
        return jwt.encode(claims, self._private(), algorithm="RS256", headers={"kid": "k1"})

    def _private(self) -> rsa.RSAPrivateKey:
        with self._lock:
            if self._key is None:
                self._key = self._load() or self._make()
            return self._key

    def _load(self) -> rsa.RSAPrivateKey | None:
        if self._store.webhook_key is None:
            return None
        key = load_pem_private_key(self._store.webhook_key.encode(), password=None)
        return key if isinstance(key, rsa.RSAPrivateKey) else None

    def _make(self) -> rsa.RSAPrivateKey:
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._store.keep_webhook_key(pem.decode())
        return key
