"""Reading a post: urlencoded, multipart or JSON, within fixed limits, into pairs of clean text.

Werkzeug's own form parsing is not used: its limit on parts ignores urlencoded bodies, and it
silently replaces invalid UTF-8. Bytes are at first read as Latin-1, which loses none of them; their
encoding is known only when all have been read.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any, Never, Protocol
from urllib.parse import unquote_to_bytes

import msgspec
from flask import Request
from msgspec.structs import replace
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from formapp.forms.definition.uploads import format_size
from formapp.forms.notes import CHARSET_GUESSED, FILE_DROPPED, MAX_NAME, Note
from formapp.forms.reading.numbers import JsonNumber
from formapp.forms.reading.text import normalize
from formapp.languages import gettext_noop
from formapp.lead import Private
from formapp.web.errors import RefusalError
from formapp.web.public.charsets import Guess, Pairs, as_utf_8, decode_json, decode_pairs

MAX_BYTES = 1024 * 1024
"""Up to here a post that is too long is read, so that the visitor can be shown it."""
MAX_FILE_BYTES = 10 * 1024 * 1024
"""Files are read past up to this size, all together."""
MAX_PAIRS = 200
MAX_BOUNDARY = 70
"""RFC 2046, section 5.1.1. Python caches a regular expression for each boundary."""

CHARSET = "_charset_"
"""In this field a browser names the encoding of a form (HTML, "Constructing the entry list")."""
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_JSON = {"application/json", "text/json"}
_JSON_SUFFIX = "+json"
"""RFC 6839, section 3.1."""
_NO_JSON = gettext_noop("We could not read the request: it is not JSON.")
_NO_OBJECT = gettext_noop(
    "We could not read the request: send a JSON object with the fields' names as keys."
)
_NO_BOUNDARY = gettext_noop(
    "We could not read the request: its Content-Type has no valid boundary."
)
_TORN = gettext_noop("We could not read the request: it is incomplete.")

_CHUNK = 64 * 1024
_MOST_BLANKS = 5
"""As many times more separators than pairs may come: some forms have blank pairs or empty files."""
_DEEPEST = 8
"""Levels of JSON that become names; what is deeper stays JSON."""


class Body(Private, frozen=True):
    """What was posted.

    Attributes:
        pairs: names and texts, not yet normalised.
        lists: names whose value is a JSON list.
        notes: on files that were dropped, and on an encoding that was guessed.
        size: bytes, without those of files.
        file_names: the files' own names, of those that were received.
    """

    pairs: Pairs
    lists: frozenset[str]
    notes: list[Note]
    size: int
    file_names: list[str] = msgspec.field(default_factory=list)


class Writable(Protocol):
    """Where a file is written to."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        ...


class FileReceiver(Protocol):
    """Takes the files of a body, `most_bytes` of them together."""

    most_bytes: int

    def begin(self, name: str) -> Writable | None:
        """Return where a file of a field of this name is written to; None: it is read past."""
        ...


def read_body(
    request: Request, max_bytes: int = MAX_BYTES, files: FileReceiver | None = None
) -> Body:
    """Read what was posted, or raise RefusalError; files that no field takes are dropped."""
    coding: str = request.environ.get("HTTP_CONTENT_ENCODING", "")
    if coding.strip().lower() not in {"", "identity"}:
        raise RefusalError(
            415, "COMPRESSED", "Compressed requests are not supported. Send the body uncompressed."
        )
    kind, declared = request.mimetype, request.mimetype_params.get("charset")
    past = MAX_FILE_BYTES + (files.most_bytes if files else 0)
    request.max_content_length = max_bytes + (past if kind == _MULTIPART else 0)
    try:
        if kind == _URLENCODED:
            data = request.get_data(cache=False)
            return _form(_urlencoded(data), declared, len(data))
        if kind == _MULTIPART:
            return _multipart(request, declared, max_bytes, files)
        if kind in _JSON or kind.endswith(_JSON_SUFFIX):
            return _json(request.get_data(cache=False), declared)
    except RequestEntityTooLarge:
        raise (_files_too_large(files) if kind == _MULTIPART else too_large(max_bytes)) from None
    raise RefusalError(
        415,
        "CONTENT_TYPE",
        "This was sent in a way that we can't read. Please open the form on its own page and send "
        "it from there. Site owner: remove enctype from the form. Programs: send JSON, or a form "
        "as urlencoded or multipart.",
    )


def too_large(max_bytes: int) -> RefusalError:
    """Return the refusal of a post of more bytes than these."""
    return RefusalError(
        413,
        "TOO_LARGE",
        "This is too much to send. The limit is %(size)s KiB.",
        size=max_bytes // 1024,
    )


