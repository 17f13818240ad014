"""What owners open without signing in: a lead's files, by signed links that expire.

A visitor made the contents, so nothing here lets a browser run them: all but pictures are
downloads, and pictures, too, have a policy that allows nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, render_template
from werkzeug.datastructures import Headers
from werkzeug.wsgi import FileWrapper

from formapp.db.database import DatabaseUnavailableError
from formapp.files.links import PREFIX, FileLink
from formapp.files.names import disposition
from formapp.files.records import FileRecord, FileState, find_file, of_submission
from formapp.files.store import ContentMissingError, FileStoreError
from formapp.files.types import SHOWN_AS_IMAGES
from formapp.forms.definition.uploads import format_size
from formapp.languages import SOURCE
from formapp.signing import InvalidSignatureError
from formapp.web.errors import RefusalError
from formapp.web.headers import page_headers
from formapp.web.i18n import set_language
from formapp.web.responses import html_answer, refuse
from formapp.web.services import services

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""Of contents: nothing runs or loads, and what the browser shows has an origin of its own."""

LARGEST_SHOWN = 5_000_000
"""Bytes of a picture that a page shows: an owner may look at leads on a phone."""

_PIECE = 64 * 1024
_NOT_KEPT = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow"}
_WRONG = "This link is incomplete or was changed. Open it again from where you got it."
_EXPIRED = "This link has expired. Open the lead in the inbox for a new one."
_GONE = "The files of this link are no longer kept: the lead was erased."
_QUARANTINED = "A virus was found in this file. It is kept apart, and can't be downloaded."
_WAITING = "This file is still being scanned for viruses. Try again in a minute."
_UNREACHABLE = "The file can't be read just now. Try again in a minute."
_TITLES = {
    "LINK_INVALID": "This link doesn't work",
    "LINK_EXPIRED": "This link has expired",
    "LINK_GONE": "No longer kept",
    "QUARANTINED": "This file is in quarantine",
}


blueprint = Blueprint("files", __name__, url_prefix=PREFIX)


@blueprint.before_request
def speak_english() -> None:
    set_language(SOURCE)


@blueprint.errorhandler(RefusalError)
def refused(refusal: RefusalError) -> Response:
    refusal.headers |= _NOT_KEPT
    return refuse(refusal, _TITLES.get(refusal.code, "Not available right now"))


@blueprint.errorhandler(DatabaseUnavailableError)
@blueprint.errorhandler(FileStoreError)
def unreachable(_error: Exception) -> Response:
    return refused(RefusalError(503, "UNAVAILABLE", _UNREACHABLE, {"Retry-After": "30"}))


@blueprint.get("/<token>")
def listing(token: str) -> Response:
    link = _read(token)
    with services().database.read() as connection:
        found = [each for each in of_submission(connection, link.submission_id) if link.opens(each)]
    if not found:
        raise RefusalError(404, "LINK_GONE", _GONE)
    page = render_template("files.html", files=found, address=f"{PREFIX}/{token}", **FOR_TEMPLATES)
    return html_answer(page, policy=page_headers(services().origin), headers=_NOT_KEPT)


@blueprint.get("/<token>/<file_id>")
def download(token: str, file_id: str) -> Response:
    link = _read(token)
    with services().database.read() as connection:
        record = find_file(connection, file_id)
    if record is None or record.submission_id != link.submission_id or not link.opens(record):
        raise RefusalError(404, "LINK_GONE", _GONE)
    if record.state is FileState.QUARANTINED:
        raise RefusalError(403, "QUARANTINED", _QUARANTINED)
    if record.state is FileState.WAITING:
        raise RefusalError(503, "WAITING", _WAITING, {"Retry-After": "30"})
    try:
        content = services().files.store.open(record.key)
    except ContentMissingError:
        raise RefusalError(404, "LINK_GONE", _GONE) from None
    headers = Headers(_NOT_KEPT)
    headers.set("Content-Security-Policy", POLICY)
    headers.set("Cross-Origin-Resource-Policy", "same-origin")
    headers.set("Content-Length", str(record.size))
    is_shown = record.type in SHOWN_AS_IMAGES
    headers.set("Content-Disposition", disposition(record.name, shown=is_shown))
    # The server closes it, even if the reader goes away.
    pieces = FileWrapper(content, _PIECE)
    return Response(pieces, content_type=record.type, headers=headers, direct_passthrough=True)


def is_picture(record: FileRecord) -> bool:
    is_small = record.size <= LARGEST_SHOWN
    return record.is_available and record.type in SHOWN_AS_IMAGES and is_small


FOR_TEMPLATES: Mapping[str, Any] = {"format_size": format_size, "is_picture": is_picture}
"""What `listed_files.html` needs."""


def _read(token: str) -> FileLink:
    try:
        link = services().file_links.read(token)
    except InvalidSignatureError:
        raise RefusalError(404, "LINK_INVALID", _WRONG) from None
    if link.until <= datetime.now(UTC):
        raise RefusalError(410, "LINK_EXPIRED", _EXPIRED)
    return link
