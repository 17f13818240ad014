"""Reading a post: urlencoded, multipart or JSON, within fixed limits, into pairs of clean text.

Werkzeug's own form parsing is not used: its limit on parts ignores urlencoded bodies, and it
silently replaces invalid UTF-8.
"""

import json
from collections.abc import Iterable
from typing import Any, Never
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from formapp.forms.reading.numbers import JsonNumber
from formapp.forms.reading.text import normalize
from formapp.languages import gettext_noop
from formapp.web.errors import RefusalError

MAX_BYTES = 64 * 1024
MAX_PAIRS = 200
MAX_BOUNDARY = 70
"""RFC 2046, section 5.1.1. Python caches a regular expression for each boundary."""

_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_JSON = "application/json"
_NO_TEXT = gettext_noop("We could not read the request: it is not UTF-8 text.")
_NO_JSON = gettext_noop("We could not read the request: it is not JSON.")
_NO_OBJECT = gettext_noop(
    "We could not read the request: send a JSON object with the fields' names as keys."
)
_NO_SCALAR = gettext_noop(
    "We could not read the request: a field's value must be text, a number, true, "
    "false or a list of these."
)
_NO_BOUNDARY = gettext_noop(
    "We could not read the request: its Content-Type has no valid boundary."
)
_TORN = gettext_noop("We could not read the request: it is incomplete.")


Pairs = list[tuple[str, str]]


def read_body(request: Request) -> tuple[Pairs, frozenset[str]]:
    """Return the pairs as they were posted, and the names whose value is a JSON list.

    Raises:
        RefusalError: 400, 413 or 415, with the reason.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise RefusalError(
            415, "COMPRESSED", "Compressed requests are not supported. Send the body uncompressed."
        )
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset.replace("-", "") not in {"utf8", "usascii"}:
        raise RefusalError(415, "CHARSET", "Send the text as UTF-8.")
    data = _data(request)
    if request.mimetype == _URLENCODED:
        return _urlencoded(data), frozenset()
    if request.mimetype == _MULTIPART:
        boundary = request.mimetype_params.get("boundary", "")
        return _multipart(data, boundary), frozenset()
    if request.mimetype == _JSON:
        return _json(data)
    raise RefusalError(
        415,
        "CONTENT_TYPE",
        "Send %(one)s, %(two)s or %(three)s.",
        one=_URLENCODED,
        two=_MULTIPART,
        three=_JSON,
    )


def _data(request: Request) -> bytes:
    request.max_content_length = MAX_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise RefusalError(
            413,
            "TOO_LARGE",
            "This is too much to send. The limit is %(size)s KiB.",
            size=MAX_BYTES // 1024,
        ) from None


def _malformed(msgid: str) -> RefusalError:
    return RefusalError(400, "MALFORMED", msgid)


def _too_many() -> RefusalError:
    return RefusalError(
        400,
        "TOO_MANY_FIELDS",
        "This request has too many fields. The limit is %(count)s.",
        count=MAX_PAIRS,
    )


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _malformed(_NO_TEXT) from None


def _urlencoded(data: bytes) -> Pairs:
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, errors="strict")
    except ValueError:  # UnicodeDecodeError among them
        raise _malformed(_NO_TEXT) from None
    if len(pairs) > MAX_PAIRS:
        raise _too_many()
    return pairs


def _multipart(data: bytes, boundary: str) -> Pairs:
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise _malformed(_NO_BOUNDARY)
    # A decoder that may buffer the whole body needs no limit of its own: `data` is limited.
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"))
    decoder.receive_data(data)
    decoder.receive_data(None)
    pairs: Pairs = []
    name, content = "", b""
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, Field):
                name, content = event.name, b""
            elif isinstance(event, File):
                _refuse_file(event)
                name, content = "", b""
            elif isinstance(event, Data):
                content += event.data
                if not event.more_data and name:
                    pairs.append((name, _text(content)))
            if len(pairs) > MAX_PAIRS:
                raise _too_many()
    except (ValueError, RequestEntityTooLarge):
        raise _malformed(_TORN) from None
    return pairs


def _refuse_file(part: File) -> None:
    # A browser sends a file control that was left empty as a part with an empty name.
    if part.filename:
        raise RefusalError(400, "NO_FILE_UPLOADS", "This form doesn't accept files.")


def _json(data: bytes) -> tuple[Pairs, frozenset[str]]:
    try:
        content = json.loads(
            _text(data),
            object_pairs_hook=_unique,
            # Numbers keep their text; the form reads it.
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        raise _malformed(_NO_JSON) from None
    if not isinstance(content, dict):
        raise _malformed(_NO_OBJECT)
    if len(content) > MAX_PAIRS:
        raise _too_many()
    pairs = [(name, text) for name, value in content.items() for text in _scalars(value)]
    lists = [name for name, value in content.items() if isinstance(value, list)]
    if len(pairs) > MAX_PAIRS and not lists:
        raise _too_many()
    return pairs, frozenset(lists)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise RefusalError(400, "REPEATED_FIELD", "A field was sent more than once.")
    return content


def _no_number(_name: str) -> Never:
    raise ValueError("NaN and Infinity are not JSON")


def _scalars(value: object) -> Iterable[str]:
    """The texts of a JSON value; null is absence."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict | list):
            raise _malformed(_NO_SCALAR)
        if isinstance(each, bool):
            yield "true" if each else "false"
        elif isinstance(each, str):
            yield each


def clean_body(pairs: Pairs, lists: frozenset[str]) -> tuple[Pairs, frozenset[str]]:
    """Return what `read_body` returned, NFC-normalised; different names may become equal.

    Raises:
        RefusalError: 400, a text can't be stored.
        TooManyMarksError: a text can't be normalised.
    """
    text = "".join([part for pair in pairs for part in pair])
    if "\0" in text:
        raise RefusalError(400, "NUL", "A field contains a character that can't be stored (NUL).")
    if text.isascii():
        return pairs, lists
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusalError(400, "NOT_TEXT", "A field contains data that is not text.") from None
    cleaned = [(normalize(name), normalize(value)) for name, value in pairs]
    return cleaned, frozenset(map(normalize, lists))
