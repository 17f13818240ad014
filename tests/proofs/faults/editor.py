"""Somebody else who edits contacts, just between our reading one and our writing to it.

The editor is another app with its own token and goes the way that everybody goes: Update Contact
with the revision that was read. It edits what leads want to fill, and what they don't touch.
"""

import json
import threading
from http.client import HTTPConnection
from typing import Any

from tests.proofs.faults.rng import rng

SITE = "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"
Json = dict[str, Any]


class Editor:
    """Edits contacts of the sandbox that listens on `port` of this machine."""

    def __init__(self, port: int, seed: str, rate: float) -> None:
        self._port = port
        self._rng = rng(seed, "editor")
        self._rate = rate
        self._lock = threading.Lock()
        self._headers = {"Content-Type": "application/json"}
        self._label = self._field = ""
        self.made = 0
        if rate:
            self._prepare()

    def meet(self, contact: Json) -> None:
        """Edit the contact, as often as the rate says."""
        with self._lock:
            if self._rng.random() >= self._rate:
                return
            info = self._edit(contact.get("info", {}), self._rng.randrange(5))
            body = {"revision": contact["revision"], "info": info}
            status, _ = self._call("PATCH", f"/contacts/v4/contacts/{contact['id']}", body)
            # Another reader's editor may have been quicker.
            self.made += status == 200

    def _edit(self, held: Json, kind: int) -> Json:
        text = f"by somebody else, {self.made}"
        if kind == 0:
            return {"birthdate": f"19{self._rng.randrange(40, 99)}-05-17"}
        if kind == 1:
            labels = held.get("labelKeys", {}).get("items", [])
            return {"labelKeys": {"items": [*dict.fromkeys([*labels, self._label])]}}
        if kind == 2:
            fields = held.get("extendedFields", {}).get("items", {})
            stay = {key: value for key, value in fields.items() if key.startswith("custom.")}
            return {"extendedFields": {"items": {**stay, self._field: text}}}
        return {"company": text}

    def _prepare(self) -> None:
        grant = {"grant_type": "client_credentials", "client_id": "editor"}
        _, token = self._call(
            "POST", "/oauth2/token", {**grant, "client_secret": "s", "instance_id": SITE}
        )
        self._headers["Authorization"] = token["access_token"]
        _, label = self._call("POST", "/contacts/v4/labels", {"displayName": "Seen"})
        self._label = label["label"]["key"]
        field = {"displayName": "Desk note", "dataType": "TEXT"}
        _, made = self._call("POST", "/contacts/v4/extended-fields", field)
        self._field = made["field"]["key"]

    def _call(self, method: str, path: str, body: Json) -> tuple[int, Json]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body), self._headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()
