"""Each request has an id, in its log lines and in the answer's `X-Request-Id`, and is timed."""

import re
import secrets
import time

import structlog
from flask import Response, g, request

from formapp.monitoring.metrics import Metrics

HEADER = "X-Request-Id"
_BYTES = 16
_SAFE = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def begin_request() -> None:
    """Give the request the proxy's id if it sends a usable one, else a new one."""
    given = request.headers.get(HEADER, "")
    id_ = given if _SAFE.fullmatch(given) else secrets.token_hex(_BYTES)
    structlog.contextvars.bind_contextvars(request_id=id_)
    g.begun = id_, time.perf_counter()


def finish_request(response: Response, metrics: Metrics) -> None:
    """Write the id into the answer, and count the request."""
    id_, begun = g.begun
    response.headers.add(HEADER, id_)
    # The endpoint, not the path: anyone can make up paths.
    endpoint = request.endpoint or "none"
    metrics.request(endpoint, response.status_code, time.perf_counter() - begun)
    structlog.contextvars.unbind_contextvars("request_id")