def _files_too_large(files: FileReceiver | None) -> RefusalError:
    if files:
        return RefusalError(
            413,
            "FILES_TOO_BIG",
            "Your files are too large. All of them together may have %(size)s.",
            size=format_size(files.most_bytes),
        )
    return RefusalError(
        413,
        "TOO_LARGE",
        "Your file is too large, and this form can't take files. Please send the form without it.",
    )


def _malformed(msgid: str) -> RefusalError:
    return RefusalError(400, "MALFORMED", msgid)


def _too_many() -> RefusalError:
    return RefusalError(
        400,
        "TOO_MANY_FIELDS",
        "This request has too many fields. The limit is %(count)s.",
        count=MAX_PAIRS,
    )


def _form(raw: Pairs, declared: str | None, size: int, own: dict[int, str] | None = None) -> Body:
    """Decode the pairs of a form; `own` are labels of single values, by the index of the pair."""
    if len(raw) > MAX_PAIRS:
        raise _too_many()
    declared = dict(raw).get(CHARSET) or declared
    guess: Guess = None
    text = "".join(map("".join, raw))
    if declared or own or not text.isascii() or "\x1b" in text:
        raw, guess = decode_pairs(raw, declared, own or {})
    return Body(raw, frozenset(), _notes(guess), size)


def _notes(guess: Guess) -> list[Note]:
    return [{"code": CHARSET_GUESSED, "value": guess}] if guess else []


def _urlencoded(data: bytes) -> Pairs:
    if data.count(b"&") > MAX_PAIRS * _MOST_BLANKS:
        raise _too_many()
    if not data.isascii() or b"\0" in data:
        data = as_utf_8(data)
    pairs: Pairs = []
    for pair in data.replace(b"+", b" ").split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            if b"%" in pair:
                name, value = unquote_to_bytes(name), unquote_to_bytes(value)
            pairs.append((name.decode("latin-1"), value.decode("latin-1")))
    return pairs


def _multipart(
    request: Request, declared: str | None, max_bytes: int, files: FileReceiver | None
) -> Body:
    boundary, stream = request.mimetype_params.get("boundary", ""), request.stream
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise _malformed(_NO_BOUNDARY)
    raw: Pairs = []
    own: dict[int, str] = {}
    dropped: Pairs = []
    received: Pairs = []
    file_size = 0
    for part, content, size in _parts(stream, boundary, max_bytes, files):
        file_size += size
        name = _bytewise(part, "name")
        if isinstance(part, File):
            # A browser sends a file control that was left empty as a part with an empty name.
            if part.filename:
                is_taken = content is not None
                (received if is_taken else dropped).append((name, _bytewise(part, "filename")))
        elif name:
            _, options = parse_options_header(part.headers.get("Content-Type"))
            if label := options.get("charset"):
                own[len(raw)] = label
            raw.append((name, content or ""))
        if len(raw) + len(received) + len(dropped) > MAX_PAIRS:
            raise _too_many()
    body = _form(raw + received + dropped, declared, stream.tell() - file_size, own)
    file_names = [file for _, file in body.pairs[len(raw) : len(raw) + len(received)]]
    notes: list[Note] = [
        {"code": FILE_DROPPED, "field": _short(name), "value": _short(file)}
        for name, file in body.pairs[len(raw) + len(received) :]
    ]
    return replace(
        body, pairs=body.pairs[: len(raw)], notes=body.notes + notes, file_names=file_names
    )


def _parts(
    stream: IO[bytes], boundary: str, max_bytes: int, receiver: FileReceiver | None
) -> Iterator[tuple[Field | File, str | None, int]]:
    """Yield each part with its text, or with the size of its file.

    The text of a file is "" if it was received, None if it was read past.
    """
    part: Field | File | None = None
    target: Writable | None = None
    texts: list[str] = []
    size, files = 0, 0
    most = MAX_FILE_BYTES + (receiver.most_bytes if receiver else 0)
    for event in _events(stream, boundary):
        if isinstance(event, Field | File):
            part, texts, size, target = event, [], 0, None
            if receiver and isinstance(part, File) and part.filename:
                target = receiver.begin(_name_of_control(part))
        elif isinstance(event, Data) and part:
            if isinstance(part, File):
                size, files = size + len(event.data), files + len(event.data)
                if target:
                    target.write(event.data)
            else:
                texts.append(event.data.decode("latin-1"))
            if not event.more_data:
                is_past = isinstance(part, File) and not target
                yield part, None if is_past else "".join(texts), size
        if files > most or stream.tell() - files > max_bytes:
            raise _files_too_large(receiver) if files > most else too_large(max_bytes)


