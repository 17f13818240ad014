"""The embedded production server: waitress, set up for slow and stalled clients.

Waitress reads requests in one thread without waiting for any client, and hands complete ones to its
pool. With many connections allowed, poll instead of select and a short channel time-out it answers
a good request at once beside hundreds of stalled ones; with its defaults it doesn't.
"""

import contextlib
import errno
import json
import logging
import re
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Container, Mapping, MutableSequence
from functools import partial
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from formapp.greenlets import Hub, is_in_greenlet

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MAX_BODY = 12 * 1024 * 1024
"""Of a larger body nothing is kept: the app, whose own limits are lower, gets its headers alone.
Waitress stores a body of more than half a MiB in a temporary file."""

MAX_BODIES = 512 * 1024 * 1024
"""Bytes of all bodies that are being received or answered, by all processes of one server together;
beyond, a large one gets a 503."""

MAX_HEADERS = 16 * 1024
"""Bytes of address and headers."""

THREADS = 16
"""Requests that the pool handles at once: more than cores, since many wait for the database."""

MAX_AT_ONCE = 16 * 1024
"""Bytes of a body; the pool reads larger ones, while the server's own thread answers others."""

MAX_PORT = 65_535
MAX_CONNECTIONS = 3000
"""At most; fewer where the system allows the process fewer open files."""

SPARE_FILES = 256
"""Open files left to the database, logs and libraries."""

DRAIN_SECONDS = 10.0
"""How long requests in progress may take once the server is stopped."""

STALLED_SECONDS = 2.0
"""A request that is still arriving is in progress unless nothing has arrived for this long."""

REQUEST_SECONDS = 60.0
"""How long a request may take to arrive completely, however steadily its bytes come."""

SLOWEST = 32 * 1024
"""Bytes per second; a body that comes no slower may take longer."""

_CLEANUP_SECONDS = 5
_DROP = struct.pack("ii", 1, 0)
"""SO_LINGER: the kernel forgets what was not sent."""

_REQUEST_LINE = re.compile(rb"[^ ]+ [^ ]+(?: HTTP/[0-9]\.[0-9])?")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+:)[ \t]*+([\t -~\x80-\xff]*)")
_CODING = b"transfer-encoding:"
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}(?:;[\t -~\x80-\xff]*)?\r\n")
_LONGEST_CHUNK_LINE = 1024
_UNIT = 64 * 1024
"""Bodies are counted in units of this; one of at most one unit always finds room."""

_log = logging.getLogger(__name__)

# Our own texts only: waitress's may quote the request.
_TEXTS = {
    400: "The request could not be read.",
    413: "This is too much to send.",
    431: "The address or the headers of this request are too long.",
    503: "Too much is being sent to this server right now. Please try again in a minute.",
}
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not possible</title>'
    "<h1>Not possible</h1><p>{text}</p></html>"
)
_PAGE_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]


def listen(host: str, port: int) -> socket.socket:
    """Bind the address, or raise OSError; port 0 takes a free one."""
    if port > MAX_PORT:
        raise OSError(errno.EINVAL, f"ports end at {MAX_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


class _ErrorTask(ErrorTask):  # type: ignore[misc] # waitress publishes no types
    """Answers what waitress refuses by itself, as a page or as JSON, whichever the client wants."""

    def execute(self) -> None:
        error: Any = self.request.error
        self.status = f"{error.code} {error.reason}"
        text = _TEXTS.get(error.code, f"{error.reason}.")
        if error.code == _NoRoomError.code:
            self.response_headers.append(("Retry-After", "60"))
        if "application/json" in self.request.headers.get("ACCEPT", ""):
            code = error.reason.upper().replace(" ", "_")
            body = json.dumps({"error": text, "errors": [{"code": code, "message": text}]})
            self.response_headers.append(("Content-Type", "application/json"))
        else:
            body = _PAGE.format(text=text)
            self.response_headers += _PAGE_HEADERS
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body.encode())


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


class _NoRoomError(Error):  # type: ignore[misc] # waitress publishes no types
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


class _Parser(HTTPRequestParser):  # type: ignore[misc] # waitress publishes no types
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
            self.error, self.completed = _NoRoomError("No room"), True

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


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress publishes no types
    """A connection; after a refusal what the client is still sending is read past.

    Closing it then would reset the connection, and the client could lose the answer (RFC 9112,
    section 9.6).
    """

    error_task_class = _ErrorTask
    parser_class = _Parser
    request: _Parser | None
    close_when_flushed: bool
    lingers = False
    _refused: _Parser | None = None

    def service(self) -> None:
        first = self.requests[0]
        self._refused = first if first.is_refused else None
        super().service()

    def handle_write(self) -> None:
        if not (self._refused and self.close_when_flushed):
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif not self.total_outbufs_len:
            self.close_when_flushed, self.lingers = False, True
            # Its time is limited like that of a request which is arriving.
            self.request, self._refused = self._refused, None
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)

    def received(self, data: bytes) -> bool:
        return not self.lingers and bool(super().received(data))

    def del_channel(self, map: dict[int, Any] | None = None) -> None:  # noqa: A002 - waitress's name
        super().del_channel(map)
        if self.request is not None:
            self.request.close()


