"""Each request has an id, in its log lines and in the answer's `X-Request-Id`, and is timed."""

import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from formapp.monitoring.metrics import Metrics

HEADER = "X-Request-Id"
_SAFE = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def init_app(app: Flask, metrics: Metrics) -> None:
    """Give every request an id: the proxy's if it sends a usable one, else a new one."""

    def finish(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        # The endpoint, not the path: anyone can make up paths.
        endpoint = request.endpoint or "none"
        metrics.request(endpoint, response.status_code, time.perf_counter() - g.begun)
        return response

    app.before_request(_begin)
    app.after_request(finish)
    app.teardown_request(_forget)


def _begin() -> None:
    g.begun = time.perf_counter()
    given = request.headers.get(HEADER, "")
    g.request_id = given if _SAFE.fullmatch(given) else uuid.uuid4().hex
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _forget(_error: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request_id")
