"""Each request has an id, in its log lines and in the answer's `X-Request-Id`, and is timed."""

import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from formapp.web.services import services

HEADER = "X-Request-Id"
_SAFE = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def init_app(app: Flask) -> None:
    """Give every request of the app an id: the proxy's where it sends one, else one of its own."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def id_of(given: str) -> str:
    """The id of a request whose header says this: that, if it can be one, else one of its own."""
    return given if _SAFE.fullmatch(given) else uuid.uuid4().hex


def _begin() -> None:
    g.begun = time.perf_counter()
    g.request_id = id_of(request.headers.get(HEADER, ""))
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _tell(response: Response) -> Response:
    if "request_id" in g:
        response.headers[HEADER] = g.request_id
        seconds = time.perf_counter() - g.begun
        # The endpoint, not the path: paths are made up by whoever asks.
        endpoint = request.endpoint or "none"
        services().metrics.request(endpoint, response.status_code, seconds)
    return response


def _end(_error: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")
