"""A system that receives our changes, and sends its own: Zapier, Make, n8n, a script.

Messages are signed after Standard Webhooks, both ways. What the system posted is read from the
events until it is worked off (`formapp.crm.inbound`); it can't be asked for anything.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from formapp.crm.events import crm_source, last_of, read_contents
from formapp.crm.model import LABELS, SETS, Book
from formapp.crm.store import find_link
from formapp.crm.system import (
    Capabilities,
    Changes,
    Record,
    RefusedError,
    System,
    UnauthorizedError,
    UnavailableError,
    Value,
    Write,
    as_items,
    normalised,
)
from formapp.crm.systems.http_calls import HttpCalls
from formapp.db.database import Database

_GONE = 410
"""How a receiver says that it wants no more messages (Standard Webhooks, "Delivery")."""

_ABSENT = 404
_DONE = range(200, 300)


class WebhookSystem(System):
    """One receiver, with the fields of one book."""

    capabilities = Capabilities(merge=True, lists=False)

    def __init__(
        self,
        book: Book,
        secret: str,
        calls: HttpCalls,
        database: Database,
        clock: Callable[[], datetime],
    ) -> None:
        """`secret` is `whsec_` and base64; raises ValueError or EmptyWebhookSecretError."""
        self._book = book
        self._secret = secret.encode()
        self._webhook = Webhook(secret)
        self._calls = calls
        self._database = database
        self._clock = clock
        self._source = crm_source(book.name)

    def close(self) -> None:
        self._calls.close()

    def check(self) -> Sequence[str]:
        """No faults: only a message would show some."""
        return []

    # Reading what was posted

    def changes(self, cursor: str | None) -> Iterator[Changes]:
        """None: it posts its changes."""
        yield Changes({}, (), cursor or "posted")

    def sweep(self) -> Iterator[Mapping[str, str]]:
        """None: it can't be listed."""
        yield from ()

    def get(self, record_id: str) -> Record | None:
        """The fields that wait to be worked off; None if it said that the record is gone."""
        last = last_of(self._database, self._source, record_id)
        if last and last.kind == "merged" and last.target and last.target != record_id:
            return self.get(last.target)
        if last and last.kind == "deleted":
            return None
        content: dict[str, Any] = {}
        for event in read_contents(self._database, self._source, record_id):
            content |= event.content
        return self._record(record_id, self._last_message(record_id), content)

    def get_many(self, record_ids: Sequence[str]) -> Mapping[str, Record]:
        found = {record_id: self.get(record_id) for record_id in record_ids}
        return {id_: record for id_, record in found.items() if record}

    def find(
        self, *, key: str | None = None, email: str | None = None, phone: str | None = None
    ) -> Sequence[Record]:
        """None: it can't be asked. A repeated message has the same id, so that it counts once."""
        del key, email, phone
        return ()

    def _record(self, record_id: str, revision: str, content: Mapping[str, Any]) -> Record:
        values = {}
        for pair in self._book.fields:
            posted = _posted(content.get(pair.crm), is_set=pair.wix in SETS)
            if posted and (value := self.normalise(pair.crm, posted)):
                values[pair.crm] = value
        labels = _posted(content.get(LABELS), is_set=True) or ()
        found = frozenset(filter(None, (" ".join(label.split()) for label in labels)))
        return Record(
            record_id,
            revision,
            values,
            found,
            emails=self._all(values, "email", "emails"),
            phones=self._all(values, "phone", "phones"),
        )

    def _all(self, values: Mapping[str, Value], *names: str) -> tuple[str, ...]:
        found: list[str] = []
        for pair in self._book.fields:
            if pair.wix in names and (value := values.get(pair.crm)):
                found += as_items(value)
        return tuple(dict.fromkeys(found))

    def _last_message(self, record_id: str) -> str:
        """The id of the newest message about a record: its link has it as the revision."""
        with self._database.read() as connection:
            link = find_link(connection, self._book.name, "crm", record_id)
        return (link.crm_revision if link else None) or ""

    # Writing

    def create(self, write: Write) -> Record:
        """Report a new contact; its id is Wix's."""
        if write.key is None:
            raise RefusedError("a contact can't be sent without the other side's id")
        data = {"id": write.key, **_fields(write)}
        if write.add_labels:
            data[LABELS] = sorted(write.add_labels)
        message_id = self._send("contact.created", data, "")
        return self._record(write.key, message_id, data)

    def update(self, record: Record, write: Write) -> Record:
        """Report what changed: fields (null: now blank), or all labels if these changed."""
        data = {"id": record.id, "external_id": record.id, **_fields(write)}
        if write.all_labels is not None:
            data[LABELS] = sorted(write.all_labels)
        message_id = self._send("contact.updated", data, record.revision)
        values = {name: value for name, value in write.values.items() if value}
        left = {name: value for name, value in record.values.items() if name not in write.values}
        labels = record.labels if write.all_labels is None else write.all_labels
        return replace(record, revision=message_id, values=left | values, labels=labels)

    def delete(self, record: Record) -> None:
        data = {"id": record.id, "external_id": record.id}
        self._send("contact.deleted", data, record.revision)

    def merge(self, survivor: Record, source: Record) -> Record:
        data = {"id": survivor.id, "external_id": survivor.id, "merged_ids": [source.id]}
        message_id = self._send("contact.merged", data, survivor.revision)
        return replace(survivor, revision=message_id)

    def normalise(self, name: str, value: Value) -> Value | None:
        """The text itself, without blanks around it: Wix's side knows the one spelling."""
        del name
        is_set = not isinstance(value, str)
        return normalised(value, lambda text: text.strip() or None, is_set=is_set)

    def _send(self, type_: str, data: Mapping[str, Any], previous: str) -> str:
        """Send a message and return its id.

        The id follows from the body and the message before it: a repeat after a failure has the
        same one, and the same change made again later has another.
        """
        body = json.dumps({"type": type_, "data": data})
        named = f"{self._book.name}\n{previous}\n{body}".encode()
        message_id = "msg_" + hmac.new(self._secret, named, hashlib.sha256).hexdigest()[:32]
        now = self._clock()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, now, body),
        }
        answer = self._calls.call("POST", self._book.url, data=body.encode(), headers=headers)
        status = answer.status_code
        if status in _DONE:
            return message_id
        if status == _GONE:
            raise UnauthorizedError("the receiver wants no more messages (410)")
        if status == _ABSENT:
            raise UnavailableError("the receiver isn't at this address (404)")
        raise RefusedError(f"the receiver refuses the message ({status})")


def _fields(write: Write) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in write.values.items()
    }


def _posted(value: Any, *, is_set: bool) -> Value | None:
    """Return a field as it was posted; numbers count as text, anything else is left out."""
    items = value if isinstance(value, list | tuple) else [value]
    texts = [
        str(item)
        for item in items
        if isinstance(item, str | int | float) and not isinstance(item, bool)
    ]
    if is_set:
        return tuple(texts)
    return texts[0] if texts else None
