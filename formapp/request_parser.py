"""How the server reads requests: in bounded room, strictly, and in linear time."""

import logging
import re
import threading
import time
from collections.abc import Mapping, MutableSequence
from typing import Any

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

MAX_BODY = 12 * 1024 * 1024
"""Of a larger body nothing is kept: the app, whose own limits are lower, gets its headers alone.
Waitress stores a body of more than half a MiB in a temporary file."""

MAX_BODIES = 512 * 1024 * 1024
"""Bytes of all bodies that are being received or answered, by all processes of one server together;
beyond, a large one gets a 503."""

MAX_HEADERS = 16 * 1024
"""Bytes of address and headers."""

REQUEST_SECONDS = 60.0
"""How long a request may take to arrive completely, however steadily its bytes come."""

SLOWEST = 32 * 1024
"""Bytes per second; a body that comes no slower may take longer."""

_REQUEST_LINE = re.compile(rb"[^ ]+ [^ ]+(?: HTTP/[0-9]\.[0-9])?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+:)[ \t]*+([\t -~\x80-\xff]*)")
_CODING = b"transfer-encoding:"
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}(?:;[\t -~\x80-\xff]*)?\r\n")
_LONGEST_CHUNK_LINE = 1024
_UNIT = 64 * 1024
"""Bodies are counted in units of this; one of at most one unit always finds room."""

_log = logging.getLogger(__name__)


class _ChunkedReceiver(ChunkedReceiver):  # type: ignore[misc] # waitress publishes no types
    """Takes chunk sizes as RFC 9112, section 7.1 has them: waitress accepts 11, LF, CR, LF."""

    error: BadRequest | None

    def received(self, data: bytes) -> int:
        """Return how many of the bytes belong to this body; `error` says what is wrong with it."""
        taken = 0
        while taken < len(data) and not (self.completed or self.error):
            end = len(data)
            if self.chunk_remainder:
                end = taken + self.chunk_remainder
            elif self.validate_chunk_end:
                end = taken + len(b"\r\n") - len(self.chunk_end)
            elif not self.all_chunks_received:
                end = data.find(b"\n", taken) + 1 or end
                self._check_size(self.control_line + data[taken:end])
            elif len(self.trailer) > MAX_HEADERS:
                self.error = BadRequest("Long trailer")
            if not self.error:
                taken += super().received(data[taken:end])
        return len(data) if self.error else taken

    def _check_size(self, line: bytes) -> None:
        is_complete = line.endswith(b"\n")
        if len(line) > _LONGEST_CHUNK_LINE or (is_complete and not _CHUNK_SIZE.fullmatch(line)):
            self.error = BadRequest("Invalid chunk size")


class NoRoomError(Error):  # type: ignore[misc] # waitress publishes no types
    code = 503
    reason = "Service Unavailable"


class Bodies:
    """The room for bodies, which all connections share: thousands of them could fill the disk.

    Several processes share it by a number each of `taken`, which counts bytes; `mine` is the place
    of this one's. Whatever an earlier process had in its place is free again.
    """

    def __init__(self, taken: MutableSequence[int] | memoryview, mine: int = 0) -> None:
        self._taken = taken
        self._mine = mine
        self._taken[mine] = 0
        self._lock = threading.Lock()
        self._is_full = False

    def take(self, size: int) -> bool:
        """Return whether there is room for so many more bytes; they are taken then."""
        with self._lock:
            # Taken before the others are read: two processes never both take the last.
            self._taken[self._mine] += size
            if sum(self._taken) <= MAX_BODIES:
                return True
            self._taken[self._mine] -= size
            was_full, self._is_full = self._is_full, True
        if not was_full:
            _log.warning(
                "bodies of %d MiB are being received: large ones are refused", MAX_BODIES >> 20
            )
        return False

    def give_back(self, size: int) -> None:
        with self._lock:
            self._taken[self._mine] -= size
            self._is_full = False


class Parser(HTTPRequestParser):  # type: ignore[misc] # waitress publishes no types
    """Refuses with 400 what is the client's fault alone, in linear time.

    Waitress would drop the connection over an address such as `http://[`, and answer an unknown
    Transfer-Encoding with 501 (as RFC 9112 section 6.1 suggests); but no client should be able to
    cause a 5xx at will, which alerts are made of. A coding that is blank, repeated or of HTTP/1.0 a
    proxy in front may read otherwise (request smuggling). Waitress's regular expressions take
    quadratic time on some heads, so these are checked first; folded header lines are refused
    (section 5.2).
    """

    body_rcv: Any
    empty: bool
    is_refused = False
    """Whether the client may send more, which is to be read past."""

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.monotonic()
        self._bodies: Bodies = adj.bodies
        self._counted = 0
        self._limits: Mapping[str, int] = adj.body_limits
        self._limit = MAX_BODY

    @property
    def deadline(self) -> float:
        """When it must have arrived: later the more has come, so that slow lines can send files."""
        received: int = self.body_bytes_received
        return self.began + REQUEST_SECONDS + received / SLOWEST

    def received(self, data: bytes) -> int:
        taken: int = super().received(data)
        if self.empty:
            # Else blank lines would keep a connection open for ever.
            self.empty, self.error = False, BadRequest("Nothing but blank lines")
        if max(self.content_length, self.body_bytes_received) >= self._limit and not self.error:
            self.error, self.completed = RequestEntityTooLarge("Over the path's limit"), True
        if self.body_bytes_received > self._counted + _UNIT and not self.error:
            self._count()
        if isinstance(self.error, RequestEntityTooLarge):
            # The app refuses it in the visitor's language, with a way back.
            self.error, self.is_refused = None, True
            self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))
            self._close_after()
        self.is_refused = self.is_refused or self.error is not None
        if self.is_refused:
            self.expect_continue = False
        return len(data) if self.is_refused else taken

    def close(self) -> None:
        """Free what the body took; safe to call twice."""
        super().close()
        counted, self._counted = self._counted, 0
        self._bodies.give_back(counted)

    def _count(self) -> None:
        units = (self.body_bytes_received - self._counted) // _UNIT
        if self._bodies.take(units * _UNIT):
            self._counted += units * _UNIT
        else:
            self.error, self.completed = NoRoomError("No room"), True

    def _close_after(self) -> None:
        self.headers["CONNECTION"] = "close"
        self.connection_close = True

    def parse_header(self, header_plus: bytes) -> None:
        first, *lines = header_plus.split(b"\r\n")
        fields = [_HEADER.fullmatch(line) for line in lines if line]
        if not _REQUEST_LINE.fullmatch(first.rstrip()) or None in fields:
            raise ParsingError("Malformed head")
        plain = [field[1] + field[2] for field in fields if field]
        codings = [line[18:].strip() for line in map(bytes.lower, plain) if line[:18] == _CODING]
        if codings and (codings != [b"chunked"] or not first.rstrip().endswith(b" HTTP/1.1")):
            raise ParsingError("Unknown Transfer-Encoding")
        try:
            super().parse_header(b"\r\n".join([first, *plain, b""]))
        except ValueError:
            raise ParsingError("Bad address") from None
        self._limit = self._limits.get(f"/{self.path.strip('/')}", MAX_BODY)
        if self.chunked:
            self.body_rcv = _ChunkedReceiver(self.body_rcv.getbuf())
            if self.headers.pop("CONTENT_LENGTH", None):
                # Request smuggling (RFC 9112, section 6.1): a proxy may have read another end.
                self._close_after()
