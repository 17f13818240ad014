"""Webhooks from another system: Standard Webhooks in, events out.

    {"type": "contact.updated", "data": {"id": "42", "first_name": "Ines", "labels": ["News"]}}

The fields are named as in the book's file. What can't be read again is stored with the event until
it is worked off.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from formapp.crm.books import (
    BookFilesError,
    SecretsError,
    load_books,
    read_secrets,
    variable,
)
from formapp.crm.events import Event, Kind, MessageRefusedError, NoMessageError, crm_source

MAX_ID = 150
"""Characters of a record's id, and of a message's."""

MAX_MERGED = 100

_log = logging.getLogger(__name__)


_KINDS: Mapping[str, Kind] = {
    "contact.created": "created",
    "contact.updated": "updated",
    "contact.deleted": "deleted",
}


def read_verifiers(folder: Path, environ: Mapping[str, str]) -> dict[str, Webhook]:
    """What verifies the posts to each webhook book; why there is none for one is logged."""
    try:
        books = load_books(folder)
    except BookFilesError as error:
        for fault in error.faults:
            _log.error("no CRM book takes webhooks: %s", fault)
        return {}
    found = {}
    for book in books.values():
        if book.system == "webhook":
            try:
                found[book.name] = Webhook(read_secrets(book, environ).secret)
            except SecretsError as error:
                _log.error("the CRM book %s takes no webhooks: %s", book.name, error)
            except (ValueError, EmptyWebhookSecretError):
                secret = variable(book.name, "SECRET")
                _log.error("%s: is no secret of Standard Webhooks (whsec_ and base64)", secret)
    return found


def read_message(
    webhook: Webhook, book: str, body: bytes, headers: Mapping[str, str], now: datetime
) -> list[Event]:
    """Return what a message says; may raise NoMessageError or MessageRefusedError."""
    try:
        webhook.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError, TypeError):
        # The library lets errors of malformed signatures through.
        raise MessageRefusedError from None
    message_id = next(value for name, value in headers.items() if name.lower() == "webhook-id")
    try:
        # Unlike the standard library it takes no NaN, which PostgreSQL refuses to store.
        message = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise NoMessageError("The body is no JSON.") from None
    if not isinstance(message, dict):
        raise NoMessageError("The body is no object.")
    if len(message_id) > MAX_ID or not message_id.isprintable():
        raise NoMessageError("webhook-id is no text of 1 to 150 characters.")
    return list(_events(message, crm_source(book), message_id, now))


def _events(
    message: Mapping[str, Any], source: str, message_id: str, now: datetime
) -> Iterator[Event]:
    data, type_ = message.get("data"), message.get("type")
    if not isinstance(data, dict):
        raise NoMessageError("data is no object.")
    entity = _id(data.get("id"))
    content = {name: value for name, value in data.items() if name not in ("id", "merged_ids")}
    if type_ == "contact.merged":
        merged = data.get("merged_ids")
        if not isinstance(merged, list) or not 0 < len(merged) <= MAX_MERGED:
            raise NoMessageError("merged_ids is no list of ids.")
        for number, gone in enumerate(map(_id, merged)):
            yield Event(source, f"{message_id}/{number}", "merged", gone, now, target=entity)
        yield Event(source, message_id, "updated", entity, now, content=content)
    elif kind := _KINDS.get(type_) if isinstance(type_, str) else None:
        kept = None if kind == "deleted" else content
        yield Event(source, message_id, kind, entity, now, content=kept)
    else:
        raise NoMessageError("type is none of contact.created, .updated, .deleted and .merged.")


def _id(value: Any) -> str:
    """Return an id, which some senders have as a number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_ID or not text.isprintable():
        raise NoMessageError("id is no text of 1 to 150 characters.")
    return text.strip()
