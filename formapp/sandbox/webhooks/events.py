"""What happens to contacts, as the events of Wix's webhooks (CONTRACT.md section W3)."""

import json
import uuid
from datetime import UTC, datetime

from formapp.sandbox.api.auth import Caller
from formapp.sandbox.api.call import Call
from formapp.sandbox.state import ENTITY, Event, Json

PERSON = "3c9d5f10-7b5d-4c55-8f0e-1b2a3c4d5e6f"
"""The Wix user who does all that people do here."""

_AS_TEXT = {
    "createdEvent": ("entity", "entityAsJson"),
    "updatedEvent": ("currentEntity", "currentEntityAsJson"),
    "actionEvent": ("body", "bodyAsJson"),
}
"""By the event's body: the object in it, and the name of the same as text in older samples."""


def created(call: Call, contact: Json) -> None:
    _note(call, "created", contact["id"], {"createdEvent": {"entity": contact}})


def updated(call: Call, contact: Json) -> None:
    _note(call, "updated", contact["id"], {"updatedEvent": {"currentEntity": contact}})


def deleted(call: Call, contact_id: str) -> None:
    """Note that a contact is gone, by itself or into another one."""
    _note(call, "deleted", contact_id, {"deletedEvent": {}})


def merged(call: Call, target: Json, source_ids: list[str]) -> None:
    """Note that a contact has taken in others."""
    body = {
        "targetContactId": target["id"],
        "sourceContactIds": source_ids,
        "targetContact": target,
    }
    _note(call, "merged", target["id"], {"actionEvent": {"body": body}})


def _note(call: Call, slug: str, contact_id: str, body: Json) -> None:
    """Add an event to those that the site has not sent yet.

    `originatedFrom` marks what a merge does besides. A person who deletes a contact may ask for an
    erasure of all its data (`?anonymize=true`).
    """
    moment = datetime.fromtimestamp(call.now, UTC).isoformat(timespec="microseconds")
    by_merge = call.operation == "mergeContacts" and slug != "merged"
    erased = slug == "deleted" and call.caller.kind == "dashboard" and bool(call.many("anonymize"))
    content = {
        "id": str(uuid.uuid4()),
        "entityFqdn": ENTITY,
        "slug": slug,
        "entityId": contact_id,
        **body,
        "eventTime": moment.replace("+00:00", "Z"),
        "triggeredByAnonymizeRequest": erased,
        **({"originatedFrom": "merge"} if by_merge else {}),
        "entityEventSequence": str(call.site.next_sequence(contact_id)),
    }
    call.site.events.append(Event(call.site.id, _identity(call.caller), content))


def _identity(caller: Caller) -> Json:
    """Return who caused an event; an API key is no app of its own, so it has no app id."""
    if caller.kind == "dashboard":
        return {"identityType": "WIX_USER", "wixUserId": PERSON}
    return {"identityType": "APP", **({"appId": caller.app_id} if caller.app_id else {})}


def with_body_as_text(content: Json) -> Json:
    """Return an event whose body is JSON text, as older samples have it."""
    changed = dict(content)
    for name, (part, text_name) in _AS_TEXT.items():
        if name in content:
            changed[name] = {text_name: json.dumps(content[name][part])}
    return changed