class _Decoder(MultipartDecoder):
    """Reads the headers of parts as Latin-1, which loses no byte.

    Werkzeug reads them as UTF-8; names in another encoding would be lost.
    """

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        return super()._parse_headers(data.decode("latin-1").encode())


def _events(stream: IO[bytes], boundary: str) -> Iterator[Event]:
    """Yield a multipart body's events."""
    decoder = _Decoder(boundary.encode(), 4 * _CHUNK, max_parts=MAX_PAIRS * _MOST_BLANKS)
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, NeedData):
                decoder.receive_data(stream.read(_CHUNK) or None)
            yield event
    except ValueError:
        raise _malformed(_TORN) from None


def _name_of_control(part: File) -> str:
    """Return the name of the control that a file comes from, which is UTF-8 on most pages."""
    return _bytewise(part, "name").encode("latin-1").decode("utf-8", "replace")


def _bytewise(part: Field | File, key: str) -> str:
    """Return the `name` or `filename` of a part as it was sent, or as UTF-8 if it was escaped."""
    text = getattr(part, key) or ""
    is_escaped = f";{key}*" in part.headers["Content-Disposition"].replace(" ", "")
    return text.encode().decode("latin-1") if is_escaped else text


def _short(name: str) -> str:
    return name[:MAX_NAME].replace("\0", "")


def _json(data: bytes, declared: str | None) -> Body:
    text, guess = decode_json(data, declared)
    try:
        content = _parsed(text)
        if isinstance(content, str) and content[:1] in {"{", "["}:
            content = _parsed(content)  # encoded twice, as some scripts do
    except (ValueError, RecursionError):
        raise _malformed(_NO_JSON) from None
    content = _by_name(content)
    if not isinstance(content, dict):
        raise _malformed(_NO_OBJECT)
    named = list(islice(_flattened(content), MAX_PAIRS + 1))
    if len(named) > MAX_PAIRS:
        raise _too_many()
    pairs = [(name, text) for name, value in named for text in _scalars(value)]
    lists = [name for name, value in named if isinstance(value, list)]
    return Body(pairs, frozenset(lists), _notes(guess), len(data))


def _parsed(text: str) -> Any:
    return json.loads(
        text,
        object_pairs_hook=_unique,
        # Numbers keep their text; the form reads it.
        parse_int=JsonNumber,
        parse_float=JsonNumber,
        parse_constant=_no_number,
    )


def _by_name(content: Any) -> Any:
    """Return `[{"name": "a", "value": "b"}]`, as jQuery has a form's answers, as `{"a": "b"}`."""
    if not isinstance(content, list) or not content:
        return content
    answers: dict[str, Any] = {}
    for each in content:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            return content
        if "value" not in each:
            return content
        name, value = each["name"], each["value"]
        if name in answers:
            before = answers[name]
            value = [*(before if isinstance(before, list) else [before]), value]
        answers[name] = value
    return answers


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise RefusalError(400, "REPEATED_FIELD", "A field was sent more than once.")
    return content


def _no_number(_name: str) -> Never:
    raise ValueError("NaN and Infinity are not JSON")


def _flattened(
    content: dict[str, Any], within: str = "", depth: int = 1
) -> Iterator[tuple[str, Any]]:
    """Yield names as forms have them, `fields[name]`, each with a scalar or a list of scalars."""
    for key, each in content.items():
        name, value = f"{within}[{key}]" if within else key, _by_name(each)
        if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            value = {str(index): item for index, item in enumerate(value)}
        if not isinstance(value, dict):
            yield name, value
        elif depth < _DEEPEST and value:
            yield from _flattened(value, name, depth + 1)
        else:
            yield name, json.dumps(value, ensure_ascii=False) if value else None


def _scalars(value: object) -> Iterable[str]:
    """Yield the texts of a scalar or of a list of scalars; null is absence."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, bool):
            yield "true" if each else "false"
        elif isinstance(each, str):
            yield each


def clean_body(body: Body) -> tuple[Pairs, frozenset[str]]:
    """Return pairs and lists, NFC-normalised; different names may become equal.

    Raises RefusalError if a text can't be stored, TooManyMarksError if it can't be normalised.
    """
    pairs = body.pairs
    text = "".join(map("".join, pairs))
    if "\0" in text:
        raise RefusalError(400, "NUL", "A field contains a character that can't be stored (NUL).")
    if text.isascii():
        return pairs, body.lists
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusalError(400, "NOT_TEXT", "A field contains data that is not text.") from None
    cleaned = [(normalize(name), normalize(value)) for name, value in pairs]
    return cleaned, frozenset(map(normalize, body.lists))
