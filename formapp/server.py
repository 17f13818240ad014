"""The embedded production server: waitress, set up for slow and stalled clients.

Waitress reads requests in one thread without waiting for any client. Most complete ones are
answered there, too, the others by its pool (see `Server`). With many connections allowed, poll
instead of select and a short channel time-out it answers a good request at once beside hundreds of
stalled ones; with its defaults it doesn't.
"""

import contextlib
import errno
import json
import logging
import resource
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, MutableSequence
from functools import partial
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask

from formapp.request_parser import MAX_BODY, MAX_HEADERS, Bodies, NoRoomError, Parser
from formapp.waiting import Hub, shares_thread

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 16
"""Requests that the pool handles at once: more than cores, since many wait for the database."""

MAX_AT_ONCE = 16 * 1024
"""Bytes of a body that is answered in the server's own thread."""

MAX_BEGUN = 64
"""Requests that this thread begins to answer between two looks at all connections."""

MAX_PORT = 65_535
MAX_CONNECTIONS = 3000
"""At most; fewer where the system allows the process fewer open files."""

SPARE_FILES = 256
"""Open files left to the database, logs and libraries."""

DRAIN_SECONDS = 10.0
"""How long requests in progress may take once the server is stopped."""

STALLED_SECONDS = 2.0
"""A request that is still arriving is in progress unless nothing has arrived for this long."""

_SOME = 2
"""Connections that a process may have more than another, where both have few."""

_OTHERS_FIRST_SECONDS = 0.0005
"""An idle process accepts within this time; a process that hangs delays no visitor."""

_CLEANUP_SECONDS = 5
_DROP = struct.pack("ii", 1, 0)
"""SO_LINGER: the kernel forgets what was not sent."""

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
        if error.code == NoRoomError.code:
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


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress publishes no types
    """A connection; after a refusal what the client is still sending is read past.

    Closing it then would reset the connection, and the client could lose the answer (RFC 9112,
    section 9.6).
    """

    error_task_class = _ErrorTask
    parser_class = Parser
    request: Parser | None
    close_when_flushed: bool
    lingers = False
    _refused: Parser | None = None

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


class _PooledWork:
    """Work that a thread of the pool does for a request that is answered elsewhere."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.service = work

    def cancel(self) -> None:
        """The server has ended: no request waits for it."""


class _Sockets(wasyncore.dispatcher):  # type: ignore[misc] # waitress publishes no types
    """Has the server's loop look at the sockets for which its greenlets wait."""

    def __init__(self, hub: Hub, sockets: dict[int, Any]) -> None:
        super().__init__(map=sockets)
        self._hub = hub
        self.connected = True
        self.set_socket(hub.sockets, sockets)

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        self._hub.look()

    def close(self) -> None:
        self.del_channel()
        self._hub.close()


