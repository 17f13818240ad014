"""Outgoing HTTP with a deadline for the whole call and a limit on the response."""

import io
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from formapp.deadline import SECONDS, Deadline, current

TIMEOUTS = (3, 10)
"""Seconds for connecting to one address, and for the next byte."""

DEADLINE = SECONDS

MAX_BYTES = 64 * 1024
"""The rest of a longer response is not read."""


# Headers that describe a body as it was sent.
_BODY = {"content-encoding", "content-length", "transfer-encoding"}


class NoResponseError(Exception):
    """No response, or not in time. The text names the kind of failure, never the URL."""


class Response(NamedTuple):
    """Status and at most `MAX_BYTES` of the content."""

    status: int
    content: bytes


def post(url: str, *, data: Mapping[str, str] | None = None, json: Any = None) -> Response:
    """Post a form (`data`) or JSON; redirects are not followed.

    Raises:
        NoResponseError: there is no response within the deadline.
    """
    adapter = DeadlineAdapter(max_bytes=MAX_BYTES)
    with requests.Session() as session:
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        # A small compressed response may be a large one.
        headers = {"Accept-Encoding": "identity"}
        try:
            response = session.post(
                url, data=data, json=json, timeout=TIMEOUTS, allow_redirects=False, headers=headers
            )
        except requests.RequestException as error:
            raise NoResponseError(type(error).__name__) from None
        return Response(response.status_code, response.content)


class DeadlineAdapter(HTTPAdapter):
    """Ends each call at its deadline, and reads its response up to a limit."""

    def __init__(self, *, max_bytes: int) -> None:
        super().__init__(max_retries=0)
        self._max_bytes = max_bytes

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        """Return the response with its content.

        Raises:
            ReadTimeout: the deadline has passed; the request may have arrived.
            RequestException: any other failure.
        """
        with Deadline(DEADLINE) as deadline:
            try:
                response = super().send(request, *args, **options | {"stream": True})
                with response:
                    content = response.raw.read(self._max_bytes, decode_content=True)
            except (requests.RequestException, HTTPError) as error:
                if deadline.expired and not isinstance(error, requests.ConnectTimeout):
                    raise requests.ReadTimeout(request=request) from None
                if isinstance(error, HTTPError):
                    raise requests.ConnectionError(error, request=request) from error
                raise
            # A connection that was shut down may look like a response that has ended.
            if deadline.expired:
                raise requests.ReadTimeout(request=request)
        raw = urllib3.HTTPResponse(
            io.BytesIO(content),
            {name: value for name, value in response.headers.items() if name.lower() not in _BODY},
            response.status_code,
            reason=response.reason,
            preload_content=False,
            decode_content=False,
        )
        return self.build_response(request, raw)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return a pool, of a proxy or not, whose connections are watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not issubclass(pool.ConnectionCls, _Watched):
            pool.ConnectionCls = type("Watched", (_Watched, pool.ConnectionCls), {})
        return pool


class _Watched(HTTPConnection):
    """Comes before a connection class of urllib3, of HTTP or of HTTPS."""

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()
        _watch(connection)
        return connection

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            _watch(self.sock)
        super().request(*args, **options)


def _watch(connection: Any) -> None:
    if (deadline := current()) is not None:
        deadline.watch(connection)
