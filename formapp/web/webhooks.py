"""Where other systems post: Wix at `/wix/webhooks/<site>`, those of books at `/crm/<book>/webhook`.

For machines: no session, no token of a form, no language. An event is stored before the answer, and
worked off by a worker. Wix waits 1,250 ms and takes nothing but 200.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, request
from standardwebhooks import Webhook
from werkzeug.exceptions import RequestEntityTooLarge

from formapp.crm.events import Event, MessageRefusedError, NoMessageError, store_event
from formapp.crm.inbound import read_message
from formapp.crm.wix_webhook import PublicKey, read_events
from formapp.db.database import DatabaseUnavailableError
from formapp.web.services import services

MAX_BYTES = 256 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Senders:
    """Who may post.

    Attributes:
        wix_key: verifies the events of our app at Wix; without it no site has an address.
        sites: our names of Wix sites, each with the instance id of our app there, if it is known.
        books: by name, those whose system posts webhooks, with what verifies these.
    """

    wix_key: PublicKey | None = None
    sites: Mapping[str, str | None] = field(default_factory=dict)
    books: Mapping[str, Webhook] = field(default_factory=dict)


def init_app(app: Flask, senders: Senders) -> None:
    blueprint = Blueprint("webhooks", __name__)

    @blueprint.post("/wix/webhooks/<site>")
    def from_wix(site: str) -> Response:
        key = senders.wix_key
        if key is None or site not in senders.sites:
            return _answer(404, "There is no such site here, or FORMAPP_WIX_PUBLIC_KEY isn't set.")
        instance_id = senders.sites[site]
        now = datetime.now(UTC)
        return _receive(lambda body: read_events(key, body, site, now, instance_id=instance_id))

    @blueprint.post("/crm/<book>/webhook")
    def from_crm(book: str) -> Response:
        webhook = senders.books.get(book)
        if webhook is None:
            return _answer(404, "There is no such book here.")
        headers, now = dict(request.headers), datetime.now(UTC)
        return _receive(lambda body: read_message(webhook, book, body, headers, now))

    app.register_blueprint(blueprint)


def _receive(read: Callable[[bytes], Sequence[Event]]) -> Response:
    """Store what the body says, and answer; a message that came before is stored once."""
    request.max_content_length = MAX_BYTES
    try:
        events = read(request.get_data(cache=False))
    except RequestEntityTooLarge:
        return _answer(413, f"The limit is {MAX_BYTES // 1024} KiB.")
    except NoMessageError as error:
        return _answer(400, str(error))
    except MessageRefusedError:
        _log.warning("a webhook was refused: wrong signature, another sender, or too old")
        return _answer(401, "The signature is wrong, another sender's, or too old.")
    return _store(events) if events else _answer(200, "")


def _store(events: Sequence[Event]) -> Response:
    app = services()
    try:
        with app.database.write() as connection:
            new = [event for event in events if store_event(connection, event)]
    except DatabaseUnavailableError:
        return _answer(503, "The database can't be reached. Send this again later.")
    if new and app.on_kept:
        app.on_kept()
    return _answer(200, "")


def _answer(status: int, text: str) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