class Connections:
    """How many connections each of several processes has, which accept from one socket.

    The first process to poll would accept every connection that waits, and be the only busy one.
    They share `counts`, a number each; `mine` is the place of this one's.
    """

    def __init__(self, counts: MutableSequence[int] | memoryview, mine: int = 0) -> None:
        self._counts = counts
        self._mine = mine

    def count(self, number: int) -> None:
        """Set the number of this process."""
        self._counts[self._mine] = number

    def has_many(self) -> bool:
        """Return whether this process has clearly more than another."""
        least = min(self._counts)
        return self._counts[self._mine] > least + max(_SOME, least // 4)


def _never(_method: str, _path: str) -> bool:
    return False


class Server(TcpWSGIServer):  # type: ignore[misc] # waitress publishes no types
    """Serves a WSGI app on a listening socket.

    One thread reads all requests. It hands them to the pool, as waitress does, but for those that
    the app answers at once, or after a commit: these are greenlets of this thread.
    """

    channel_class = _Channel

    def __init__(  # noqa: PLR0913 - all but the app and its address by name
        self,
        app: "WSGIApplication",
        listener: socket.socket,
        *,
        bodies: Bodies | None = None,
        connections: Connections | None = None,
        body_limits: Mapping[str, int] | None = None,
        at_once: Callable[[str, str], bool] = _never,
        gathers: bool = False,
    ) -> None:
        """`body_limits` are for paths that take larger bodies than `MAX_BODY`.

        `at_once` says of a method and a path whether the app answers without waiting for anything,
        files too, unless by `formapp.waiting`. With `gathers`, what is done for several requests
        together, such as a commit, is begun after one more look for others.
        """
        settings = _settings(listener, body_limits or {})
        settings.bodies = bodies or Bodies([0])
        self._connections = connections or Connections([0])
        address = (listener.family, listener.type, listener.proto, listener.getsockname())
        self._sockets: dict[int, Any] = {}
        self._stop_by: float | None = None
        self._draining: Callable[[], None] | None = None
        self._was_idle = False
        self._at_once = at_once
        self._gathers = gathers
        self._to_begin: deque[_Channel] = deque()
        self._hub = Hub(self._wake, lambda work: self.task_dispatcher.add_task(_PooledWork(work)))
        self._is_closed = False
        # A signal may interrupt the thread that holds it, hence the R.
        self._stopping = threading.RLock()
        super().__init__(
            app, self._sockets, _sock=listener, adj=settings, sockinfo=address, bind_socket=False
        )
        _Sockets(self._hub, self._sockets)

    def run(self, draining: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped; requests in progress are answered first.

        `draining` is called once the server is stopped, before it waits for those requests.
        """
        self._draining = draining
        super().run()
        with self._stopping:
            self._is_closed = True
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
        # Before waitress asks the connections, which were made later, what each waits for.
        number = min(len(self._to_begin), MAX_BEGUN)
        # Not twice in a row: under load each look finds others. Nor in what may be the last one.
        gathers = self._gathers and number > 0 and not self._hub.callbacks
        gathers = gathers and self._stop_by is None
        begun = [partial(_serve, self._to_begin.popleft()) for _ in range(number)]
        self._hub.run(begun, gathers=gathers)
        if self._to_begin or self._hub.callbacks:
            self._wake()
        if self._stop_by is not None and self._is_drained(self._stop_by):
            raise SystemExit
        self._connections.count(len(self.active_channels))
        return bool(super().readable())

    def handle_accept(self) -> None:
        """Accept a connection, unless a process that has fewer does so meanwhile."""
        if self._connections.has_many():
            time.sleep(_OTHERS_FIRST_SECONDS)
        super().handle_accept()

    def add_task(self, task: _Channel) -> None:
        """Have the next request of a connection answered, by this thread or by the pool."""
        request = task.requests[0]
        if (
            not request.error
            and max(request.content_length, request.body_bytes_received) <= MAX_AT_ONCE
            # The pool's threads may wait for a client that reads slowly.
            and not task.total_outbufs_len
            and self._at_once(request.command, request.path)
        ):
            self._to_begin.append(task)
        else:
            super().add_task(task)

    def pull_trigger(self) -> None:
        """Wake the thread that reads, unless it is this one and has nothing else to begin."""
        if self._to_begin or not shares_thread():
            self._wake()

    def _wake(self) -> None:
        """Wake the thread that reads, which a commit may outlast: its pipe is closed then."""
        with self._stopping:
            if not self._is_closed:
                super().pull_trigger()

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


def _settings(listener: socket.socket, body_limits: Mapping[str, int]) -> Adjustments:
    settings = Adjustments(
        sockets=[listener],
        threads=THREADS,
        connection_limit=_connections(),
        asyncore_use_poll=True,
        asyncore_loop_timeout=1,
        channel_timeout=20,
        cleanup_interval=_CLEANUP_SECONDS,
        max_request_body_size=max([MAX_BODY, *body_limits.values()]),
        max_request_header_size=MAX_HEADERS,
        ident=None,
        # The app knows how many proxies to believe (PROXY_HOPS).
        clear_untrusted_proxy_headers=False,
    )
    settings.body_limits = body_limits
    return settings


def _serve(channel: _Channel) -> None:
    try:
        channel.service()
    except (Exception, SystemExit):  # noqa: BLE001 - as by the pool: no request ends the server
        _log.exception("a request could not be answered")


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