class Server(TcpWSGIServer):  # type: ignore[misc] # waitress publishes no types
    """Serves a WSGI app on a listening socket.

    One thread reads all requests. It hands them to the pool, as waitress does, but for those that
    the app answers at once, or after a commit: these are greenlets of this thread.
    """

    channel_class = _Channel

    def __init__(
        self,
        app: "WSGIApplication",
        listener: socket.socket,
        *,
        bodies: Bodies | None = None,
        body_limits: Mapping[str, int] | None = None,
        at_once: Container[tuple[str, str]] = (),
    ) -> None:
        """`body_limits` are for paths that take larger bodies than `MAX_BODY`.

        `at_once` has method and path of requests that the app answers without waiting, unless by
        `formapp.greenlets`.
        """
        settings = Adjustments(
            sockets=[listener],
            threads=THREADS,
            connection_limit=_connections(),
            asyncore_use_poll=True,
            asyncore_loop_timeout=1,
            channel_timeout=20,
            cleanup_interval=_CLEANUP_SECONDS,
            max_request_body_size=max([MAX_BODY, *(body_limits or {}).values()]),
            max_request_header_size=MAX_HEADERS,
            ident=None,
            # The app knows how many proxies to believe (PROXY_HOPS).
            clear_untrusted_proxy_headers=False,
        )
        settings.bodies = bodies or Bodies([0])
        settings.body_limits = body_limits or {}
        address = (listener.family, listener.type, listener.proto, listener.getsockname())
        self._sockets: dict[int, Any] = {}
        self._stop_by: float | None = None
        self._draining: Callable[[], None] | None = None
        self._was_idle = False
        self._at_once = at_once
        self._to_begin: list[_Channel] = []
        self._hub = Hub(super().pull_trigger, THREADS)
        # A signal may interrupt the thread that holds it, hence the R.
        self._stopping = threading.RLock()
        super().__init__(
            app, self._sockets, _sock=listener, adj=settings, sockinfo=address, bind_socket=False
        )

    def run(self, draining: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped; requests in progress are answered first.

        `draining` is called once the server is stopped, before it waits for those requests.
        """
        self._draining = draining
        super().run()
        with self._stopping:
            wasyncore.close_all(self._sockets)

    def stop(self) -> None:
        """Take no more connections and make `run` return; from any thread or signal handler.

        A second call does nothing: the pipe that wakes `run` may be closed by then, and its number
        belong to another file.
        """
        with self._stopping:
            if self._stop_by is None:
                self._stop_by = time.monotonic() + DRAIN_SECONDS
                self.accepting = False
                self.pull_trigger()

    def readable(self) -> bool:
        """Return whether to accept connections: waitress's loop calls this before each turn.

        Waitress has no way to drain but this one: SystemExit is what ends its loop.
        """
        begin, self._to_begin = self._to_begin, []
        self._hub.run([partial(self._serve, channel) for channel in begin])
        if self._stop_by is not None and self._is_drained(self._stop_by):
            raise SystemExit
        return bool(super().readable())

    def add_task(self, task: _Channel) -> None:
        """Have the next request of a connection answered, by this thread or by the pool."""
        request = task.requests[0]
        if (
            not request.error
            and (request.command, request.path) in self._at_once
            and max(request.content_length, request.body_bytes_received) <= MAX_AT_ONCE
            # The pool's threads may wait for a client that reads slowly.
            and not task.total_outbufs_len
        ):
            self._to_begin.append(task)
        else:
            super().add_task(task)

    def pull_trigger(self) -> None:
        """Wake the thread that reads, unless it is this one and has nothing else to begin."""
        if self._to_begin or not is_in_greenlet():
            super().pull_trigger()

    def _serve(self, channel: _Channel) -> None:
        try:
            channel.service()
        except Exception:  # noqa: BLE001 - as the pool does: one request ends no other
            _log.exception("an answer could not be sent")

    def maintenance(self, now: float) -> None:
        """Close connections that are idle, whose request takes too long, or that read no answer.

        Waitress would wait for ever until the latter can be written to.
        """
        super().maintenance(now)
        moment, active = time.monotonic(), now - self.adj.channel_timeout
        for channel in self.active_channels.values():
            if channel.request is not None and channel.request.deadline < moment:
                channel.will_close = True
            if channel.total_outbufs_len and channel.last_activity < active:
                with contextlib.suppress(OSError):
                    channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP)
                    channel.socket.shutdown(socket.SHUT_RDWR)  # which the loop notices

    def _is_drained(self, stop_by: float) -> bool:
        if self._draining:
            self._draining()
            self._draining = None
        busy = any(map(_is_busy, list(self.active_channels.values())))
        was_idle, self._was_idle = self._was_idle, not busy
        if self._was_idle:
            # Have the next turn read pending data, without waiting for more.
            self.pull_trigger()
        return (was_idle and self._was_idle) or time.monotonic() >= stop_by


def _is_busy(channel: _Channel) -> bool:
    if channel.requests or channel.total_outbufs_len:
        return True
    is_arriving = channel.request is not None and not channel.lingers
    return is_arriving and time.time() - channel.last_activity < STALLED_SECONDS


def _connections() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(files - SPARE_FILES, files // 2))
