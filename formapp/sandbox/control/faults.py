"""Faults on request: the active ones, which calls they affect, and what they do to an answer.

`status` and `bad_gateway_html` do not apply the call unless `applied` is true.

A cut is real: the server passes its socket in `environ["werkzeug.socket"]`, and the fault shuts it
down in both directions, as when a process dies.
"""

import random
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

from flask import Response, make_response

from formapp.sandbox.api.errors import envelope
from formapp.sandbox.api.operations import OPERATION_NAMES

KINDS = {
    "latency": "Answer late",
    "status": "Answer with an error",
    "bad_gateway_html": "Answer with a proxy's HTML page (502)",
    "cut_before": "Cut the connection before applying the call",
    "cut_after": "Apply the call, then cut the connection",
    "truncate": "Apply the call, then send half of the answer",
    "stall": "Apply the call, then stop halfway through the answer",
}
RANGES: dict[str, tuple[float, float, bool]] = {
    "status": (400, 599, True),
    "seconds": (0, 600, False),
    "times": (1, 1_000_000, True),
    "probability": (0, 1, False),
    "retry_after": (0, 86_400, True),
}
"""Lowest and highest value of each number, and whether it must be whole."""

NULLABLE = ("operation", "site", "code", "times", "retry_after")
BAD_GATEWAY = (
    "<!doctype html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    "<body><h1>502 Bad Gateway</h1></body></html>\n"
)


class FaultError(ValueError):
    """The description of a fault is invalid; the text says why."""


@dataclass(frozen=True)
class Fault:
    """One fault. Without an `operation` or a `site` it affects all of them.

    Attributes:
        status, code, empty_body, retry_after: Only for kind `status`; `retry_after` in seconds.
        applied: Kinds `status` and `bad_gateway_html` apply the call first.
        seconds: Only for kinds `latency` and `stall`.
        times: How many calls it affects before it ends; None has no end.
        probability: The share of matching calls that it affects.
    """

    kind: str
    operation: str | None = None
    site: str | None = None
    status: int = 503
    code: str | None = None
    empty_body: bool = False
    applied: bool = False
    seconds: float = 1.0
    times: int | None = None
    probability: float = 1.0
    retry_after: int | None = None

    @property
    def applies_call(self) -> bool:
        """Whether the call is applied although its answer is replaced."""
        return self.kind in ("cut_after", "truncate", "stall") or self.applied

    @property
    def cuts_connection(self) -> bool:
        """Whether the client receives no answer at all."""
        return self.kind in ("cut_before", "cut_after")

    def replace(
        self, answer: Response, environ: Mapping[str, Any], closing: threading.Event
    ) -> Response:
        """Return the response that the client receives instead of `answer`."""
        if self.kind == "status":
            return self._error()
        if self.kind == "bad_gateway_html":
            return Response(BAD_GATEWAY, 502, content_type="text/html; charset=utf-8")
        if self.cuts_connection:
            return Response(_cut_body(environ), 503)  # the status never reaches the client
        pause = self.seconds if self.kind == "stall" else 0.0
        whole = answer.get_data()

        def half() -> Iterator[bytes]:
            yield whole[: len(whole) // 2]
            closing.wait(pause)
            _cut(environ)

        truncated = Response(half(), answer.status_code, content_type=answer.content_type)
        truncated.content_length = len(whole)
        return truncated

    def _error(self) -> Response:
        body = b"" if self.empty_body else envelope(self.status, self.code).body
        answer = make_response(body, self.status)
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        return answer


def _cut(environ: Mapping[str, Any]) -> None:
    """Shut the connection down in both directions.

    Raises:
        ConnectionAbortedError: the server passes no socket; most servers then drop the connection.
    """
    connection = environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionAbortedError("this server passes no socket to cut")
    with suppress(OSError):  # the client may have disconnected first
        connection.shutdown(socket.SHUT_RDWR)


def _cut_body(environ: Mapping[str, Any]) -> Iterator[bytes]:
    """Cut when the server asks for the body: it has sent nothing yet."""
    _cut(environ)
    yield b""


def read_fault(sent: Mapping[str, Any]) -> Fault:
    """Return the fault that `sent` describes.

    Raises:
        FaultError: a name is unknown or a value is invalid.
    """
    unknown = sorted(set(sent) - {one.name for one in fields(Fault)})
    if unknown:
        raise FaultError(f"{unknown[0]} is not part of a fault")
    if sent.get("kind") not in KINDS:
        raise FaultError(f"kind must be one of {', '.join(KINDS)}")
    if sent.get("operation") is not None and sent["operation"] not in OPERATION_NAMES:
        raise FaultError(f"operation must be one of {', '.join(OPERATION_NAMES)}")
    for name, value in sent.items():
        _check(name, value)
    return Fault(**{k: v for k, v in sent.items() if v is not None or k in NULLABLE})


def _check(name: str, value: Any) -> None:
    if name in ("site", "code") and not (value is None or isinstance(value, str)):
        raise FaultError(f"{name} must be a string or null")
    if name in ("empty_body", "applied") and not isinstance(value, bool):
        raise FaultError(f"{name} must be true or false")
    if name in RANGES and value is not None:
        lowest, highest, whole = RANGES[name]
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not number or not lowest <= value <= highest:
            raise FaultError(f"{name} must be a number from {lowest} to {highest}")


class Faults:
    """The active faults, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._struck: dict[str, int] = {}
        self._random = random.Random()  # noqa: S311 - selects calls for test faults, no secrets

    def add(self, fault: Fault) -> dict[str, Any]:
        """Activate a fault and return it with its id."""
        fault_id = str(uuid.uuid4())
        with self._lock:
            self._faults[fault_id] = fault
            self._struck[fault_id] = 0
            return self._as_json(fault_id)

    def read(self) -> list[dict[str, Any]]:
        """Return all faults, each with `id` and `struck`, the number of calls it has affected."""
        with self._lock:
            return [self._as_json(fault_id) for fault_id in self._faults]

    def remove(self, fault_id: str) -> bool:
        """Deactivate a fault; return whether it was active."""
        with self._lock:
            return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Deactivate all faults."""
        with self._lock:
            self._faults.clear()

    def draw(self, operation: str, site: str | None) -> tuple[float, Fault | None]:
        """Return the seconds that a call must wait, and the fault that replaces its answer.

        Latencies add up; of the other faults only the first that affects the call counts.
        """
        delay, replacing = 0.0, None
        with self._lock:
            for fault_id, fault in list(self._faults.items()):
                superseded = fault.kind != "latency" and replacing is not None
                matches = fault.operation in (None, operation) and fault.site in (None, site)
                if superseded or not matches or self._random.random() >= fault.probability:
                    continue
                self._struck[fault_id] += 1
                if fault.times is not None and self._struck[fault_id] >= fault.times:
                    del self._faults[fault_id]
                if fault.kind == "latency":
                    delay += fault.seconds
                else:
                    replacing = fault
        return delay, replacing

    def _as_json(self, fault_id: str) -> dict[str, Any]:
        fault = self._faults[fault_id]
        return {"id": fault_id, **asdict(fault), "struck": self._struck[fault_id]}
