"""Spoilt answers: what a fault makes of a call's answer, down to the socket.

A cut is real: the server hands its socket over in `environ["werkzeug.socket"]`, and it is shut
down in both directions. The client sees the connection end without an answer (or in the middle
of one), as when a process dies. Under a server that hands over no socket the body fails with
`ConnectionAbortedError`, which has most servers drop the connection.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import Response

from formapp.sandbox.api.answers import error_answer
from formapp.sandbox.api.errors import envelope

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from formapp.sandbox.control.faults import Fault

BAD_GATEWAY = (
    "<!doctype html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    "<body><h1>502 Bad Gateway</h1></body></html>\n"
)


def cut(environ: Mapping[str, Any]) -> None:
    """Shut the connection down in both directions.

    Raises:
        ConnectionAbortedError: the server hands over no socket.
    """
    connection = environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionAbortedError("this server hands over no socket to cut")
    with suppress(OSError):  # the client may have gone first
        connection.shutdown(socket.SHUT_RDWR)


def spoil(
    fault: Fault, answer: Response, environ: Mapping[str, Any], closing: threading.Event
) -> Response:
    """Return what the client gets in place of `answer`."""
    if fault.kind == "status":
        return _status(fault)
    if fault.kind == "bad_gateway_html":
        return Response(BAD_GATEWAY, 502, content_type="text/html; charset=utf-8")
    if fault.kind in ("cut_before", "cut_after"):
        return Response(_nothing(environ), 503)  # nobody receives the status
    pause = fault.seconds if fault.kind == "stall" else 0.0
    return _half(answer, environ, closing, pause)


def _nothing(environ: Mapping[str, Any]) -> Iterator[bytes]:
    """Cut when the server comes for the body: nothing has been sent by then."""
    cut(environ)
    yield b""


def _status(fault: Fault) -> Response:
    answer = error_answer(envelope(fault.status, fault.code))
    if fault.empty_body:
        answer = Response(b"", fault.status)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer


def _half(
    answer: Response, environ: Mapping[str, Any], closing: threading.Event, pause: float
) -> Response:
    """Announce the whole answer, send half of it, wait, and cut."""
    whole = answer.get_data()

    def parts() -> Iterator[bytes]:
        yield whole[: len(whole) // 2]
        closing.wait(pause)
        cut(environ)

    spoilt = Response(parts(), answer.status_code, content_type=answer.content_type)
    spoilt.content_length = len(whole)
    return spoilt
