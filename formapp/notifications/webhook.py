"""The webhook: each lead as JSON, signed by Standard Webhooks (https://www.standardwebhooks.com).

Id and body of a message depend on the stored lead and the form file alone, so that each retry is
the same message and a receiver recognises it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from standardwebhooks import Webhook

from formapp import http
from formapp.files.links import FileAddresses, address_of_file
from formapp.forms.definition.model import FormDefinition
from formapp.forms.notes import format_note
from formapp.notifications.attached import page_of_files
from formapp.notifications.channel import NotSentError, RefusedError
from formapp.notifications.store import AcceptedLead

ACCEPTED, TEST = "lead.accepted", "lead.test"
"""The type of a message: of a lead, and of `formapp notify test`."""

_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def body_of(
    lead: AcceptedLead,
    definition: FormDefinition,
    kind: str = ACCEPTED,
    addresses: FileAddresses | None = None,
) -> bytes:
    labels = {field.name: field.label or field.name for field in definition.fields}
    data: dict[str, Any] = {
        "id": lead.id,
        "form": lead.form,
        "site": lead.site,
        "received_at": _iso(lead.received_at),
        "answers": lead.answers,
        "labels": labels,
        "consents": lead.consents,
        "notes": [{**note, "text": format_note(note)} for note in lead.notes],
        "unknown": lead.unknown,
        "meta": lead.meta,
    }
    if lead.files:
        data["files"] = _files(lead, page_of_files(lead, definition, addresses))
    return _encode({"type": kind, "timestamp": _iso(lead.accepted_at), "data": data}).encode()


def _files(lead: AcceptedLead, page: str | None) -> list[dict[str, Any]]:
    names = ("id", "field", "name", "type", "size", "sha256")
    return [
        {name: getattr(each, name) for name in names}
        | {"url": address_of_file(page, each) if page else None}
        for each in lead.files
    ]


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, repr=False)
class WebhookChannel:
    """Posts leads to the `webhook` of a form.

    A message is signed with each of the `secrets` (`whsec_…`): a receiver may change its own.
    """

    secrets: Sequence[str]
    clock: Callable[[], datetime]
    kind: str = ACCEPTED
    files: FileAddresses | None = None

    def send(self, lead: AcceptedLead, definition: FormDefinition, _to: str | None) -> None:
        notify = definition.notify
        url = notify.webhook if notify else None
        if url is None:
            raise RefusedError("the form has no webhook")
        body = body_of(lead, definition, self.kind, self.files)
        try:
            status = http.post(url, data=body, headers=self._headers(lead.id, body)).status
        except http.NoResponseError as error:
            raise NotSentError(f"it doesn't answer ({error})", unreachable=True) from None
        if status == HTTPStatus.GONE:
            raise RefusedError("it answered 410: it wants no more; take webhook out of the form")
        if not HTTPStatus(200) <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotSentError(f"it answered {status}", unreachable=status in _BUSY)

    def _headers(self, lead_id: str, body: bytes) -> dict[str, str]:
        message_id, at = f"lead_{lead_id}", self.clock()
        signatures = [Webhook(each).sign(message_id, at, body.decode()) for each in self.secrets]
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "formapp",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
